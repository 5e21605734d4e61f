// `npm run bench`: measures a server that it starts itself, on a folder that it removes. Entry.
//
//   this process ──starts──▶ server (gateway/main.ts) ◀──WebSocket── load generator (own process)
//        └── reads /proc and /metrics at both ends of the window; calibrates before, prints after
import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { calibrate } from './calibration.ts';
import { cleanUpAtEnd, makeTemporaryFolder } from './clean-up.ts';
import { findFailures, measureLoad, openAccounts, type ReportProgress } from './measurement.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { measureReplay } from './replay.ts';
import { type Measured, resultObject, resultTable } from './report.ts';
import { ServerProcess } from './server-process.ts';

async function measure(options: BenchOptions, report: ReportProgress): Promise<Measured> {
  const folder = makeTemporaryFolder(options.folder);
  const calibration = await calibrate(folder);
  const server = await ServerProcess.start(`${folder}/data`);
  const opening = await openAccounts(server, options, report);
  const load = options.workload === 'open' ? null : await measureLoad(server, options, report);
  await server.stop();
  const replay =
    options.workload === 'replay' ? await measureReplay(server.dataFolder, report) : null;
  const runs = [...opening.runs, ...(load === null ? [] : [load.result])];
  const failures = runs.flatMap(findFailures);
  if (replay !== null && replay.totals !== '') failures.push(`totals: ${replay.totals}`);
  return { options, folder, opening, load, replay, calibration, failures };
}

/** A bar for each step, on standard error, and only where a person looks. */
function progressBars(isShown: boolean): { report: ReportProgress; stop: () => void } {
  if (!isShown) return { report: () => undefined, stop: () => undefined };
  const bars = new MultiBar(
    { format: '{step} {bar} {percentage} %', stream: process.stderr, clearOnComplete: true },
    Presets.shades_grey,
  );
  const byStep = new Map<string, SingleBar>();
  const report: ReportProgress = (step, done, total) => {
    let bar = byStep.get(step);
    if (bar === undefined) {
      bar = bars.create(total, 0, { step: step.padEnd(8) });
      byStep.set(step, bar);
    }
    bar.update(Math.round(done));
  };
  return { report, stop: () => bars.stop() };
}

cleanUpAtEnd();
const options = readOptions(process.argv.slice(2));
const { report, stop } = progressBars(!options.json && process.stderr.isTTY);
try {
  const measured = await measure(options, report);
  stop();
  const result = resultObject(measured);
  console.log(options.json ? JSON.stringify(result) : resultTable(result));
  for (const failure of measured.failures) console.error(`Not a measurement: ${failure}`);
  process.exitCode = measured.failures.length > 0 ? 1 : 0;
} catch (error) {
  stop();
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

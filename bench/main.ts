// `npm run bench`: measures a server that it starts itself, on a folder that it removes. Entry.
//
//   this process ──starts──▶ server (gateway/main.ts) ◀──WebSocket── load generator (own process)
//        └── reads /proc and /metrics at both ends of the window; calibrates before, prints after
import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import { type Calibration, calibrate } from './calibration.ts';
import { cleanUpAtEnd, makeTemporaryFolder } from './clean-up.ts';
import { findFailures, measureLoad, openAccounts, type ReportProgress } from './measurement.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { measureReplay } from './replay.ts';
import { resultObject, resultTable } from './report.ts';
import {
  findReportingFailures,
  REPORTING_ASKED,
  reportingObject,
} from './reporting/reporting-result.ts';
import { measureReporting } from './reporting/reporting-workload.ts';
import {
  findTroubleFailures,
  measureTroubles,
  TROUBLE_ASKED,
  troublesObject,
} from './reporting/trouble-workload.ts';
import { ServerProcess, WITHOUT_REPORTING } from './server-process.ts';

/** A workload's result, and what is asked of its figures. */
interface Outcome {
  readonly result: Record<string, unknown>;
  readonly asked: Readonly<Record<string, string>>;
  readonly failures: readonly string[];
}

const STEP_COLUMNS = 20;

async function measure(options: BenchOptions, report: ReportProgress): Promise<Outcome> {
  const folder = makeTemporaryFolder(options.folder);
  const place = { options, folder, calibration: await calibrate(folder) };
  if (options.workload === 'report') return measurePostgres(place, report);
  if (options.workload === 'trouble') return measureTrouble(place, report);
  return measureTransactions(place, report);
}

interface Place {
  readonly options: BenchOptions;
  readonly folder: string;
  readonly calibration: Calibration;
}

async function measureTransactions(place: Place, report: ReportProgress): Promise<Outcome> {
  const { options, folder } = place;
  const server = await ServerProcess.start(`${folder}/data`, WITHOUT_REPORTING);
  const opening = await openAccounts(server, options, report);
  const load = options.workload === 'open' ? null : await measureLoad(server, options, report);
  await server.stop();
  const replay =
    options.workload === 'replay' ? await measureReplay(server.dataFolder, report) : null;
  const runs = [...opening.runs, ...(load === null ? [] : [load.result])];
  const failures = runs.flatMap(findFailures);
  if (replay !== null && replay.totals !== '') failures.push(`totals: ${replay.totals}`);
  const result = resultObject({ ...place, opening, load, replay, failures });
  return { result, asked: {}, failures };
}

async function measurePostgres(place: Place, report: ReportProgress): Promise<Outcome> {
  const measurement = await measureReporting(place.folder, place.options, report);
  const failures = findReportingFailures(measurement);
  const result = reportingObject({ ...place, measurement, failures });
  return { result, asked: REPORTING_ASKED, failures };
}

async function measureTrouble(place: Place, report: ReportProgress): Promise<Outcome> {
  const measurement = await measureTroubles(place.folder, place.options, report);
  const failures = findTroubleFailures(measurement);
  const result = troublesObject({ ...place, measurement, failures });
  return { result, asked: TROUBLE_ASKED, failures };
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
      bar = bars.create(total, 0, { step: step.padEnd(STEP_COLUMNS) });
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
  const { result, asked, failures } = await measure(options, report);
  stop();
  console.log(options.json ? JSON.stringify(result) : resultTable(result, asked));
  for (const failure of failures) console.error(`Not a measurement: ${failure}`);
  process.exitCode = failures.length > 0 ? 1 : 0;
} catch (error) {
  stop();
  console.error(error instanceof Error ? error.message : error);
  // Not when nothing is left to do: the server that it was about still runs.
  process.exit(1);
}

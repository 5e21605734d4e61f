// A load at a rate beside the lag of the reporter, sampled while the window is open, and the time
// that Postgres needs afterwards until it has everything.
import { setTimeout as sleep } from 'node:timers/promises';
import { generateLoad } from '../generator.ts';
import type { LoadResult } from '../load/load-run.ts';
import { frameTransactionsAt } from '../load/pace.ts';
import { loadSettings, type ReportProgress } from '../measurement.ts';
import type { BenchOptions } from '../options.ts';
import type { ServerProcess } from '../server-process.ts';
import { readReporter, waitForLagZero } from './reporter-sample.ts';

/** One load at a rate, on a server whose accounts are open and funded. */
export interface PacedLoad {
  readonly server: ServerProcess;
  readonly options: BenchOptions;
  /** What the progress bar says. */
  readonly name: string;
  /** null: as fast as answers come. */
  readonly ratePerSecond: number | null;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** The number of this load on its accounts, from 0. */
  readonly run: number;
  /** How many loads they get, where it is more than usual. */
  readonly runCount?: number;
  readonly report: ReportProgress;
}

/** The lag while a load's window was open, and after the load. */
export interface Lag {
  readonly secondsMedian: number;
  readonly secondsP99: number;
  readonly secondsMax: number;
  /** From the last answer to nothing left for Postgres; null when it took too long. */
  readonly secondsUntilZero: number | null;
  /** Since the server started, so of what it caught up with too. */
  readonly commitSecondsMax: number;
  readonly rejectedRowsTotal: number;
}

/** The lag has to be gone this long after a load. */
export const LAG_ZERO_TIMEOUT_MS = 60_000;

const SAMPLE_MS = 100;

/** The load on a server without reporting; its metrics are read as often, which costs a little. */
export async function measureWithoutReporting(paced: PacedLoad): Promise<LoadResult> {
  const { load } = await runSampled(paced, () => paced.server.readMetricsPage());
  return load;
}

/** The load on a server that reports, and the lag of it. */
export async function measureWithReporting(
  paced: PacedLoad,
): Promise<{ readonly load: LoadResult; readonly lag: Lag }> {
  const { server } = paced;
  const { load, loadEndMs, samples } = await runSampled(paced, () => readReporter(server));
  const caughtUp = await waitForLagZero(server, LAG_ZERO_TIMEOUT_MS);
  const last = caughtUp ?? (await readReporter(server));
  const lagSeconds = samples.map((sample) => sample.lagSeconds).sort((one, other) => one - other);
  const quantile = (share: number): number =>
    lagSeconds[Math.max(0, Math.ceil(lagSeconds.length * share) - 1)];
  return {
    load,
    lag: {
      secondsMedian: quantile(0.5),
      secondsP99: quantile(0.99),
      secondsMax: quantile(1),
      secondsUntilZero: caughtUp === null ? null : (caughtUp.atMs - loadEndMs) / 1_000,
      commitSecondsMax: last.commitSecondsMax,
      rejectedRowsTotal: last.rejectedRowsTotal,
    },
  };
}

interface SampledLoad<Sample> {
  readonly load: LoadResult;
  readonly loadEndMs: number;
  /** Those of the window. */
  readonly samples: readonly Sample[];
}

/** Runs the load and takes a sample each 100 ms. */
async function runSampled<Sample>(
  paced: PacedLoad,
  read: () => Promise<Sample>,
): Promise<SampledLoad<Sample>> {
  const samples: Sample[] = [];
  let isOpen = false;
  let loadEndMs = 0;
  const running = generatePacedLoad(paced, (isOpenNow) => {
    isOpen = isOpenNow;
  }).finally(() => {
    loadEndMs = performance.now();
  });
  const sampling = async (): Promise<void> => {
    while (loadEndMs === 0) {
      const sample = await read();
      if (isOpen) samples.push(sample);
      await sleep(SAMPLE_MS);
    }
  };
  const [load] = await Promise.all([running, sampling()]);
  return { load, loadEndMs, samples };
}

/** As given, or as a rate asks; without a rate it is every workload's. */
export function frameTransactionsOf(options: BenchOptions, ratePerSecond: number | null): number {
  if (ratePerSecond === null) return options.frameTransactions;
  return options.givenFrameTransactions ?? frameTransactionsAt(ratePerSecond);
}

/** Runs the load alone; it tells when its window opens and closes. */
export function generatePacedLoad(
  paced: PacedLoad,
  onWindow: (isOpen: boolean) => void = () => undefined,
): Promise<LoadResult> {
  const { server, options, ratePerSecond, warmUpSeconds, seconds, run } = paced;
  const frameTransactions = frameTransactionsOf(options, ratePerSecond);
  const settings = loadSettings(server, { ...options, ratePerSecond, frameTransactions });
  const total = warmUpSeconds + seconds;
  const startMs = performance.now();
  return generateLoad(
    { ...settings, run, runCount: paced.runCount ?? settings.runCount, warmUpSeconds, seconds },
    {
      onProgress: () => {
        paced.report(paced.name, Math.min(total, (performance.now() - startMs) / 1_000), total);
      },
      onWindowOpened: () => onWindow(true),
      onWindowClosed: () => onWindow(false),
    },
  );
}

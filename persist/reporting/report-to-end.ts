// Reports a whole log at once, in the caller's process: for the command line, while no server runs
// on the data folder (the caller holds its lock).
import type pg from 'pg';
import { countBlocks } from '../block-count.ts';
import { ReporterMemory } from './report-state.ts';
import { report } from './reporter.ts';
import {
  allocateReporterCounters,
  ReporterCounters,
  readReporterCounters,
} from './reporter-counters.ts';

const PROGRESS_MS = 200;

/** What is reported, and into which Postgres. */
export interface ReportToEndOptions {
  readonly dataFolder: string;
  readonly connection: pg.ClientConfig;
  readonly journal: boolean;
  readonly snapshotIntervalMs: number;
  readonly segmentBytesMax: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ReportProgress) => void;
}

/** How far it is. */
export interface ReportProgress {
  readonly position: number;
  /** Where it will end. */
  readonly logPosition: number;
  /** Records up to the position. */
  readonly recordCount: number;
}

/** Resolves when all that the log had at the call is committed; rejects with the first refusal. */
export async function reportToEnd(options: ReportToEndOptions): Promise<void> {
  const logPosition = countBlocks(options.dataFolder, true);
  const counters = allocateReporterCounters();
  const tell = (): void => {
    const { position, recordCount } = readReporterCounters(counters);
    options.onProgress?.({ position, logPosition, recordCount });
  };
  const progress = setInterval(tell, PROGRESS_MS);
  const failure = new AbortController();
  let reason = '';
  try {
    await report({
      ...options,
      journalDays: 0,
      readOnly: true,
      durablePosition: () => logPosition,
      durableTimeMs: () => Date.now(),
      untilPosition: logPosition,
      memory: new ReporterMemory(),
      counters: new ReporterCounters(counters),
      // There is nobody to wait for Postgres here: the first interruption is the end.
      log: (level, _text, fields) => {
        if (level === 'info') return;
        reason = String(fields.reason ?? '');
        failure.abort();
      },
      signal:
        options.signal === undefined
          ? failure.signal
          : AbortSignal.any([options.signal, failure.signal]),
    });
    if (reason !== '') throw new Error(`Cannot report the log because Postgres failed: ${reason}`);
    tell();
  } finally {
    clearInterval(progress);
  }
}

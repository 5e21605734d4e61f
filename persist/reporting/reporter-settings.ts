// What a reporter is started with, in the server's thread for it or on the command line.
import type pg from 'pg';
import type { ReporterMemory } from './report-state.ts';
import type { ReporterCounters } from './reporter-counters.ts';

/** What a reporter needs. */
export interface ReporterSettings {
  readonly dataFolder: string;
  readonly connection: pg.ClientConfig;
  /** Whether `transactions` and open rounds are kept. */
  readonly journal: boolean;
  /** Days after which the journal's partitions are detached; 0 for never. */
  readonly journalDays: number;
  /** The shortest time between two snapshots. */
  readonly snapshotIntervalMs: number;
  /** The log writer's: inside one process all open a segment alike. */
  readonly segmentBytesMax: number;
  /** True in processes other than the server's. */
  readonly readOnly?: boolean;
  /** The last durable block and its time, as they are now. */
  readonly durablePosition: () => number;
  readonly durableTimeMs: () => number;
  /** Ends when this position is committed. */
  readonly untilPosition?: number;
  /** Of this data folder alone. */
  readonly memory: ReporterMemory;
  readonly counters: ReporterCounters;
  readonly log: ReporterLog;
  /** Ends the reporter after its last snapshot. */
  readonly signal: AbortSignal;
}

/** Tells what happens, for the process's log. */
export type ReporterLog = (
  level: 'info' | 'warn' | 'error',
  text: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

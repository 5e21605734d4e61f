// What the reporter keeps in memory between snapshots. All of it stands in Postgres too, from where
// it is loaded whenever the reporter connects (state-loader.ts): after any failure the memory is
// thrown away, so it can never be ahead of what was committed. Belongs to the reporter's thread.
import type { LogEnd } from '../log-chain.ts';
import { AccountBook } from './account-book.ts';
import { OpenRoundFilter } from './open-round-filter.ts';
import { ReportDirectory } from './report-directory.ts';
import { SystemBook } from './system-book.ts';

/** How far Postgres is. */
export interface ReportPosition {
  /** Where to go on in the log. */
  readonly end: LogEnd;
  /** Records and bytes of content up to there. */
  readonly recordCount: number;
  readonly contentBytes: number;
  /** The newest snapshot; 0 for none. */
  readonly snapshotId: number;
  /** The journal has every record after this position; null while it is off. */
  readonly journalFrom: number | null;
}

/** The reporter's memory. */
export interface ReportState {
  readonly directory: ReportDirectory;
  readonly accounts: AccountBook;
  readonly system: SystemBook;
  readonly openRounds: OpenRoundFilter;
}

/** A memory that knows nothing. */
export function emptyState(): ReportState {
  return {
    directory: new ReportDirectory(),
    accounts: new AccountBook(),
    system: new SystemBook(),
    openRounds: new OpenRoundFilter(),
  };
}

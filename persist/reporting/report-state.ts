// What the reporter keeps in memory between snapshots. All of it stands in Postgres too, from where
// it is loaded whenever the reporter connects (state-loader.ts). After a failure the memory may be
// ahead of what was committed: all of it is thrown away but the accounts, which say which position
// changed them and so can be taken back. Belongs to the reporter's thread.
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

/** What outlives a connection: balances at a position of the log are the same, whoever asks. */
export interface KeptAccounts {
  readonly accounts: AccountBook;
  /** The last block that is in them. */
  readonly position: number;
}

/** Holds them between two connections; empty while one is used, or when there was none. */
export class ReporterMemory {
  #kept: KeptAccounts | null = null;

  keep(kept: KeptAccounts): void {
    this.#kept = kept;
  }

  /** Hands them over if they reached a position; what has not is of no use. */
  take(position: number): AccountBook | null {
    const kept = this.#kept;
    this.#kept = null;
    return kept !== null && kept.position >= position ? kept.accounts : null;
  }
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

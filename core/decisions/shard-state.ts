// The whole state of one shard: tables, directory and clock. Functions of
// this folder take it as their first argument; judging reads it, only effects.ts and applying
// change it. Owned by the shard's thread; all of it can be rebuilt from the log (design law 2).
import { DAY_MS } from '../limits.ts';
import { Directory } from '../policies/directory.ts';
import { Decision } from '../records/decision.ts';
import { KeyColumns } from '../records/key-columns.ts';
import { AccountTable } from '../tables/account-table.ts';
import { HoldTable } from '../tables/hold-table.ts';
import { OpenRounds } from '../tables/open-rounds.ts';
import { ROUNDS_MAX } from '../tables/round-rows.ts';
import { SystemAccounts } from '../tables/system-accounts.ts';
import type { TableMemory } from '../tables/table-memory.ts';
import { TransactionIndex } from '../tables/transaction-index.ts';
import { UndoLog } from '../tables/undo-log.ts';
import { TransactionKeys } from './transaction-keys.ts';

/** How large a shard's tables may become; what would pass a bound is `overloaded` (law 8). */
export interface ShardBounds {
  readonly accountsMax: number;
  readonly indexEntriesMax: number;
  /** Open and closed, at most ROUNDS_MAX. */
  readonly roundsMax: number;
  readonly openRoundsMax: number;
  readonly holdsMax: number;
}

/**
 * Bounds for a machine of 24 GiB; references in the index's slots have 29 bits for a row, and
 * accounts lie in 4 GiB.
 */
export const DEFAULT_BOUNDS: ShardBounds = {
  accountsMax: 80_000_000,
  indexEntriesMax: 100_000_000,
  roundsMax: ROUNDS_MAX,
  openRoundsMax: 20_000_000,
  holdsMax: 5_000_000,
};

/** What holds before the first setRetention record (rule 7). */
const RETENTION_DEFAULT_MS = 120 * DAY_MS;

/** See the head of this file. */
export class ShardState {
  readonly bounds: ShardBounds;
  readonly keys: TransactionKeys;
  readonly directory: Directory = new Directory();
  readonly accounts: AccountTable;
  readonly index: TransactionIndex;
  readonly openRounds: OpenRounds;
  readonly holds: HoldTable;
  readonly system: SystemAccounts = new SystemAccounts();
  readonly undo: UndoLog = new UndoLog();
  /** Of records that time makes; those of transactions are in SliceColumns and in Replay. */
  readonly decision: Decision = new Decision(new KeyColumns(1));
  /** Room for one round key that is looked up at once. */
  readonly roundKey: Int32Array = new Int32Array(4);
  retentionMs: number = RETENTION_DEFAULT_MS;
  /** Of the last record; 0 before the first. */
  sequence = 0;
  lastTimeMs = 0;
  /** No round is due before this time; a new operator setting or an empty list sets it back. */
  roundsDueAtMs = 0;

  constructor(hashSeed: Uint8Array, bounds: ShardBounds, memory: TableMemory) {
    this.bounds = bounds;
    this.accounts = new AccountTable(memory);
    this.index = new TransactionIndex(memory);
    this.holds = new HoldTable(memory);
    this.keys = new TransactionKeys(hashSeed);
    this.openRounds = new OpenRounds(this.index.rounds, memory);
  }
}

// One shard: the only writer of its accounts. Plain functions of state, time and input: no clock,
// no randomness, no input or output (design law 3). All calls come from the lane's thread.
import { assert } from './assert.ts';
import type { BlockContent } from './block-content.ts';
import { decideAtomicBatch } from './decisions/atomic-batch.ts';
import { decideTransaction, type Slice, writeDecided } from './decisions/decide-transaction.ts';
import { judgeForm } from './decisions/form.ts';
import { type LoadSink, loadKeys } from './decisions/load-ahead.ts';
import type { ReplayBatch } from './decisions/replay-batch.ts';
import { BlockReplay } from './decisions/replay-block.ts';
import { type BatchRows, Replay } from './decisions/replay-records.ts';
import { DEFAULT_BOUNDS, type ShardBounds, ShardState } from './decisions/shard-state.ts';
import { SliceColumns } from './decisions/slice-columns.ts';
import { writeDueRecords, writeRetention } from './decisions/time-driven.ts';
import { findUnbalanced } from './decisions/zero-sums.ts';
import { Kind } from './kinds.ts';
import {
  ATOMIC_TRANSACTIONS_MAX,
  DEFINITION_BYTES_MAX,
  PASS_TRANSACTIONS_MAX,
  RECORD_BYTES_MAX,
} from './limits.ts';
import type { OutcomeColumns } from './outcome-columns.ts';
import type { Directory } from './policies/directory.ts';
import { RecordBatch } from './records/record-batch.ts';
import { ResultCode } from './result-codes.ts';
import type { AccountTable } from './tables/account-table.ts';
import { PLAIN_MEMORY, type TableMemory } from './tables/table-memory.ts';
import type { FrameSource, TransactionColumns } from './transaction-columns.ts';

/** Records that one transaction may need: its own, and its round's and its bet's round's ageing. */
const RECORDS_PER_TRANSACTION_MAX = 3;

/**
 * Of the index: a bet with a round of its own takes some 110 bytes and two entries, a win one. Too
 * few entries expected cost growing; too many, where records are long, cost memory for slots.
 */
const LOG_BYTES_PER_ENTRY = 64;

/** What a shard is made of. */
export interface ShardSettings {
  readonly shard: number;
  /** 16 secret bytes; another value on the same log gives the same outcomes. */
  readonly hashSeed: Uint8Array;
  readonly bounds?: Partial<ShardBounds>;
  /** Where the large tables take their memory from; default: plain memory. */
  readonly memory?: TableMemory;
}

/** Fill and memory of one table, for metrics. */
export interface TableMeasure {
  readonly table: string;
  readonly rowCount: number;
  readonly byteCount: number;
}

/** See the head of this file. */
export class Shard {
  readonly shard: number;
  readonly #state: ShardState;
  readonly #work = new SliceColumns();
  readonly #records: RecordBatch;
  readonly #hashSeed: Uint8Array;
  readonly #replay: Replay;
  /** Made when it is first needed: most logs are replayed in batches. */
  #blockReplay: BlockReplay | null = null;
  readonly #accountHash = new Int32Array(2);
  readonly #sink: LoadSink = { loaded: 0 };

  constructor(settings: ShardSettings) {
    this.shard = settings.shard;
    const { bounds, hashSeed, memory = PLAIN_MEMORY } = settings;
    this.#state = new ShardState(hashSeed, { ...DEFAULT_BOUNDS, ...bounds }, memory);
    this.#hashSeed = hashSeed;
    this.#replay = new Replay(this.#state);
    this.#records = new RecordBatch(this.#state.keys);
  }

  /** Operators, providers and clients, as the log has them. */
  get directory(): Directory {
    return this.#state.directory;
  }

  get accounts(): AccountTable {
    return this.#state.accounts;
  }

  /** Number of the last record; 0 before the first. */
  get sequence(): number {
    return this.#state.sequence;
  }

  /** Time of the last record in ms. */
  get lastTimeMs(): number {
    return this.#state.lastTimeMs;
  }

  /** Retention of keys in ms, as the log has it. */
  get retentionMs(): number {
    return this.#state.retentionMs;
  }

  /**
   * Decides the rows from `from` to the last, appends their records to the block and fills their
   * outcomes. Returns the first row that was not decided: the count, or less where the block has no
   * room (hand it over and call again) or behind a change of the directory (call again).
   */
  decide(
    columns: TransactionColumns,
    from: number,
    nowMs: number,
    block: BlockContent,
    outcomes: OutcomeColumns,
  ): number {
    const slice = this.#sliceOf(columns, nowMs, block, outcomes);
    for (let row = from; row < columns.count; ) {
      const until = Math.min(columns.count, row + passLength(block));
      if (until === row) return row;
      this.#prepare(slice, row, until);
      slice.writtenTo = row;
      for (; row < until; row += 1) {
        const isAdministrative = columns.kind[row] >= Kind.setOperator;
        if (isAdministrative) {
          writeDecided(slice, row);
          if (!hasRoomForDefinition(columns, row, block)) return row;
        }
        decideTransaction(this.#state, slice, row);
        if (isAdministrative) {
          writeDecided(slice, row + 1);
          return row + 1;
        }
      }
      writeDecided(slice, until);
    }
    return columns.count;
  }

  /** Decides all rows as one atomic batch (rule 30); the caller saw to room for all records. */
  decideAtomic(
    columns: TransactionColumns,
    nowMs: number,
    block: BlockContent,
    outcomes: OutcomeColumns,
  ): void {
    assert(columns.count <= ATOMIC_TRANSACTIONS_MAX, 'an atomic batch is within its bound');
    assert(block.hasRoomFor(columns.count), 'a block has room for an atomic batch');
    const slice = this.#sliceOf(columns, nowMs, block, outcomes);
    slice.writtenTo = columns.count;
    for (let row = 0; row < columns.count; row += PASS_TRANSACTIONS_MAX) {
      this.#prepare(slice, row, Math.min(columns.count, row + PASS_TRANSACTIONS_MAX));
    }
    decideAtomicBatch(this.#state, slice);
  }

  /** Writes at most recordCountMax records that time makes; returns how many (rules 29, 31). */
  advance(nowMs: number, recordCountMax: number, block: BlockContent): number {
    return writeDueRecords(this.#state, this.#timeAt(nowMs), recordCountMax, block);
  }

  /** Logs the retention of keys if it is another than the known one (rule 7). */
  setRetention(retentionMs: number, nowMs: number, block: BlockContent): void {
    const isNew = this.#state.sequence === 0 || this.#state.retentionMs !== retentionMs;
    if (isNew) writeRetention(this.#state, retentionMs, nowMs, block);
  }

  /** What whoever decodes batches for this shard needs; secret. */
  get hashSeed(): Uint8Array {
    return this.#hashSeed;
  }

  /** Replays one verified block; throws ReplayError where it doesn't fit. */
  applyBlock(content: Uint8Array, recordCount: number, firstSequence: number): void {
    this.#blockReplay ??= new BlockReplay(this.#state, this.#replay, this.#hashSeed);
    this.#blockReplay.apply({ content, recordCount, firstSequence });
  }

  /** A log of so many bytes is going to be replayed: the index takes memory for what is in it. */
  beginReplay(logBytes: number): void {
    const { bounds, index } = this.#state;
    const entryCount = Math.floor(logBytes / LOG_BYTES_PER_ENTRY);
    index.expect(Math.min(bounds.indexEntriesMax, entryCount));
  }

  /** Replays rows that a ReplayDecoder with this shard's seed has decoded; throws ReplayError. */
  applyRows(batch: ReplayBatch, rows: BatchRows): void {
    this.#replay.applyRows(batch, rows);
  }

  /**
   * The row of an account by names in a source, or −1; −2 for a currency that is not the
   * operator's.
   */
  findAccount(
    operator: number,
    source: FrameSource,
    playerAt: number,
    playerBytes: number,
    currencyAt: number,
    currencyBytes: number,
  ): number {
    const { directory, keys, accounts } = this.#state;
    const currency = directory.currencyNumber(operator, source, currencyAt, currencyBytes);
    if (currency < 0) return -2;
    const player = { source, at: playerAt, byteCount: playerBytes };
    const owner = operator * 256 + currency;
    keys.hashAccount(owner, player, this.#accountHash, 0);
    return accounts.find(this.#accountHash, 0, owner, source, playerAt, playerBytes);
  }

  /** '' when the sum over all accounts is zero in each currency, else where it is not (rule 35). */
  checkTotals(): string {
    return findUnbalanced(this.#state);
  }

  /** Balance of a system account (SystemAccount) of an operator's currency, by numbers. */
  systemTotal(operator: number, currency: number, systemAccount: number): bigint {
    return this.#state.system.total(operator * 256 + currency, systemAccount);
  }

  /** Rows and memory of each table. */
  measureTables(): TableMeasure[] {
    const { accounts, index, openRounds, holds, system } = this.#state;
    const { outcomes, rounds } = index;
    return [
      measure('accounts', accounts.rowCount, accounts.byteCount),
      measure('index_slots', index.entryCount, index.slotBytes),
      measure('index_outcomes', outcomes.rows.rowCount, outcomes.byteCount),
      measure('index_openings_and_marks', 0, index.shortRowBytes),
      measure('rounds', rounds.rows.rowCount, rounds.rows.byteCount),
      measure('open_rounds', openRounds.rowCount, 0),
      measure('holds', holds.rowCount, holds.byteCount),
      measure('system_accounts', 0, system.byteCount),
    ];
  }

  /** The passes before deciding rows `from` to `until` − 1: forms, hashes, lookups. */
  #prepare(slice: Slice, from: number, until: number): void {
    const { columns, timeMs, work } = slice;
    assert(columns.count <= ATOMIC_TRANSACTIONS_MAX, 'a slice fits the working columns');
    const state = this.#state;
    const rules = { directory: state.directory, retentionMs: state.retentionMs, timeMs };
    state.keys.begin(from);
    for (let row = from; row < until; row += 1) {
      work.isUnwritten[row] = 0;
      judgeForm(columns, row, rules, work);
      if (work.code[row] === ResultCode.ok) state.keys.add(columns, row, work.owner[row]);
      else state.keys.skip(row);
    }
    state.keys.finish(until);
    this.#sink.loaded ^= state.accounts.load(work.keys.account, from, until, work.accountRow);
    loadKeys(state, work.keys, from, until, this.#sink);
    this.#findRows(columns, from, until);
  }

  #findRows(columns: TransactionColumns, from: number, until: number): void {
    const work = this.#work;
    const { accounts } = this.#state;
    const { keys, owner, code, accountRow } = work;
    const { player, sourceIndex, sources } = columns;
    for (let row = from; row < until; row += 1) {
      const probable = accountRow[row];
      accountRow[row] = -1;
      if (code[row] !== ResultCode.ok || owner[row] < 256) continue;
      const source = sources[sourceIndex[row]];
      const byteCount = player.byteCount[row];
      const at = player.at[row];
      accountRow[row] =
        probable >= 0 && accounts.isAt(probable, owner[row], source, at, byteCount)
          ? probable
          : accounts.find(keys.account, row * 2, owner[row], source, at, byteCount);
    }
  }

  #sliceOf(
    columns: TransactionColumns,
    nowMs: number,
    block: BlockContent,
    outcomes: OutcomeColumns,
  ): Slice {
    const timeMs = this.#timeAt(nowMs);
    const records = this.#records;
    return { columns, work: this.#work, records, outcomes, timeMs, block, writtenTo: 0 };
  }

  #timeAt(nowMs: number): number {
    return Math.max(nowMs, this.#state.lastTimeMs);
  }
}

function measure(table: string, rowCount: number, byteCount: number): TableMeasure {
  return { table, rowCount, byteCount };
}

/** How many transactions the block surely has room for, at most those of a pass. */
function passLength(block: BlockContent): number {
  const freeBytes = block.bytes.byteLength - block.usedBytes;
  const records = Math.floor(freeBytes / (RECORDS_PER_TRANSACTION_MAX * RECORD_BYTES_MAX));
  return Math.min(PASS_TRANSACTIONS_MAX, records);
}

function hasRoomForDefinition(
  columns: TransactionColumns,
  row: number,
  block: BlockContent,
): boolean {
  if (columns.definition.byteCount[row] === 0) return true;
  const neededBytes = DEFINITION_BYTES_MAX + RECORD_BYTES_MAX;
  return block.usedBytes + neededBytes <= block.bytes.byteLength;
}

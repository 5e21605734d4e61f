// One slice of a lane's work: takes transactions of the connections in turn into the columns, has
// the shard decide them side by side, and writes the outcomes to their connections' answers.
// Everything but independent transactions (reads, pings, atomic batches) stands alone, after what
// its connection sent before. Lane's thread only. If no block can be opened the rows stay,
// undecided, for the next turn; a crash loses them unanswered.
import { assert } from '../../core/assert.ts';
import { ATOMIC_TRANSACTIONS_MAX, PASS_TRANSACTIONS_MAX } from '../../core/limits.ts';
import { OutcomeColumns } from '../../core/outcome-columns.ts';
import { ResultCode } from '../../core/result-codes.ts';
import type { Shard } from '../../core/shard.ts';
import type { TransactionColumns } from '../../core/transaction-columns.ts';
import type { LaneBlocks } from '../../persist/commit-port.ts';
import type { LaneCounters } from '../metrics/lane-counters.ts';
import { writeCodes, writeOutcomes } from '../wire/answer-writer.ts';
import { FrameDecoder } from '../wire/frame-decoder.ts';
import { RequestType } from '../wire/request-head.ts';
import { emptyColumns } from '../wire/transaction-reader.ts';
import type { TransactionRun } from '../wire/transaction-run.ts';
import type { Connection, ReadyRing } from './connection.ts';
import { PASS_MS_TARGET, PASS_TRANSACTIONS_MIN, SLICE_BYTES_MAX } from './lane-limits.ts';
import { CloseCode } from './outbox.ts';
import { RequestAnswers, type RequestAnswersOptions } from './request-answers.ts';
import { NO_REQUEST, type RequestTable } from './request-table.ts';

/** What a slice works with. */
export interface SliceOptions extends RequestAnswersOptions {
  readonly blocks: LaneBlocks;
  readonly ready: ReadyRing;
}

// How a request goes on after its rows in this slice.
const GOES_ON = 0;
const FINISHED = 1;
const BREAKS_OFF = 2;

/** The worker of slices; made once, its columns are used again. */
export class Slice {
  readonly #shard: Shard;
  readonly #blocks: LaneBlocks;
  readonly #requests: RequestTable;
  readonly #ready: ReadyRing;
  readonly #answers: RequestAnswers;
  readonly #counters: LaneCounters;
  readonly #decoder = new FrameDecoder();
  readonly #columns: TransactionColumns = this.#decoder.columns;
  readonly #outcomes: OutcomeColumns = new OutcomeColumns();
  readonly #run: TransactionRun;
  #decidedCount = 0;
  #nowMs = 0;
  #bytesLeft = 0;
  #passTransactionsMax = PASS_TRANSACTIONS_MIN;
  // Runs: the rows of one request in this slice.
  #runCount = 0;
  readonly #runConnections: (Connection | null)[] = new Array(ATOMIC_TRANSACTIONS_MAX).fill(null);
  readonly #runRequest: Int32Array = new Int32Array(ATOMIC_TRANSACTIONS_MAX);
  readonly #runUntil: Uint16Array = new Uint16Array(ATOMIC_TRANSACTIONS_MAX);
  readonly #runState: Uint8Array = new Uint8Array(ATOMIC_TRANSACTIONS_MAX);

  constructor(options: SliceOptions) {
    this.#shard = options.shard;
    this.#blocks = options.blocks;
    this.#requests = options.requests;
    this.#ready = options.ready;
    this.#answers = new RequestAnswers(options);
    this.#counters = options.counters;
    const source = { bytes: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)) };
    const sender = {
      kindsAllowed: 0,
      operatorNumber: 0,
      providerNumber: 0,
      findOperator: (): number => -1,
      findProvider: (): number => -1,
    };
    this.#run = {
      source,
      sourceIndex: 0,
      sender,
      at: 0,
      end: 0,
      remaining: 0,
      isInterrupted: false,
    };
  }

  /** Whether rows wait for a block. */
  get isPending(): boolean {
    return this.#columns.count > 0;
  }

  /**
   * Works on up to `countMax` transactions or reads, in passes of up to PASS_TRANSACTIONS_MAX, and
   * returns how many it took. Ends early when nothing waits, no block is free, or `untilMs` (of
   * performance.now) has passed.
   */
  work(nowMs: number, countMax: number, untilMs: number): number {
    this.#nowMs = nowMs;
    this.#bytesLeft = SLICE_BYTES_MAX;
    let taken = this.#columns.count - this.#decidedCount;
    if (!this.#decide()) return taken;
    let startedMs = performance.now();
    while (taken < countMax && this.#bytesLeft > 0 && this.#ready.first !== null) {
      const takenBefore = taken;
      taken = this.#takePass(taken, Math.min(countMax, taken + this.#passTransactionsMax));
      if (!this.#decide() || taken === takenBefore) break;
      const endedMs = performance.now();
      this.#fitPasses(endedMs - startedMs);
      startedMs = endedMs;
      if (endedMs >= untilMs) break;
    }
    const first = this.#ready.first;
    if (first !== null) {
      // The next slice begins with another connection.
      this.#ready.shift();
      this.#ready.add(first);
    }
    return taken;
  }

  // Code that was not compiled yet, or has to be anew, needs 80 µs and more a transaction.
  #fitPasses(passMs: number): void {
    const max = this.#passTransactionsMax;
    this.#passTransactionsMax =
      passMs > PASS_MS_TARGET
        ? Math.max(PASS_TRANSACTIONS_MIN, max >>> 1)
        : Math.min(PASS_TRANSACTIONS_MAX, max * 2);
  }

  // Takes requests until `takenMax` rows or answers are reached; returns how many there are now.
  #takePass(takenBefore: number, takenMax: number): number {
    let taken = takenBefore;
    while (taken < takenMax && this.#bytesLeft > 0) {
      const connection = this.#ready.first;
      if (connection === null) break;
      const row = connection.firstRequest;
      if (connection.closed) this.#answers.dropQueue(connection);
      else if (row !== NO_REQUEST) {
        const count = this.#take(connection, row, takenMax - taken);
        if (count < 0) return taken;
        taken += count;
      }
      if (connection.firstRequest === NO_REQUEST) this.#ready.shift();
    }
    return taken;
  }

  // Takes (part of) a request; −1 when it must wait for a block.
  #take(connection: Connection, row: number, countMax: number): number {
    const type = this.#requests.type[row];
    // A request that was begun is answered to its end, whatever became of its client meanwhile.
    const isValid = this.#requests.begun[row] !== 0 || connection.session.refresh();
    if (type === RequestType.transactions && isValid) {
      return this.#takeTransactions(connection, row, countMax);
    }
    const isAtomic = type === RequestType.atomicBatch;
    if ((isAtomic || connection.undecidedRowCount > 0) && !this.#decide()) return -1;
    if (!isValid) {
      connection.endCode = CloseCode.unauthorised;
      return this.#answers.refuse(connection, ResultCode.forbidden, 'unauthorised');
    }
    switch (type) {
      case RequestType.atomicBatch:
        return this.#answerAtomic(connection, row);
      case RequestType.balances:
        return this.#answers.answerBalances(connection, row);
      case RequestType.ping:
        return this.#answers.answerPing(connection, row);
      default:
        return this.#answers.refuseMarked(connection, row);
    }
  }

  #takeTransactions(connection: Connection, row: number, countMax: number): number {
    const requests = this.#requests;
    const run = this.#run;
    const countBefore = this.#columns.count;
    const room = ATOMIC_TRANSACTIONS_MAX - countBefore;
    this.#startRun(connection, row);
    const atBefore = run.at;
    const isWhole = this.#decoder.decode(run, Math.min(countMax, room), this.#bytesLeft);
    this.#bytesLeft -= run.at - atBefore;
    requests.at[row] = run.at;
    requests.remaining[row] = run.remaining;
    const isDone = run.remaining === 0;
    const breaks = !isWhole || (isDone && run.at !== run.end);
    const count = this.#columns.count - countBefore;
    this.#addRun(connection, row, breaks ? BREAKS_OFF : isDone ? FINISHED : GOES_ON);
    connection.undecidedRowCount += count;
    if (breaks || isDone) requests.shift(connection);
    // What comes behind a change of operators or clients is decoded when that is decided.
    if (run.isInterrupted && !this.#decide()) this.#bytesLeft = 0;
    // A request that breaks at its first transaction counts too: its run takes a place in the pass.
    return Math.max(count, 1);
  }

  #startRun(connection: Connection, row: number): void {
    const run = this.#run;
    const { sources } = this.#columns;
    const chunk = this.#answers.chunkOf(row);
    if (sources.length === 0 || sources[sources.length - 1] !== chunk) sources.push(chunk);
    run.source = chunk;
    run.sourceIndex = sources.length - 1;
    run.sender = connection.session;
    run.at = this.#requests.at[row];
    run.end = this.#requests.end[row];
    run.remaining = this.#requests.remaining[row];
  }

  #addRun(connection: Connection, row: number, state: number): void {
    const place = this.#runCount;
    assert(place < this.#runRequest.length, 'a slice has a run for each row at most');
    this.#runConnections[place] = connection;
    this.#runRequest[place] = row;
    this.#runUntil[place] = this.#columns.count;
    this.#runState[place] = state;
    this.#runCount += 1;
  }

  // Decides the rows taken so far and writes their answers; false when no block is free.
  #decide(): boolean {
    const columns = this.#columns;
    while (this.#decidedCount < columns.count) {
      const block = this.#blocks.open();
      if (block === null) return false;
      const from = this.#decidedCount;
      this.#decidedCount = this.#shard.decide(columns, from, this.#nowMs, block, this.#outcomes);
      if (this.#decidedCount > from) continue;
      assert(block.recordCount > 0, 'an empty block takes any record');
      this.#blocks.handOver();
    }
    if (this.#runCount > 0) this.#answerRuns();
    return true;
  }

  #answerRuns(): void {
    let from = 0;
    for (let place = 0; place < this.#runCount; place += 1) {
      const connection = this.#runConnections[place];
      assert(connection !== null, 'a run has a connection');
      const until = this.#runUntil[place];
      const row = this.#runRequest[place];
      this.#answers.begin(connection, row);
      writeOutcomes(connection.buffer, this.#outcomes, this.#columns.kind, from, until);
      connection.undecidedRowCount -= until - from;
      if (this.#runState[place] === BREAKS_OFF) this.#answers.breakOff(connection, row);
      if (this.#runState[place] !== GOES_ON) this.#answers.finish(connection, row);
      this.#runConnections[place] = null;
      from = until;
    }
    this.#countRows();
    this.#emptyRows();
  }

  #countRows(): void {
    for (let row = 0; row < this.#columns.count; row += 1) {
      this.#counters.countTransaction(this.#columns.kind[row], this.#outcomes.code[row]);
    }
  }

  #emptyRows(): void {
    emptyColumns(this.#columns);
    this.#decidedCount = 0;
    this.#runCount = 0;
  }

  #answerAtomic(connection: Connection, row: number): number {
    const columns = this.#columns;
    const requests = this.#requests;
    const count = requests.count[row];
    let block = this.#blocks.open();
    if (block !== null && !block.hasRoomFor(count + 1)) {
      this.#blocks.handOver();
      block = this.#blocks.open();
    }
    if (block === null) return -1;
    requests.shift(connection);
    this.#startRun(connection, row);
    const run = this.#run;
    let isWhole = this.#decoder.decode(run, count, Number.POSITIVE_INFINITY);
    // Interrupted behind an administrative kind, which the core refuses in an atomic batch.
    while (isWhole && run.remaining > 0) {
      isWhole = this.#decoder.decode(run, run.remaining, Number.POSITIVE_INFINITY);
    }
    this.#bytesLeft -= run.at - requests.at[row];
    this.#answers.begin(connection, row);
    requests.remaining[row] = run.remaining;
    if (isWhole && run.at === run.end) {
      this.#shard.decideAtomic(columns, this.#nowMs, block, this.#outcomes);
      writeOutcomes(connection.buffer, this.#outcomes, columns.kind, 0, count);
      this.#countRows();
    } else {
      writeCodes(connection.buffer, ResultCode.batchNotExecuted, count - run.remaining);
      this.#answers.breakOff(connection, row);
    }
    this.#answers.finish(connection, row);
    this.#emptyRows();
    return count;
  }
}

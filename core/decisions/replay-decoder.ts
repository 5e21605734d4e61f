// The first half of a replay: reads the records of blocks into batches and makes their hashes. It
// needs nothing of the state but the players' hash states, which it keeps for itself as it sees
// accounts being opened; so it may run in a thread of its own, ahead of the state. For one thread,
// from the first block of a log on, or behind learnAccounts.
import { assert, InvariantError } from '../assert.ts';
import { JobField } from '../kernel/job-layout.ts';
import { jobAt, kernelDoubles, kernelKeys, kernelWords, PLAY_STATE_AT } from '../kernel/kernel.ts';
import { PlayState } from '../kernel/play-code.ts';
import { RecordJobs } from '../kernel/record-jobs.ts';
import { type TakeStates, takeStatesOver } from '../kernel/table-functions.ts';
import { Kind } from '../kinds.ts';
import { PASS_TRANSACTIONS_MAX } from '../limits.ts';
import { RecordReader, sourceOfContent } from '../records/record-reader.ts';
import type { AccountTable } from '../tables/account-table.ts';
import { OUTCOME_WORDS, OutcomeTrait } from '../tables/outcome-rows.ts';
import { PlayerStates } from '../tables/player-states.ts';
import type { FrameSource } from '../transaction-columns.ts';
import { BatchSource, REPLAY_BATCH_ROWS, type ReplayBatch, Usual } from './replay-batch.ts';
import { type ReplayError, refuseRecord } from './replay-error.ts';
import { type PlayerText, TransactionKeys } from './transaction-keys.ts';

/** A block whose checksum was verified. */
export interface BlockRecords {
  /** Valid until the block was decoded. */
  readonly content: Uint8Array;
  readonly recordCount: number;
  readonly firstSequence: number;
}

/** See the head of this file. */
export class ReplayDecoder {
  readonly #reader = new RecordReader();
  readonly #recordJobs = new RecordJobs();
  readonly #keys: TransactionKeys;
  readonly #players = new PlayerStates();
  readonly #takeStates: TakeStates;
  readonly #player: PlayerText = { source: NO_SOURCE, at: 0, byteCount: 0 };
  #block: FrameSource = NO_SOURCE;
  #recordCount = 0;
  #firstSequence = 0;
  #decodedCount = 0;
  #isFinished = true;
  /** Accounts whose hash states are there: those behind were opened in this pass. */
  #hashedCount = 0;
  #failure: ReplayError | null = null;
  /** 1 << Usual of each form that occurs in the pass. */
  #forms = 0;

  constructor(hashSeed: Uint8Array) {
    this.#keys = new TransactionKeys(hashSeed);
    this.#takeStates = takeStatesOver(this.#players.memory.memory);
  }

  /** What is wrong with the record behind the last one decoded, or null. */
  get failure(): ReplayError | null {
    return this.#failure;
  }

  /** Whether the block has nothing more to give: all was decoded, or something doesn't fit. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Sequence of the record that is decoded next. */
  get nextSequence(): number {
    return this.#firstSequence + this.#decodedCount;
  }

  /** Takes over accounts that a state has and that no block told of. */
  learnAccounts(accounts: AccountTable): void {
    const player = this.#player;
    for (let row = this.#players.rowCount; row < accounts.rowCount; row += 1) {
      player.source = accounts.playerSource(row);
      player.at = accounts.playerAt(row);
      player.byteCount = accounts.playerBytes(row);
      this.#addPlayer(accounts.operator(row) * 256 + accounts.currency(row));
    }
  }

  /** Starts a block; the one before was finished. */
  begin(block: BlockRecords): void {
    assert(this.#isFinished && this.#failure === null, 'a block is decoded behind the one before');
    this.#block = sourceOfContent(block.content);
    this.#recordCount = block.recordCount;
    this.#firstSequence = block.firstSequence;
    this.#decodedCount = 0;
    this.#isFinished = false;
    this.#failure = null;
    this.#reader.begin(block.content);
    this.#recordJobs.begin(block.content);
  }

  /**
   * Fills rows of the batch from `from` on, until the batch is full or the block is finished;
   * returns the row behind the last one.
   */
  decode(batch: ReplayBatch, from: number): number {
    batch.columns.sources[BatchSource.block] = this.#block;
    let row = from;
    while (!this.#isFinished && batch.hasRoomFor(row)) {
      const remaining = this.#recordCount - this.#decodedCount;
      const until = Math.min(row + Math.min(PASS_TRANSACTIONS_MAX, remaining), REPLAY_BATCH_ROWS);
      const sequence = this.nextSequence;
      this.#keys.begin(row);
      const end = this.#read(batch, row, until);
      this.#hashRows(batch, row, end);
      this.#copyHashes(batch, row, end, sequence);
      row = end;
    }
    return row;
  }

  /** Reads rows up to `until`, or to the first that doesn't fit, or while there is room. */
  #read(batch: ReplayBatch, from: number, until: number): number {
    const { columns, records } = batch;
    const reader = this.#reader;
    const players = this.#players;
    this.#hashedCount = players.rowCount;
    this.#forms = 0;
    let row = from;
    try {
      while (row < until) {
        row = this.#readUsual(batch, row, until);
        if (row === until) break;
        const { at, lastTimeMs } = reader;
        reader.read(columns, records, row);
        batch.usual[row] = Usual.no;
        this.#forms |= 1 << Usual.no;
        const accountRow = records.accountRow[row];
        const isMade = (records.traits[row] & OutcomeTrait.made) !== 0;
        if (accountRow >= this.#hashedCount && accountRow < players.rowCount && !isMade) {
          // Opened in this pass: its hash state comes with the pass's hashes.
          reader.goOn(at, lastTimeMs);
          break;
        }
        const isKnown = accountRow >= 0 && accountRow < players.rowCount;
        if (!isKnown || isMade || columns.kind[row] >= Kind.setOperator) {
          this.#checkAccount(batch, row);
        }
        row += 1;
        if (!batch.hasRoomForTexts) break;
      }
      this.#isFinished = this.#decodedCount + row - from === this.#recordCount;
      assert(!this.#isFinished || reader.isAtEnd, 'a block holds its records and nothing else');
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error;
      this.#isFinished = true;
      this.#failure = refuseRecord(this.nextSequence + row - from, error);
    }
    this.#decodedCount += row - from;
    return row;
  }

  /** Looks at a row that is not of a known account; its texts outlive decoding. */
  #checkAccount(batch: ReplayBatch, row: number): void {
    const { columns, records } = batch;
    const kind = columns.kind[row];
    const accountRow = records.accountRow[row];
    const accountCount = this.#players.rowCount;
    const isMade = (records.traits[row] & OutcomeTrait.made) !== 0;
    if (kind >= Kind.setOperator) {
      assert(accountRow < accountCount && !isMade, 'the account of a record is there');
      assert(kind >= Kind.roundAged || accountRow < 0, 'a definition is of no account');
      if (kind < Kind.roundAged) batch.reserveTexts(row);
      return;
    }
    assert(accountRow >= 0, 'a transaction has an account');
    assert(isMade, 'the account of a record is there');
    assert(accountRow === accountCount, 'accounts are numbered in the order of opening');
    const player = this.#player;
    player.source = this.#block;
    player.at = columns.player.at[row];
    player.byteCount = columns.player.byteCount[row];
    this.#addPlayer(records.owner[row]);
    batch.reserveTexts(row);
  }

  #addPlayer(owner: number): void {
    const players = this.#players;
    const row = players.add(owner & 0xff);
    this.#keys.absorbPlayer(owner >>> 8, this.#player, players.states, players.at(row));
  }

  /** Reads usual records up to `until`, or to the first that is not usual; returns its row. */
  #readUsual(batch: ReplayBatch, from: number, until: number): number {
    const reader = this.#reader;
    const kernel = this.#recordJobs;
    const count = kernel.read(
      reader.at,
      reader.lastTimeMs,
      this.#keys.placeOf(from),
      this.#keys.placeOf(until),
      this.#hashedCount,
      this.#players.rowCount,
    );
    if (count === 0) return from;
    reader.goOn(kernel.at, kernel.timeMs);
    for (let row = from; row < from + count; row += 1) this.#takeUsual(batch, row);
    return from + count;
  }

  #takeUsual({ records, usual }: ReplayBatch, row: number): void {
    const job = this.#keys.jobOf(row);
    const form = kernelWords[job + HEAD] === Kind.open ? Usual.opening : Usual.play;
    usual[row] = form;
    this.#forms |= 1 << form;
    if (form === Usual.play) return;
    records.accountRow[row] = kernelWords[job + ACCOUNT] - 1;
    records.timeMs[row] = kernelDoubles[(job >>> 1) + TIME_MS];
    this.#players.add(kernelWords[job + CURRENCY]);
  }

  #hashRows(batch: ReplayBatch, from: number, until: number): void {
    const { usual } = batch;
    if (this.#has(Usual.no)) {
      for (let row = from; row < until; row += 1) {
        if (usual[row] === Usual.no) this.#addGeneral(batch, row);
      }
    }
    if (this.#has(Usual.play)) {
      this.#takeStates(jobAt(0), jobAt(until - from), LOADED_AT);
    }
    this.#keys.finish(until);
    if (this.#has(Usual.opening)) this.#keepStates(batch, from, until);
    if (this.#has(Usual.no)) this.#keepTexts(batch, from, until);
  }

  #has(form: number): boolean {
    return (this.#forms & (1 << form)) !== 0;
  }

  #keepStates({ records, usual }: ReplayBatch, from: number, until: number): void {
    const players = this.#players;
    for (let row = from; row < until; row += 1) {
      if (usual[row] !== Usual.opening) continue;
      this.#keys.copyState(row, players.states, players.at(records.accountRow[row]));
    }
  }

  #keepTexts(batch: ReplayBatch, from: number, until: number): void {
    const { columns, records, usual } = batch;
    for (let row = from; row < until; row += 1) {
      if (usual[row] !== Usual.no) continue;
      const isMade = (records.traits[row] & OutcomeTrait.made) !== 0;
      const hasNoAccount = records.accountRow[row] < 0 && columns.kind[row] < Kind.roundAged;
      if (isMade || hasNoAccount) batch.keepTexts(row);
    }
  }

  /** Adds a row that the reader read to those that are hashed. */
  #addGeneral(batch: ReplayBatch, row: number): void {
    const { columns, records } = batch;
    const accountRow = records.accountRow[row];
    kernelWords[this.#keys.jobOf(row) + HEAD] = 0;
    if (columns.kind[row] >= Kind.roundAged) this.#keys.skip(row);
    else if (accountRow < 0) this.#keys.add(columns, row, records.owner[row]);
    else {
      const { states } = this.#players;
      const at = this.#players.at(accountRow);
      const currency = this.#players.currency(accountRow);
      const opens = (records.traits[row] & OutcomeTrait.made) !== 0;
      this.#keys.addKnown(columns, row, currency, states, at, opens);
    }
  }

  /** Hands over what the kernel made of the rows of a pass, the first with this sequence. */
  #copyHashes(batch: ReplayBatch, from: number, until: number, sequence: number): void {
    if (this.#has(Usual.no)) batch.keys.copyRows(kernelKeys, from, until);
    if (!this.#has(Usual.play) && !this.#has(Usual.opening)) return;
    if (this.#has(Usual.opening)) {
      batch.openingKeys.set(kernelKeys.key.subarray(from * 4, until * 4), from * 4);
    }
    const at = from * OUTCOME_WORDS;
    this.#recordJobs.copyOutcomes(until - from, from, sequence, batch.outcomes, at);
  }
}

const LOADED_AT = PLAY_STATE_AT + PlayState.loaded;
const HEAD = JobField.recordHead >>> 2;
const ACCOUNT = JobField.account >>> 2;
const CURRENCY = JobField.currency >>> 2;
const TIME_MS = JobField.timeMs >>> 3;
const NO_SOURCE: FrameSource = sourceOfContent(new Uint8Array(1));

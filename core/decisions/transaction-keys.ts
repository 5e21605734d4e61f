// The hashes that a transaction is known by: its account, its key, its round, what it refers to and
// its body (wallet rules 1, 3, 29). They are made for a pass of transactions before anything is
// decided. All of them start from one state that has absorbed operator and player. Live decisions
// and replay use the same code. Here stands what is hashed; how, in the kernel.

import { assert } from '../assert.ts';
import { JobDomain, JobField, JobPart, NAMELESS_ROUND } from '../kernel/job-layout.ts';
import {
  HASH_STATE_WORDS,
  hashJobs,
  jobAt,
  kernelDoubles,
  kernelKeys,
  kernelRest,
  kernelWords,
  placeSingleText,
  SINGLE_JOB,
  SINGLE_ROW,
  startState,
} from '../kernel/kernel.ts';
import { NOT_STAGED, TextStage } from '../kernel/text-stage.ts';
import { Field, Kind } from '../kinds.ts';
import { PASS_TRANSACTIONS_MAX } from '../limits.ts';
import type { FrameSource, TextColumn, TransactionColumns } from '../transaction-columns.ts';

/** Fields that are part of the body but have no column of their own to absorb. */
const BODY_FIELDS =
  Field.amount |
  Field.round |
  Field.roundEnd |
  Field.stakeless |
  Field.reference |
  Field.game |
  Field.ofWin |
  Field.to |
  Field.bucketBonus |
  Field.reason |
  Field.expiresIn |
  Field.status |
  Field.definition;

const RARE_BODY_FIELDS =
  Field.to | Field.reason | Field.expiresIn | Field.status | Field.definition;

// Places of a job's fields among 32-bit words; of a text: its domain, its place, its length.
const PARTS = JobField.parts >>> 2;
const PLAYER = JobField.player >>> 2;
const TRANSACTION_ID = JobField.transactionId >>> 2;
const ROUND = JobField.round >>> 2;
const REFERENCE = JobField.reference >>> 2;
const GAME = JobField.game >>> 2;
const CURRENCY = JobField.currency >>> 2;
const BODY_FIELDS_WORD = JobField.bodyFields >>> 2;
const REST_COUNT = JobField.restCount >>> 2;
const PLAYER_STATE = JobField.playerState >>> 2;
const AMOUNT_DOUBLE = JobField.amountMinor >>> 3;

/** The longest text that is hashed here: ids have 64 bytes, a record could hold so many. */
const TEXT_BYTES_MAX = 255;

/** Where the player's id lies: in the frame, or, in replay, in the account table. */
export interface PlayerText {
  source: FrameSource;
  at: number;
  byteCount: number;
}

/**
 * Makes the hashes: `begin` a pass, add rows with one of the functions for rows, `finish` it.
 * Passes have up to PASS_TRANSACTIONS_MAX rows.
 */
export class TransactionKeys {
  readonly #start: Int32Array;
  readonly #stage = new TextStage();
  /** Row of the first job. */
  #from = 0;

  constructor(seed: Uint8Array) {
    this.#start = startState(seed);
  }

  /** The hash of an account alone, two words: for reads and receivers. */
  hashAccount(owner: number, player: PlayerText, words: Int32Array, wordsAt: number): void {
    this.#hashPlayer(owner >>> 8, player, JobPart.player | JobPart.account, owner & 0xff);
    words[wordsAt] = kernelKeys.account[SINGLE_ROW * 2];
    words[wordsAt + 1] = kernelKeys.account[SINGLE_ROW * 2 + 1];
  }

  /** The state behind operator and player, HASH_STATE_WORDS words: what `addKnown` starts from. */
  absorbPlayer(operator: number, player: PlayerText, words: Int32Array, wordsAt: number): void {
    this.#hashPlayer(operator, player, JobPart.player, 0);
    const state = SINGLE + PLAYER_STATE;
    for (let word = 0; word < HASH_STATE_WORDS; word += 1) {
      words[wordsAt + word] = kernelWords[state + word];
    }
  }

  /** Begins a pass with row `from`. */
  begin(from: number): void {
    this.#from = from;
    this.#stage.clear();
  }

  /** Passes over a row. */
  skip(row: number): void {
    kernelWords[this.jobOf(row) + PARTS] = 0;
  }

  /** Adds a row whose player is hashed too; `owner` is operator × 256 + currency. */
  add(columns: TransactionColumns, row: number, owner: number): void {
    const job = this.jobOf(row);
    const operator = owner >>> 8;
    kernelWords[job + PLAYER] = operator === 0 ? JobDomain.operatorsOwn : operator;
    this.#fill(columns, row, owner & 0xff, JobPart.player | JobPart.account);
  }

  /**
   * Adds a row whose account's state `absorbPlayer` left at `statesAt`; with the account's own hash
   * if it `opens`.
   */
  addKnown(
    columns: TransactionColumns,
    row: number,
    currency: number,
    states: Int32Array,
    statesAt: number,
    opens: boolean,
  ): void {
    putState(this.jobOf(row), states, statesAt);
    this.#fill(columns, row, currency, opens ? JobPart.account : 0);
  }

  /** Copies the state that a row's player was hashed to, when the pass is finished. */
  copyState(row: number, states: Int32Array, statesAt: number): void {
    const state = this.jobOf(row) + PLAYER_STATE;
    for (let word = 0; word < HASH_STATE_WORDS; word += 1) {
      states[statesAt + word] = kernelWords[state + word];
    }
  }

  /** Hashes the rows from the first to `until` − 1; their words are in kernelKeys. */
  finish(until: number): void {
    this.#stage.flush();
    hashJobs(this.#start, 0, until - this.#from, this.#from);
  }

  /** The job of a row of this pass, as a number of kernelWords. */
  jobOf(row: number): number {
    const place = row - this.#from;
    assert(place >= 0 && place < PASS_TRANSACTIONS_MAX, 'a row has a job in its pass');
    return jobAt(place) >>> 2;
  }

  /** The number of a row's job in this pass. */
  placeOf(row: number): number {
    return row - this.#from;
  }

  #hashPlayer(operator: number, player: PlayerText, parts: number, currency: number): void {
    const { source, at, byteCount } = player;
    kernelWords[SINGLE + PARTS] = parts;
    kernelWords[SINGLE + PLAYER] = operator === 0 ? JobDomain.operatorsOwn : operator;
    kernelWords[SINGLE + PLAYER + 1] = placeSingleText(source, at, byteCount);
    kernelWords[SINGLE + PLAYER + 2] = byteCount;
    kernelWords[SINGLE + CURRENCY] = currency;
    hashJobs(this.#start, SINGLE_JOB, SINGLE_JOB + 1, SINGLE_ROW);
  }

  /** Fills a job; the player's domain or state is there. */
  #fill(columns: TransactionColumns, row: number, currency: number, playerParts: number): void {
    const job = this.jobOf(row);
    const kind = columns.kind[row];
    const fields = columns.fields[row];
    const provider = columns.provider[row] << 8;
    const parts = playerParts | partsOf(fields);
    kernelWords[job + PARTS] = parts;
    kernelWords[job + CURRENCY] = currency;
    kernelWords[job + BODY_FIELDS_WORD] = fields & BODY_FIELDS;
    kernelWords[job + REST_COUNT] = 0;
    // Not −0: the sum is 0.
    kernelDoubles[(job >>> 1) + AMOUNT_DOUBLE] =
      (fields & Field.amount) === 0 ? 0 : columns.amountMinor[row] + 0;
    kernelWords[job + TRANSACTION_ID] = provider | keyKind(kind, fields);
    kernelWords[job + ROUND] = provider | JobDomain.round;
    kernelWords[job + REFERENCE] = provider | referenceKind(kind, fields);
    kernelWords[job + GAME] = JobDomain.game;
    const source = columns.sources[columns.sourceIndex[row]];
    const distance = this.#placeRow(columns, row, parts, source);
    if (distance === NOT_STAGED) this.#placeTexts(columns, row, job, source);
    else {
      const { transactionId, player, round, reference, game } = columns;
      putText(job + TRANSACTION_ID, transactionId, row, distance);
      if ((parts & JobPart.player) !== 0) putText(job + PLAYER, player, row, distance);
      if ((parts & JobPart.round) !== 0) putText(job + ROUND, round, row, distance);
      if ((parts & JobPart.reference) !== 0) putText(job + REFERENCE, reference, row, distance);
      if ((parts & JobPart.game) !== 0) putText(job + GAME, game, row, distance);
    }
    if ((fields & RARE_BODY_FIELDS) !== 0) this.#hashRare(columns, row, job);
  }

  /** Stages the span of a row's texts and returns its distance; see TextStage.place. */
  #placeRow(columns: TransactionColumns, row: number, parts: number, source: FrameSource): number {
    const { player, round, reference, game } = columns;
    const idAt = columns.transactionId.at[row];
    const hasPlayer = (parts & JobPart.player) !== 0 && player.byteCount[row] > 0;
    const playerAt = hasPlayer ? player.at[row] : idAt;
    const roundAt = (parts & JobPart.round) !== 0 ? round.at[row] : idAt;
    const referenceAt = (parts & JobPart.reference) !== 0 ? reference.at[row] : idAt;
    const gameAt = (parts & JobPart.game) !== 0 ? game.at[row] : idAt;
    const from = Math.min(idAt, playerAt, roundAt, referenceAt, gameAt);
    const last = Math.max(idAt, playerAt, roundAt, referenceAt, gameAt);
    return this.#stage.place(source, from, last + TEXT_BYTES_MAX);
  }

  /** Stages the texts of a row that lie far from each other. */
  #placeTexts(columns: TransactionColumns, row: number, job: number, source: FrameSource): void {
    const parts = kernelWords[job + PARTS];
    for (const [part, text, name] of TEXTS) {
      if ((parts & part) === 0) continue;
      const column = columns[name];
      const byteCount = column.byteCount[row];
      kernelWords[job + text + 1] = this.#stage.placeAlone(source, column.at[row], byteCount);
      kernelWords[job + text + 2] = byteCount;
    }
  }

  /** Hashes a row whose body has rare parts at once: there is room for one such rest. */
  #hashRare(columns: TransactionColumns, row: number, job: number): void {
    const { sources, sourceIndex, expiresInMs, status } = columns;
    const { bytes } = sources[sourceIndex[row]];
    const fields = columns.fields[row];
    let end = 0;
    if ((fields & Field.to) !== 0) end = restText(end, JobDomain.to, bytes, columns.to, row);
    if ((fields & Field.reason) !== 0) {
      end = restText(end, JobDomain.reason, bytes, columns.reason, row);
    }
    if ((fields & Field.expiresIn) !== 0) end = restNumber(end, expiresInMs[row]);
    if ((fields & Field.status) !== 0) end = restNumber(end, status[row]);
    if ((fields & Field.definition) !== 0) {
      end = restText(end, JobDomain.definition, bytes, columns.definition, row);
    }
    kernelWords[job + REST_COUNT] = end / WORD_BYTES;
    this.#stage.flush();
    const place = row - this.#from;
    hashJobs(this.#start, place, place + 1, row);
    kernelWords[job + PARTS] = 0;
  }
}

const SINGLE = jobAt(SINGLE_JOB) >>> 2;
const WORD_BYTES = 8;

/** The texts of a job: the part that they belong to, their place in it, their column. */
const TEXTS = [
  [JobPart.transaction, TRANSACTION_ID, 'transactionId'],
  [JobPart.player, PLAYER, 'player'],
  [JobPart.round, ROUND, 'round'],
  [JobPart.reference, REFERENCE, 'reference'],
  [JobPart.game, GAME, 'game'],
] as const;

function partsOf(fields: number): number {
  let parts: number = JobPart.transaction;
  if ((fields & Field.round) !== 0) parts |= JobPart.round;
  if ((fields & Field.reference) !== 0) parts |= JobPart.reference;
  if ((fields & Field.game) !== 0) parts |= JobPart.game;
  return parts;
}

function putState(job: number, states: Int32Array, statesAt: number): void {
  for (let word = 0; word < HASH_STATE_WORDS; word += 1) {
    kernelWords[job + PLAYER_STATE + word] = states[statesAt + word];
  }
}

function putText(at: number, column: TextColumn, row: number, distance: number): void {
  kernelWords[at + 1] = column.at[row] + distance;
  kernelWords[at + 2] = column.byteCount[row];
}

/** Puts a text behind the rest of a body: a word with domain and length, then its bytes. */
function restText(
  end: number,
  domain: number,
  bytes: Uint8Array,
  column: TextColumn,
  row: number,
): number {
  const byteCount = column.byteCount[row];
  const wordsEnd = end + WORD_BYTES + Math.ceil(byteCount / WORD_BYTES) * WORD_BYTES;
  kernelRest.setInt32(end, byteCount, true);
  kernelRest.setInt32(end + 4, domain, true);
  for (let at = end + WORD_BYTES; at < wordsEnd; at += 1) {
    const offset = at - end - WORD_BYTES;
    kernelRest.setUint8(at, offset < byteCount ? bytes[column.at[row] + offset] : 0);
  }
  return wordsEnd;
}

function restNumber(end: number, value: number): number {
  kernelRest.setFloat64(end, value + 0, true);
  return end + WORD_BYTES;
}

/** The key of the nameless round that a bet or win without a round is alone in. */
export function nameRound(
  key: Int32Array,
  keyAt: number,
  words: Int32Array,
  wordsAt: number,
): void {
  words[wordsAt] = key[keyAt] ^ NAMELESS_ROUND;
  words[wordsAt + 1] = key[keyAt + 1];
  words[wordsAt + 2] = key[keyAt + 2];
  words[wordsAt + 3] = key[keyAt + 3];
}

/** The kind's part of a key: a rollback's includes what it takes back (rule 1). */
function keyKind(kind: number, fields: number): number {
  return kind === Kind.rollback && (fields & Field.ofWin) !== 0 ? JobDomain.rollbackOfWin : kind;
}

/** The kind of what a reference names. */
function referenceKind(kind: number, fields: number): number {
  if (kind === Kind.win) return Kind.bet;
  if (kind === Kind.rollback) return (fields & Field.ofWin) !== 0 ? Kind.win : Kind.bet;
  return Kind.hold;
}

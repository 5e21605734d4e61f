// The hashes of transactions as a WebAssembly function: SipHash-1-3 with a 128-bit result (Aumasson
// and Bernstein, "SipHash: a fast short-input PRF"), over words of 64 bits instead of over bytes.
// Each text stands behind a word that holds its domain and its length, so that no two sequences of
// texts give the same words; that is why no last block with the whole length follows. It works on
// a row of jobs (job-layout.ts).
import { JOB_BYTES, JobField, JobPart, JobText } from './job-layout.ts';
import {
  type Code,
  get,
  i32,
  i64,
  load32,
  load64,
  long,
  sequence,
  set,
  store64,
  type WasmFunction,
  when,
  whileLoop,
  word,
} from './wasm-code.ts';

/** Where the columns of results lie in the memory; see KeyColumns. */
export interface ResultPlaces {
  readonly account: number;
  readonly body: number;
  readonly key: number;
  readonly reference: number;
  readonly round: number;
}

// Locals: parameters, words, longs.
const JOB = 0;
const JOBS_END = 1;
const ROW = 2;
const TEXT_AT = 3;
const TEXT_END = 4;
const BYTE_COUNT = 5;
const [V0, V1, V2, V3] = [6, 7, 8, 9] as const;
const PLAYER_STATE = [10, 11, 12, 13] as const;
const ABSORBED = 14;
const FIRST_HALF = 15;
const ROUND_KEY = 16;
const REFERENCE_KEY = 17;

const STATE = [V0, V1, V2, V3] as const;

/** Of SipHash's paper: the constants that a 128-bit result is told apart by. */
const BEGIN_RESULT = 0xeen;
const SECOND_HALF = 0xddn;

function round(): Code {
  return sequence(
    set(V0, i64.add(get(V0), get(V1))),
    set(V2, i64.add(get(V2), get(V3))),
    set(V1, i64.xor(i64.rotl(get(V1), long(13n)), get(V0))),
    set(V3, i64.xor(i64.rotl(get(V3), long(16n)), get(V2))),
    set(V0, i64.rotl(get(V0), long(32n))),
    set(V2, i64.add(get(V2), get(V1))),
    set(V0, i64.add(get(V0), get(V3))),
    set(V1, i64.xor(i64.rotl(get(V1), long(17n)), get(V2))),
    set(V3, i64.xor(i64.rotl(get(V3), long(21n)), get(V0))),
    set(V2, i64.rotl(get(V2), long(32n))),
  );
}

function absorb(value: Code): Code {
  return sequence(
    set(ABSORBED, value),
    set(V3, i64.xor(get(V3), get(ABSORBED))),
    round(),
    set(V0, i64.xor(get(V0), get(ABSORBED))),
  );
}

function field(offset: number): Code {
  return load32(get(JOB), offset);
}

/** Absorbs domain × 256 + length, then the text's bytes; the last word is padded with zeros. */
function absorbText(offset: number): Code {
  const head = i64.or(
    i64.shl(i64.extendI32U(field(offset + JobText.domain)), long(8n)),
    i64.extendI32U(get(BYTE_COUNT)),
  );
  const restBits = i64.extendI32U(i32.shl(i32.and(get(BYTE_COUNT), word(7)), word(3)));
  const mask = i64.sub(i64.shl(long(1n), restBits), long(1n));
  return sequence(
    set(BYTE_COUNT, field(offset + JobText.byteCount)),
    absorb(head),
    set(TEXT_AT, field(offset + JobText.at)),
    set(TEXT_END, i32.add(get(TEXT_AT), i32.and(get(BYTE_COUNT), word(~7)))),
    absorbUntilEnd(),
    when(i32.and(get(BYTE_COUNT), word(7)), absorb(i64.and(load64(get(TEXT_AT)), mask))),
  );
}

function absorbUntilEnd(): Code {
  return whileLoop(
    i32.ltU(get(TEXT_AT), get(TEXT_END)),
    sequence(absorb(load64(get(TEXT_AT))), set(TEXT_AT, i32.add(get(TEXT_AT), word(8)))),
  );
}

function fromPlayer(): Code {
  return sequence(...STATE.map((local, place) => set(local, get(PLAYER_STATE[place]))));
}

function result(): Code {
  return i64.xor(i64.xor(get(V0), get(V1)), i64.xor(get(V2), get(V3)));
}

/** Puts the first 64 bits of the result into FIRST_HALF. */
function finish(): Code {
  return sequence(
    set(V2, i64.xor(get(V2), long(BEGIN_RESULT))),
    round(),
    round(),
    round(),
    set(FIRST_HALF, result()),
  );
}

/** Stores the first 64 bits of the result in the row's place of a column. */
function storeShort(column: number): Code {
  return sequence(finish(), store64(i32.shl(get(ROW), word(3)), column, get(FIRST_HALF)));
}

/** Stores all 128 bits of the result in the row's place of a column. */
function storeLong(column: number): Code {
  const rowAt = i32.shl(get(ROW), word(4));
  return sequence(
    finish(),
    store64(rowAt, column, get(FIRST_HALF)),
    set(V1, i64.xor(get(V1), long(SECOND_HALF))),
    round(),
    round(),
    round(),
    store64(rowAt, column + 8, result()),
  );
}

/** So that what loads ahead finds a place that is always cached where nothing is named. */
function clearLong(column: number): Code {
  return store64(i32.shl(get(ROW), word(4)), column, long(0n));
}

function whenPart(part: number, then: Code): Code {
  return when(i32.and(field(JobField.parts), word(part)), then);
}

/** The state behind the texts of operator and player, from the seed's or as it is given. */
function enterPlayer(startAt: number): Code {
  const start = sequence(
    ...STATE.map((local, place) => set(local, load64(word(startAt), place * 8))),
    absorbText(JobField.player),
    ...STATE.map((local, place) => store64(get(JOB), JobField.playerState + place * 8, get(local))),
  );
  const states = PLAYER_STATE.map((local, place) =>
    set(local, load64(get(JOB), JobField.playerState + place * 8)),
  );
  return sequence(whenPart(JobPart.player, start), ...states);
}

function hashAccount(results: ResultPlaces): Code {
  return sequence(
    fromPlayer(),
    absorb(i64.extendI32U(field(JobField.currency))),
    storeShort(results.account),
  );
}

function hashTransaction(places: HashPlaces): Code {
  const { results } = places;
  return sequence(
    fromPlayer(),
    absorbText(JobField.transactionId),
    storeLong(results.key),
    clearLong(results.round),
    clearLong(results.reference),
    whenPart(
      JobPart.round,
      sequence(
        fromPlayer(),
        absorbText(JobField.round),
        absorb(i64.extendI32U(field(JobField.currency))),
        storeLong(results.round),
        set(ROUND_KEY, get(FIRST_HALF)),
      ),
    ),
    whenPart(
      JobPart.reference,
      sequence(
        fromPlayer(),
        absorbText(JobField.reference),
        storeLong(results.reference),
        set(REFERENCE_KEY, get(FIRST_HALF)),
      ),
    ),
    hashBody(places),
  );
}

/** Bodies are compared under one key only, so the key is no part of them. */
function hashBody({ restAt, results }: HashPlaces): Code {
  const fields = i64.or(
    i64.extendI32U(field(JobField.bodyFields)),
    i64.shl(i64.extendI32U(field(JobField.currency)), long(32n)),
  );
  const restEnd = i32.add(get(TEXT_AT), i32.shl(field(JobField.restCount), word(3)));
  return sequence(
    fromPlayer(),
    absorb(fields),
    absorb(load64(get(JOB), JobField.amountMinor)),
    whenPart(JobPart.round, absorb(get(ROUND_KEY))),
    whenPart(JobPart.reference, absorb(get(REFERENCE_KEY))),
    whenPart(JobPart.game, absorbText(JobField.game)),
    set(TEXT_AT, word(restAt)),
    set(TEXT_END, restEnd),
    absorbUntilEnd(),
    storeShort(results.body),
  );
}

/** Where things lie in the memory. */
export interface HashPlaces {
  /** The start state of a seed. */
  readonly startAt: number;
  readonly results: ResultPlaces;
  /** Further words of the body of the one job that has some. */
  readonly restAt: number;
}

/**
 * The function `hash(job, jobsEnd, row)`: works on the jobs between two addresses; the results are
 * those of `row` and the rows after it.
 */
export function hashFunction(places: HashPlaces): WasmFunction {
  const job = sequence(
    enterPlayer(places.startAt),
    whenPart(JobPart.account, hashAccount(places.results)),
    whenPart(JobPart.transaction, hashTransaction(places)),
    set(JOB, i32.add(get(JOB), word(JOB_BYTES))),
    set(ROW, i32.add(get(ROW), word(1))),
  );
  return {
    name: 'hash',
    parameterCount: 3,
    wordCount: 3,
    longCount: 12,
    body: whileLoop(i32.ltU(get(JOB), get(JOBS_END)), job),
  };
}

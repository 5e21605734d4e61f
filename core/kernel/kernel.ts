// The kernel: a row of jobs in memory that JavaScript and WebAssembly share, and the functions that
// work on them: one hashes, one writes usual records; for replay one reads such records and one
// makes the rows of their outcomes. (Those that work on tables too are in table-functions.ts.)
//
// A keyed 128-bit hash is needed because outsiders choose the keys of our tables: without the seed
// nobody can choose ids that collide, so probe lengths stay short and two ids never share a key by
// design. The results stay in memory and are never stored: a data folder may change its seed.
// SipHash needs 64-bit words: in WebAssembly the hashes of a bet take 76 ns, a hash with words of
// 32 bits in JavaScript, of a smaller state, took 237.
//
// One per thread, since its memory is only scratch: jobs and texts are those of one pass, results
// those of one slice, and nothing is kept from one call of a shard to the next.
import { assert } from '../assert.ts';
import { ColumnMemory } from '../column-memory.ts';
import {
  ATOMIC_TRANSACTIONS_MAX,
  BLOCK_CONTENT_BYTES_MAX,
  PASS_TRANSACTIONS_MAX,
} from '../limits.ts';
import { KeyColumns } from '../records/key-columns.ts';
import { OUTCOME_WORDS } from '../tables/outcome-rows.ts';
import type { FrameSource } from '../transaction-columns.ts';
import { hashFunction, type ResultPlaces } from './hash-code.ts';
import { JOB_BYTES } from './job-layout.ts';
import { outcomeFunction } from './outcome-code.ts';
import { PLAY_STATE_BYTES } from './play-code.ts';
import { recordFunction, USUAL_RECORD_BYTES_MAX } from './record-code.ts';
import { READ_STATE_BYTES, RECORD_NONSENSE_BYTES_MAX, readFunction } from './record-read-code.ts';
import { wasmModule } from './wasm-code.ts';

/** Bytes of a seed. */
const HASH_SEED_BYTES = 16;

/** Words of a saved state. */
export const HASH_STATE_WORDS = 8;

/** The job beside those of a pass: of an account that is hashed alone. */
export const SINGLE_JOB: number = PASS_TRANSACTIONS_MAX;
/** Its row among the results. */
export const SINGLE_ROW: number = ATOMIC_TRANSACTIONS_MAX;

/** Each job lengthens what is staged by at most so many bytes (text-stage.ts). */
export const SPAN_BYTES_MAX = 1_024;
/** The kernel reads texts in words: up to seven bytes behind the last one. */
export const SLACK_BYTES = 8;

/** SipHash's constants, and the one that marks a result of 128 bits. */
const START_STATE = [
  0x736f6d6570736575n,
  0x646f72616e646f6dn ^ 0xeen,
  0x6c7967656e657261n,
  0x7465646279746573n,
] as const;

// The memory: the start state, where records end, the hashes, the jobs, the stage of texts, the
// words of the one job that has a rest or stands alone, and records; behind them what only replay
// touches: a block's content, numbers of the functions that read it, rows of outcomes, and numbers
// of the function that applies them.
const START_AT = 0;
const RECORDS_END_AT = 32;
const KEYS_AT = 64;
const JOBS_AT: number = KEYS_AT + keyBytes();
/** Where texts are staged. */
export const STAGE_AT: number = JOBS_AT + (SINGLE_JOB + 1) * JOB_BYTES;
/** See STAGE_AT. */
export const STAGE_BYTES: number = PASS_TRANSACTIONS_MAX * (SPAN_BYTES_MAX + SLACK_BYTES);
const REST_AT: number = STAGE_AT + STAGE_BYTES;
const REST_BYTES = 32_768;
const RECORDS_AT: number = REST_AT + REST_BYTES;
const RECORDS_BYTES: number = PASS_TRANSACTIONS_MAX * USUAL_RECORD_BYTES_MAX;
/** Where a replayed block's content lies. */
export const CONTENT_AT: number = RECORDS_AT + RECORDS_BYTES;
/** Numbers of the functions below: READ_STATE_BYTES, and a double. */
export const READ_STATE_AT: number =
  CONTENT_AT + BLOCK_CONTENT_BYTES_MAX + RECORD_NONSENSE_BYTES_MAX;
/** Rows of the outcomes of a pass. */
export const OUTCOMES_AT: number = READ_STATE_AT + READ_STATE_BYTES + 8;
const OUTCOMES_BYTES: number = PASS_TRANSACTIONS_MAX * OUTCOME_WORDS * 4;
/** Numbers of the function that applies plays: PLAY_STATE_BYTES. */
export const PLAY_STATE_AT: number = OUTCOMES_AT + OUTCOMES_BYTES;
const PAGE_BYTES = 65_536;
/** Pages of the memory, as WebAssembly counts them. */
export const MEMORY_PAGES: number = Math.ceil((PLAY_STATE_AT + PLAY_STATE_BYTES) / PAGE_BYTES);

const { memory, hash, record, read, outcomes } = new WebAssembly.Instance(makeModule()).exports;

/** See record-read-code.ts and outcome-code.ts. */
export const readFunctions: {
  readonly read: (...parameters: number[]) => void;
  readonly outcomes: (...parameters: number[]) => void;
} = { read, outcomes };

/** The memory itself, for functions that work on others too. */
export const kernelMemory: WasmOwnMemory = memory;

/** What was hashed: up to ATOMIC_TRANSACTIONS_MAX rows, and one; all shards of a thread use it. */
export const kernelKeys: KeyColumns = keysIn(memory.buffer);

/** The memory of the kernel, as words, doubles and bytes. */
export const kernelWords: Int32Array = new Int32Array(memory.buffer);
/** See kernelWords. */
export const kernelDoubles: Float64Array = new Float64Array(memory.buffer);
/** See kernelWords. */
export const kernelBytes: Uint8Array = new Uint8Array(memory.buffer);
/** Rows of outcomes, of one pass. */
export const kernelOutcomes: Int32Array = new Int32Array(
  memory.buffer,
  OUTCOMES_AT,
  OUTCOMES_BYTES / 4,
);
/** Texts of the rest of a body, in words of eight bytes. */
export const kernelRest: DataView = new DataView(memory.buffer, REST_AT, REST_BYTES);

/** The state that a seed of 16 secret bytes begins with, in words of 32 bits. */
export function startState(seed: Uint8Array): Int32Array {
  assert(seed.byteLength === HASH_SEED_BYTES, 'a hash seed has 16 bytes');
  const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength);
  const words = START_STATE.map(
    (constant, place) => constant ^ view.getBigUint64((place & 1) * 8, true),
  );
  return new Int32Array(BigUint64Array.from(words).buffer);
}

/** Where the fields of a job begin, in bytes. */
export function jobAt(job: number): number {
  return JOBS_AT + job * JOB_BYTES;
}

/** Hashes jobs `from` to `until` − 1, the first of which is that of `row` of kernelKeys. */
export function hashJobs(start: Int32Array, from: number, until: number, row: number): void {
  for (let word = 0; word < HASH_STATE_WORDS; word += 1) kernelWords[word] = start[word];
  hash(jobAt(from), jobAt(until), row);
}

/** Writes the records of jobs `from` to `until` − 1 to a place; returns their bytes. */
export function writeJobRecords(
  from: number,
  until: number,
  target: Uint8Array,
  targetAt: number,
): number {
  record(jobAt(from), jobAt(until), RECORDS_AT);
  const end = kernelWords[RECORDS_END_AT >>> 2];
  assert(end >= RECORDS_AT && end <= RECORDS_AT + RECORDS_BYTES, 'records keep to their room');
  target.set(kernelBytes.subarray(RECORDS_AT, end), targetAt);
  return end - RECORDS_AT;
}

/** Takes the text of the job that stands alone; returns its address. */
export function placeSingleText({ bytes: source }: FrameSource, at: number, count: number): number {
  assert(count <= REST_BYTES - SLACK_BYTES, 'a text that is hashed has room');
  kernelBytes.set(source.subarray(at, at + count), REST_AT);
  return REST_AT;
}

function makeModule(): WasmModule {
  const results = placesOf(keysIn(new ArrayBuffer(JOBS_AT)));
  const hashing = hashFunction({ startAt: START_AT, results, restAt: REST_AT });
  return new WebAssembly.Module(
    wasmModule(
      [hashing, recordFunction(RECORDS_END_AT), readFunction(), outcomeFunction(results)],
      MEMORY_PAGES,
    ),
  );
}

function keysIn(buffer: ArrayBuffer): KeyColumns {
  return new KeyColumns(ATOMIC_TRANSACTIONS_MAX + 1, new ColumnMemory(buffer, KEYS_AT));
}

function keyBytes(): number {
  const counted = new ColumnMemory();
  void new KeyColumns(ATOMIC_TRANSACTIONS_MAX + 1, counted);
  return counted.byteCount;
}

function placesOf(keys: KeyColumns): ResultPlaces {
  return {
    account: keys.account.byteOffset,
    body: keys.body.byteOffset,
    key: keys.key.byteOffset,
    reference: keys.reference.byteOffset,
    round: keys.round.byteOffset,
  };
}

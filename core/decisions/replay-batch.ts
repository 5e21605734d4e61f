// Records on their way from the log to the state: decoded, with all their hashes, ready to be
// applied. One thread may fill a batch (replay-decoder.ts) while another applies one
// (replay-records.ts), over shared memory that both make the same columns in; whose turn it is,
// persist sees to. A batch knows nothing of blocks: rows of several may follow each other.
import { assert } from '../assert.ts';
import { ColumnMemory } from '../column-memory.ts';
import { ATOMIC_TRANSACTIONS_MAX, DEFINITION_BYTES_MAX, RECORD_BYTES_MAX } from '../limits.ts';
import { Decision } from '../records/decision.ts';
import { KeyColumns } from '../records/key-columns.ts';
import { RecordColumns } from '../records/record-columns.ts';
import { sourceOfContent } from '../records/record-reader.ts';
import { OUTCOME_WORDS } from '../tables/outcome-rows.ts';
import { type FrameSource, type TextColumn, TransactionColumns } from '../transaction-columns.ts';

/**
 * Rows of a batch. Few, so that what one core writes is still in its cache when the other one reads
 * it: a row has some 250 bytes.
 */
export const REPLAY_BATCH_ROWS = 512;

assert(REPLAY_BATCH_ROWS <= ATOMIC_TRANSACTIONS_MAX, 'the kernel has a row for each of a batch');

/** Room for the texts that outlive decoding: players that are opened, and definitions. */
const TEXT_BYTES = 65_536;

/** Both are within their record; a row is decoded only while this much room is left. */
const RECORD_TEXT_BYTES_MAX = DEFINITION_BYTES_MAX + RECORD_BYTES_MAX;

/** Up to here a loop over the bytes is faster than set(subarray()), which makes an object. */
const LOOP_BYTES_MAX = 64;

/** Where the texts of a row lie: in the block, while it is decoded, or in the batch's own bytes. */
export const BatchSource = { block: 0, batch: 1 } as const;

/** Whether a record is one that the kernel reads (kernel/record-read-code.ts), and which. */
export const Usual = { no: 0, play: 1, opening: 2 } as const;

/** See the head of this file. */
export class ReplayBatch {
  /**
   * Of texts only the places are columns. Behind decoding, those of source `block` are void: what
   * applying needs, players that are opened and definitions, was copied to source `batch`.
   */
  readonly columns: TransactionColumns;
  readonly records: RecordColumns;
  /** Of `account` only the rows that open an account are filled. */
  readonly keys: KeyColumns;
  /** The one in work; it refers to the batch's keys. */
  readonly decision: Decision;
  /**
   * One of Usual. Of a play no other column is filled, of an opening only those of account row and
   * time: what they are stands in the next ones.
   */
  readonly usual: Uint8Array;
  /** Whole rows of plays (OutcomeWord and PlayWord) or openings (OpeningWord). */
  readonly outcomes: Int32Array;
  /** The same memory: the texts of openings. */
  readonly outcomeSource: FrameSource;
  /** Keys of openings, four words each. */
  readonly openingKeys: Int32Array;
  readonly #texts: FrameSource;
  /** Bytes that are kept, and those that are to be kept of rows that were read. */
  #textEnd = 0;
  #reservedBytes = 0;

  /** Columns of their own, or in memory that has replayBatchBytes from `memory` on. */
  constructor(memory: ColumnMemory = new ColumnMemory()) {
    this.columns = new TransactionColumns(REPLAY_BATCH_ROWS, memory);
    this.records = new RecordColumns(REPLAY_BATCH_ROWS, memory);
    this.keys = new KeyColumns(REPLAY_BATCH_ROWS, memory);
    this.decision = new Decision(this.keys);
    this.usual = memory.uint8(REPLAY_BATCH_ROWS);
    this.outcomes = memory.int32(REPLAY_BATCH_ROWS * OUTCOME_WORDS);
    const { buffer, byteLength, byteOffset } = this.outcomes;
    this.outcomeSource = sourceOfContent(new Uint8Array(buffer, byteOffset, byteLength));
    this.openingKeys = memory.int32(REPLAY_BATCH_ROWS * 4);
    this.#texts = sourceOfContent(memory.uint8(TEXT_BYTES));
    this.columns.sources.push(this.#texts, this.#texts);
  }

  /** Makes it ready to be filled from row 0 on. */
  clear(): void {
    this.#textEnd = 0;
    this.#reservedBytes = 0;
  }

  /** Whether a row can be decoded, whatever its record holds. */
  hasRoomFor(row: number): boolean {
    return row < REPLAY_BATCH_ROWS && this.hasRoomForTexts;
  }

  /** Whether the texts of one more row can be kept. */
  get hasRoomForTexts(): boolean {
    return this.#reservedBytes + RECORD_TEXT_BYTES_MAX <= TEXT_BYTES;
  }

  /** Sees to room for the player and the definition of a row that was read. */
  reserveTexts(row: number): void {
    const { player, definition } = this.columns;
    this.#reservedBytes += player.byteCount[row] + definition.byteCount[row];
  }

  /** Copies player and definition of a row to the batch; its other texts become void. */
  keepTexts(row: number): void {
    const { columns } = this;
    const block = columns.sources[BatchSource.block];
    columns.sourceIndex[row] = BatchSource.batch;
    this.#keepText(columns.player, row, block);
    this.#keepText(columns.definition, row, block);
    assert(this.#textEnd <= this.#reservedBytes, 'texts that are kept have room');
  }

  #keepText(column: TextColumn, row: number, { bytes }: FrameSource): void {
    const kept = this.#texts.bytes;
    const from = column.at[row];
    const to = this.#textEnd;
    const byteCount = column.byteCount[row];
    if (byteCount > LOOP_BYTES_MAX) kept.set(bytes.subarray(from, from + byteCount), to);
    else {
      for (let offset = 0; offset < byteCount; offset += 1)
        kept[to + offset] = bytes[from + offset];
    }
    column.at[row] = to;
    this.#textEnd = to + byteCount;
  }
}

/** Bytes of a batch's columns and texts. */
export function replayBatchBytes(): number {
  const counted = new ColumnMemory();
  void new ReplayBatch(counted);
  return counted.byteCount;
}

// Which blocks the rows of a replayed batch come from: a span for each run of rows of one block,
// in the order of the log. A block may go over several batches, then it has a span in each. Blocks
// of other shards have no rows; they count for progress only, and neighbours share a span.
import { assert } from '../core/assert.ts';
import type { ColumnMemory } from '../core/column-memory.ts';
import type { BlockHeader } from './block-header.ts';

/** Spans of a batch: blocks of one record fill it before its rows do. */
const SPANS_MAX = 512;

const COUNT = 0;

/** A run of rows behind those of the last span. */
export interface NewSpan {
  readonly blockNumber: number;
  /** Name of the segment. */
  readonly segment: string;
  readonly rowUntil: number;
  /** Sequence of the first row. */
  readonly firstSequence: number;
}

/** The spans of one slot, in memory that two threads see. */
export class SpanRows {
  /** How many there are, and for how many rows. */
  readonly #counts: Uint32Array;
  readonly rowFrom: Uint32Array;
  readonly rowUntil: Uint32Array;
  /** Of the block that ends with the span; of other shards', of the last. */
  readonly blockNumber: Float64Array;
  readonly timeMs: Float64Array;
  /** First block of the segment: it names the segment. */
  readonly segmentFirstBlock: Float64Array;
  /** Sequence of the first row. */
  readonly firstSequence: Float64Array;
  /** Blocks that end with this span, and what they hold. */
  readonly blockCount: Uint32Array;
  readonly recordCount: Float64Array;
  readonly contentBytes: Float64Array;

  constructor(memory: ColumnMemory) {
    this.#counts = memory.uint32(1);
    this.rowFrom = memory.uint32(SPANS_MAX);
    this.rowUntil = memory.uint32(SPANS_MAX);
    this.blockNumber = memory.float64(SPANS_MAX);
    this.timeMs = memory.float64(SPANS_MAX);
    this.segmentFirstBlock = memory.float64(SPANS_MAX);
    this.firstSequence = memory.float64(SPANS_MAX);
    this.blockCount = memory.uint32(SPANS_MAX);
    this.recordCount = memory.float64(SPANS_MAX);
    this.contentBytes = memory.float64(SPANS_MAX);
  }

  get count(): number {
    return this.#counts[COUNT];
  }

  /** Rows of all spans together. */
  get rowCount(): number {
    return this.count === 0 ? 0 : this.rowUntil[this.count - 1];
  }

  get isFull(): boolean {
    return this.count === SPANS_MAX;
  }

  clear(): void {
    this.#counts[COUNT] = 0;
  }

  add({ blockNumber, segment, rowUntil, firstSequence }: NewSpan): void {
    assert(!this.isFull, 'a span has room');
    const span = this.count;
    const rowFrom = this.rowCount;
    assert(rowFrom <= rowUntil, 'spans follow each other');
    this.rowFrom[span] = rowFrom;
    this.rowUntil[span] = rowUntil;
    this.blockNumber[span] = blockNumber;
    this.segmentFirstBlock[span] = Number(segment);
    this.firstSequence[span] = firstSequence;
    this.timeMs[span] = 0;
    this.blockCount[span] = 0;
    this.recordCount[span] = 0;
    this.contentBytes[span] = 0;
    this.#counts[COUNT] = span + 1;
  }

  /** Notes that the last span ends its block. */
  endBlock(header: BlockHeader): void {
    const span = this.count - 1;
    assert(span >= 0, 'a block ends in a span');
    this.blockNumber[span] = header.blockNumber;
    this.timeMs[span] = header.timeMs;
    this.blockCount[span] += 1;
    this.recordCount[span] += header.recordCount;
    this.contentBytes[span] += header.contentBytes;
  }

  /** Whether the last span has no rows, so that another block without rows may join it. */
  get endsWithoutRows(): boolean {
    const span = this.count - 1;
    return span >= 0 && this.rowFrom[span] === this.rowUntil[span];
  }
}

// What a run of records says beside the sender's own fields: the columns that the reader fills for
// replay, next to TransactionColumns.
import { ColumnMemory } from '../column-memory.ts';
import { ATOMIC_TRANSACTIONS_MAX } from '../limits.ts';

/** Numbers of up to `capacity` records; a row goes with the same row in TransactionColumns. */
export class RecordColumns {
  readonly code: Uint8Array;
  /** Bits of OutcomeTrait that the record carries (noop, made, joined). */
  readonly traits: Uint8Array;
  readonly accountRow: Int32Array;
  readonly owner: Uint32Array;
  readonly timeMs: Float64Array;
  readonly cashMovedMinor: Float64Array;
  readonly bonusMovedMinor: Float64Array;
  readonly cashMinor: Float64Array;
  readonly bonusMinor: Float64Array;
  readonly heldMinor: Float64Array;
  readonly extra: Uint32Array;
  readonly receiverRow: Int32Array;
  readonly receiverCashMinor: Float64Array;
  readonly subjectSequence: Float64Array;

  constructor(
    capacity: number = ATOMIC_TRANSACTIONS_MAX,
    memory: ColumnMemory = new ColumnMemory(),
  ) {
    this.code = memory.uint8(capacity);
    this.traits = memory.uint8(capacity);
    this.accountRow = memory.int32(capacity);
    this.owner = memory.uint32(capacity);
    this.timeMs = memory.float64(capacity);
    this.cashMovedMinor = memory.float64(capacity);
    this.bonusMovedMinor = memory.float64(capacity);
    this.cashMinor = memory.float64(capacity);
    this.bonusMinor = memory.float64(capacity);
    this.heldMinor = memory.float64(capacity);
    this.extra = memory.uint32(capacity);
    this.receiverRow = memory.int32(capacity);
    this.receiverCashMinor = memory.float64(capacity);
    this.subjectSequence = memory.float64(capacity);
  }
}

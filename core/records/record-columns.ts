// What a run of records says beside the sender's own fields: the columns that the reader fills for
// replay, next to TransactionColumns.
import { ATOMIC_TRANSACTIONS_MAX } from '../limits.ts';

/** Numbers of up to `capacity` records; a row goes with the same row in TransactionColumns. */
export class RecordColumns {
  readonly code: Uint8Array;
  /** Bits of OutcomeTrait that the record carries (noop, made). */
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

  constructor(capacity: number = ATOMIC_TRANSACTIONS_MAX) {
    this.code = new Uint8Array(capacity);
    this.traits = new Uint8Array(capacity);
    this.accountRow = new Int32Array(capacity);
    this.owner = new Uint32Array(capacity);
    this.timeMs = new Float64Array(capacity);
    this.cashMovedMinor = new Float64Array(capacity);
    this.bonusMovedMinor = new Float64Array(capacity);
    this.cashMinor = new Float64Array(capacity);
    this.bonusMinor = new Float64Array(capacity);
    this.heldMinor = new Float64Array(capacity);
    this.extra = new Uint32Array(capacity);
    this.receiverRow = new Int32Array(capacity);
    this.receiverCashMinor = new Float64Array(capacity);
    this.subjectSequence = new Float64Array(capacity);
  }
}

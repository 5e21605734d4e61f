// What was decided for each transaction of a slice: the core fills it, the gateway encodes answers
// from it. A row answers the row of the same number in TransactionColumns.
import { ATOMIC_TRANSACTIONS_MAX } from './limits.ts';

/** Bits of an outcome's flags, as the protocol sends them. */
export const OutcomeFlag = {
  /** A repeat: this is the first outcome, as it was then. */
  replay: 1,
  /** A late bet after a rollback under the policy `noop`: accepted, nothing moved. */
  noop: 2,
  /** An `open` that made the account. */
  made: 4,
} as const;

/**
 * Outcomes of up to `capacity` transactions. Balances, moves, sequence and time are valid only when
 * `sequence` is above 0, that is, when the outcome is a record (rule 4).
 */
export class OutcomeColumns {
  readonly code: Uint8Array;
  /** Bits of OutcomeFlag. */
  readonly flags: Uint8Array;
  /** Number of the record in its shard, from 1; 0 for an answer that is not recorded. */
  readonly sequence: Float64Array;
  /** Time of the record in ms since 1970. */
  readonly timeMs: Float64Array;
  /** Signed change of the account's buckets. */
  readonly cashMovedMinor: Float64Array;
  readonly bonusMovedMinor: Float64Array;
  /** Balances after the record. */
  readonly cashMinor: Float64Array;
  readonly bonusMinor: Float64Array;
  readonly heldMinor: Float64Array;
  /** setStatus: the status before (0 active, 1 betLocked, 2 frozen, 3 closed); else 0. */
  readonly extra: Uint32Array;

  constructor(capacity: number = ATOMIC_TRANSACTIONS_MAX) {
    this.code = new Uint8Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.sequence = new Float64Array(capacity);
    this.timeMs = new Float64Array(capacity);
    this.cashMovedMinor = new Float64Array(capacity);
    this.bonusMovedMinor = new Float64Array(capacity);
    this.cashMinor = new Float64Array(capacity);
    this.bonusMinor = new Float64Array(capacity);
    this.heldMinor = new Float64Array(capacity);
    this.extra = new Uint32Array(capacity);
  }
}

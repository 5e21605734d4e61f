// The working columns of a shard: what the passes over a slice leave for one another.
import { ATOMIC_TRANSACTIONS_MAX } from '../limits.ts';
import { KeyColumns } from './transaction-keys.ts';

/** Filled by the form, hash and find passes; read when each transaction is decided. */
export class SliceColumns {
  readonly keys: KeyColumns;
  /** Code of the form (0: go on). */
  readonly code: Uint8Array;
  /** operator × 256 + currency. */
  readonly owner: Int32Array;
  /** Row of the account, or −1 if there was none when the slice began. */
  readonly accountRow: Int32Array;

  constructor(capacity: number = ATOMIC_TRANSACTIONS_MAX) {
    this.keys = new KeyColumns(capacity);
    this.code = new Uint8Array(capacity);
    this.owner = new Int32Array(capacity);
    this.accountRow = new Int32Array(capacity);
  }
}

// The working columns of a slice: what the passes before deciding found out about each row, and the
// decisions of the rows of one pass. A shard's own but for the hashes, which are its thread's, and
// used again for each slice.

import { kernelKeys } from '../kernel/kernel.ts';
import { ATOMIC_TRANSACTIONS_MAX, PASS_TRANSACTIONS_MAX } from '../limits.ts';
import { Decision } from '../records/decision.ts';
import type { KeyColumns } from '../records/key-columns.ts';

const PASS_MASK = PASS_TRANSACTIONS_MAX - 1;

/** Results of the form, hash and find passes; read when each transaction is decided. */
export class SliceColumns {
  /** The thread's own: void when another shard of it hashes. */
  readonly keys: KeyColumns;
  /** Code of the form (0: go on). */
  readonly code: Uint8Array;
  /** operator × 256 + currency. */
  readonly owner: Int32Array;
  /** Row of the account, or −1 if there was none when the pass began. */
  readonly accountRow: Int32Array;
  /** 1 for a row that was decided and applied and whose record is not written yet. */
  readonly isUnwritten: Uint8Array;
  readonly #decisions: readonly Decision[];

  constructor() {
    const capacity = ATOMIC_TRANSACTIONS_MAX;
    this.keys = kernelKeys;
    this.code = new Uint8Array(capacity);
    this.owner = new Int32Array(capacity);
    this.accountRow = new Int32Array(capacity);
    this.isUnwritten = new Uint8Array(capacity);
    this.#decisions = Array.from({ length: PASS_TRANSACTIONS_MAX }, () => new Decision(this.keys));
  }

  /** The decision of a row of the present pass. */
  decision(row: number): Decision {
    return this.#decisions[row & PASS_MASK];
  }
}

// The hashes of a run of transactions, a few words each: by what tables know them. They are made
// for many rows at once and then referred to by their place, never copied row by row.
import { ColumnMemory } from '../column-memory.ts';
import { ATOMIC_TRANSACTIONS_MAX } from '../limits.ts';

/** Words of the hashes of up to `capacity` transactions. */
export class KeyColumns {
  readonly capacity: number;
  /** Two words each. */
  readonly account: Int32Array;
  readonly body: Int32Array;
  /** Four words each. */
  readonly key: Int32Array;
  readonly reference: Int32Array;
  /**
   * Four words each: of the round that a row names, or of its nameless one; then, `capacity` rows
   * further, of the round that it joins where that is another; and behind these a row of zeros.
   */
  readonly round: Int32Array;

  constructor(
    capacity: number = ATOMIC_TRANSACTIONS_MAX,
    memory: ColumnMemory = new ColumnMemory(),
  ) {
    this.capacity = capacity;
    this.account = memory.int32(capacity * 2);
    this.body = memory.int32(capacity * 2);
    this.key = memory.int32(capacity * 4);
    this.reference = memory.int32(capacity * 4);
    this.round = memory.int32(capacity * 8 + 4);
  }

  /** Takes rows `from` to `until` − 1 from the same places of others. */
  copyRows(others: KeyColumns, from: number, until: number): void {
    this.account.set(others.account.subarray(from * 2, until * 2), from * 2);
    this.body.set(others.body.subarray(from * 2, until * 2), from * 2);
    this.key.set(others.key.subarray(from * 4, until * 4), from * 4);
    this.reference.set(others.reference.subarray(from * 4, until * 4), from * 4);
    this.round.set(others.round.subarray(from * 4, until * 4), from * 4);
  }

  /** Where `round` has the key of the round that a row joins. */
  joinedRoundAt(row: number): number {
    return (this.capacity + row) * 4;
  }

  /** Where `round` has four zeros: no round. */
  get noRoundAt(): number {
    return this.capacity * 8;
  }
}

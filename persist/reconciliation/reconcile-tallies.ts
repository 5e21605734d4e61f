// Exact sums by key, such as of one day and kind: what a comparison counts while it reads the log,
// and the same sums as Postgres has them, compared field by field.
import { assert } from '../../core/assert.ts';
import { WideTotals } from '../../core/tables/wide-total.ts';
import { type DifferenceSort, type Differences, NONE } from './reconcile-differences.ts';

/** Rows of sums, each under a text key; a row has one sum for each field. */
export class Tallies {
  readonly fields: readonly string[];
  readonly #rows = new Map<string, number>();
  readonly #totals = new WideTotals();

  constructor(fields: readonly string[]) {
    assert(fields.length > 0, 'a tally sums something');
    this.fields = fields;
  }

  /** The row of a key, made when it is new. Remember it: finding it costs more than adding. */
  row(key: string): number {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = this.#rows.size;
    this.#rows.set(key, row);
    return row;
  }

  /** Adds a whole number of at most 2^53 − 1 in magnitude to one field of a row. */
  add(row: number, field: number, amount: number): void {
    this.#totals.add(row * this.fields.length + field, amount);
  }

  /** The sum of one field of a row. */
  total(row: number, field: number): bigint {
    return this.#totals.total(row * this.fields.length + field);
  }

  /** Every key with its row, in the order of their first use. */
  entries(): IterableIterator<[string, number]> {
    return this.#rows.entries();
  }
}

/** The other side's sums under the same keys, as decimal text in the order of the fields. */
export type ForeignSums = ReadonlyMap<string, readonly string[]>;

/** Compares every row that either side has. A row of nothing but zeros counts as none. */
export function compareTallies(
  options: {
    readonly sort: DifferenceSort;
    readonly tallies: Tallies;
    readonly postgres: ForeignSums;
    /** Keys for which this is false are left out on both sides. */
    readonly isCompared?: (key: string) => boolean;
  },
  differences: Differences,
): void {
  const { sort, tallies, postgres, isCompared = () => true } = options;
  const { fields } = tallies;
  for (const [key, row] of tallies.entries()) {
    if (!isCompared(key)) continue;
    const log = fields.map((_, field) => tallies.total(row, field));
    const found = postgres.get(key);
    if (found === undefined && log.every((sum) => sum === 0n)) continue;
    for (const [index, field] of fields.entries()) {
      const text = found === undefined ? NONE : found[index];
      differences.compare({ sort, subject: key, field, log: String(log[index]), postgres: text });
    }
  }
  const known = new Set(Array.from(tallies.entries(), ([key]) => key));
  for (const [key, found] of postgres) {
    if (known.has(key) || !isCompared(key) || found.every((text) => text === '0')) continue;
    for (const [index, field] of fields.entries()) {
      differences.add({ sort, subject: key, field, log: NONE, postgres: found[index] });
    }
  }
}

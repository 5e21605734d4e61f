// What a comparison found, by sort: every difference is counted, the first of each sort are kept.
import { assert } from '../../core/assert.ts';

/** What differs. */
export type DifferenceSort =
  | 'position'
  | 'directory'
  | 'account'
  | 'balance'
  | 'turnover'
  | 'journal'
  | 'systemBalance'
  | 'zeroSum';

/** One value that is not the same on both sides; "none" for a row that one side has not. */
export interface Difference {
  readonly sort: DifferenceSort;
  /** What it belongs to: an account, a day and kind, an operator and currency. */
  readonly subject: string;
  readonly field: string;
  readonly log: string;
  readonly postgres: string;
}

/** What is written for a row that one side has not. */
export const NONE = 'none';

/** Collects differences; keeps `keptPerSortMax` of each sort. */
export class Differences {
  readonly kept: Difference[] = [];
  readonly #keptPerSortMax: number;
  readonly #counts = new Map<DifferenceSort, number>();

  constructor(keptPerSortMax: number) {
    assert(keptPerSortMax > 0, 'at least one difference of each sort is kept');
    this.#keptPerSortMax = keptPerSortMax;
  }

  /** How many there are of each sort that occurred. */
  get counts(): ReadonlyMap<DifferenceSort, number> {
    return this.#counts;
  }

  /** Over all sorts. */
  get count(): number {
    let count = 0;
    for (const each of this.#counts.values()) count += each;
    return count;
  }

  add(difference: Difference): void {
    const count = (this.#counts.get(difference.sort) ?? 0) + 1;
    this.#counts.set(difference.sort, count);
    if (count <= this.#keptPerSortMax) this.kept.push(difference);
  }

  /** Adds a difference unless the values are equal. */
  compare(difference: Difference): void {
    if (difference.log !== difference.postgres) this.add(difference);
  }
}

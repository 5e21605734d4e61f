// Counts and sums by minute, operator, provider, game, currency and kind: the rows of `turnover`
// that one snapshot adds. Belongs to the reporter's thread.
//
// What counts: records of the kinds that move money, deposit to adjust and expired holds, once
// each. A `noop` bet counts for nothing (rule 24). Sums are of recorded splits, not of amounts
// asked for (rule 40).
import { Kind } from '../../core/kinds.ts';
import { minuteOf } from './snapshot.ts';
import { WideSum } from './wide-sum.ts';

/** What a record adds. Numbers as in the log; 0 for no provider or game. */
export interface TurnoverEntry {
  readonly timeMs: number;
  /** Operator × 256 + currency's number. */
  readonly owner: number;
  readonly provider: number;
  readonly gameId: number;
  readonly kind: number;
  readonly ofWin: boolean;
  readonly isAccepted: boolean;
  readonly cashMovedMinor: number;
  readonly bonusMovedMinor: number;
  readonly heldMovedMinor: number;
}

/** A row to add. */
export interface TurnoverRow {
  readonly minuteMs: number;
  readonly owner: number;
  readonly provider: number;
  readonly gameId: number;
  readonly kind: number;
  readonly ofWin: boolean;
  acceptedCount: number;
  refusedCount: number;
  readonly cash: WideSum;
  readonly bonus: WideSum;
  readonly held: WideSum;
}

/** Owners take 20 bits, kinds and `ofWin` seven more; plays the 26 above. */
const OWNER_AND_KIND = 2 ** 27;
const GAMES = 2 ** 26;

/** Whether a kind moves money: what turnover counts. */
export function countsAsTurnover(kind: number): boolean {
  return kind <= Kind.adjust || kind === Kind.holdExpired;
}

/** The sums of one snapshot. */
export class TurnoverSums {
  /** By minute: rows by a number made of their key. */
  readonly #minutes = new Map<number, Map<number, TurnoverRow>>();
  /** (provider, game) pairs, numbered: both together pass what a number's key has room for. */
  readonly #plays = new Map<number, number>();
  #minuteMs = -1;
  #rows = new Map<number, TurnoverRow>();

  add(entry: TurnoverEntry): void {
    const row = this.#rowOf(entry);
    if (!entry.isAccepted) {
      row.refusedCount += 1;
      return;
    }
    row.acceptedCount += 1;
    row.cash.add(entry.cashMovedMinor);
    if (entry.bonusMovedMinor !== 0) row.bonus.add(entry.bonusMovedMinor);
    if (entry.heldMovedMinor !== 0) row.held.add(entry.heldMovedMinor);
  }

  /** All rows, in no order. */
  *rows(): Generator<TurnoverRow> {
    for (const rows of this.#minutes.values()) yield* rows.values();
  }

  #rowOf({ timeMs, owner, provider, gameId, kind, ofWin }: TurnoverEntry): TurnoverRow {
    const minuteMs = minuteOf(timeMs);
    if (minuteMs !== this.#minuteMs) this.#goTo(minuteMs);
    const pair = provider * GAMES + gameId;
    let play = this.#plays.get(pair);
    if (play === undefined) {
      play = this.#plays.size;
      this.#plays.set(pair, play);
    }
    const key = play * OWNER_AND_KIND + owner * 128 + kind * 2 + (ofWin ? 1 : 0);
    let row = this.#rows.get(key);
    if (row === undefined) {
      const sums = { cash: new WideSum(), bonus: new WideSum(), held: new WideSum() };
      const counts = { acceptedCount: 0, refusedCount: 0 };
      row = { minuteMs, owner, provider, gameId, kind, ofWin, ...counts, ...sums };
      this.#rows.set(key, row);
    }
    return row;
  }

  #goTo(minuteMs: number): void {
    let rows = this.#minutes.get(minuteMs);
    if (rows === undefined) {
      rows = new Map();
      this.#minutes.set(minuteMs, rows);
    }
    this.#minuteMs = minuteMs;
    this.#rows = rows;
  }
}

// An obviously right model of the wallet's rules: an independent reading of them, in plain objects,
// that the engine is compared with. It knows no log, no lanes and no bounds of memory; keys are
// kept for good. Used by tests only.

import { ResultCode } from '../../core/result-codes.ts';
import { judgeBatch } from './model-atomic-batch.ts';
import { formCode } from './model-form.ts';
import { bodyOf, judge, playerOf, shownBalances, unrecorded } from './model-records.ts';
import { keyOf, ModelState } from './model-state.ts';
import { recordDue } from './model-time.ts';
import type {
  AccountStatus,
  BucketAmounts,
  ModelEvent,
  ModelOutcome,
  ModelTransaction,
} from './model-transaction.ts';

/** The sums over all accounts of an operator's currency; they add up to zero at each position. */
export interface ModelTotals {
  players: bigint;
  house: bigint;
  cashier: bigint;
  bonusFund: bigint;
  adjustments: bigint;
  transit: bigint;
}

/** One shard that decides one message after the other. */
export class Model {
  readonly #state: ModelState;

  constructor(settings: { retentionMs: number }) {
    this.#state = new ModelState(settings.retentionMs);
  }

  /** The sequence of the newest record; 0 before the first. */
  get sequence(): number {
    return this.#state.sequence;
  }

  /** Records what is due at this time; time never goes back behind the newest record. */
  advance(nowMs: number): ModelEvent[] {
    return recordDue(this.#state, this.#timeOf(nowMs));
  }

  /** Decides an independent transaction. */
  decide(transaction: ModelTransaction, nowMs: number): ModelOutcome {
    this.advance(nowMs);
    const timeMs = this.#timeOf(nowMs);
    const form = formCode(transaction, { state: this.#state, nowMs: timeMs });
    if (form !== ResultCode.ok) {
      return unrecorded(form);
    }
    const known = playerOf(this.#state, transaction).known.get(keyOf(transaction));
    if (known !== undefined) {
      return known.body === bodyOf(transaction)
        ? { ...known.outcome, replay: true }
        : unrecorded(ResultCode.keyConflict);
    }
    return judge(this.#state, transaction, timeMs);
  }

  /** Decides an atomic batch; one outcome for each transaction, in order. */
  decideAtomic(transactions: readonly ModelTransaction[], nowMs: number): ModelOutcome[] {
    this.advance(nowMs);
    return judgeBatch(this.#state, transactions, this.#timeOf(nowMs));
  }

  /** The balances and status of an account, undefined if there is none. */
  balances(
    operator: string,
    player: string,
    currency: string,
  ): (BucketAmounts & { status: AccountStatus }) | undefined {
    const account = this.#state.player(operator, player).accounts.get(currency);
    return account && { ...shownBalances(account), status: account.status };
  }

  /** The sums over all accounts of an operator's currency. */
  totals(operator: string, currency: string): ModelTotals {
    let players = 0n;
    for (const player of this.#state.players.values()) {
      const account = player.accounts.get(currency);
      if (account !== undefined && player.operator === operator) {
        players += account.cash + account.bonus + account.held;
      }
    }
    return { players, ...this.#state.booksOf(operator, currency) };
  }

  #timeOf(nowMs: number): number {
    return Math.max(this.#state.lastTimeMs, nowMs);
  }
}

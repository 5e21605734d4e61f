// A model with one operator, one studio and players with open accounts, for hand-written cases:
// what a case leaves out of a transaction is filled in, and after every command each currency must
// sum to zero. Used by tests only; state ends with the test.

import { expect } from 'vitest';
import { Model } from './model.ts';
import type { ModelOutcome, ModelTransaction, OperatorDefinition } from './model-transaction.ts';

/** A transaction of which a case writes only what matters to it. */
export type Draft = Partial<ModelTransaction> & { kind: string };

/** A day in milliseconds. */
export const dayMs = 86_400_000;

/** One model, its clock, and short ways to send it things. */
export class Stage {
  readonly model: Model = new Model({ retentionMs: 120 * dayMs });
  nowMs = 1_700_000_000_000;
  #idCount = 0;

  /** Makes operator `op` (EUR and USD) and opens EUR and USD for ann and EUR for bob. */
  constructor(policies: OperatorDefinition = {}) {
    this.send({ kind: 'setOperator', definition: { currencies: { EUR: 2, USD: 2 }, ...policies } });
    this.send({ kind: 'open' });
    this.send({ kind: 'open', currency: 'USD' });
    this.send({ kind: 'open', player: 'bob' });
  }

  /** The transaction with all that the draft leaves out; a new id unless it has one. */
  fill(draft: Draft): ModelTransaction {
    this.#idCount += 1;
    const common = { operator: 'op', provider: 'studio', transactionId: `new-${this.#idCount}` };
    return draft.kind === 'setOperator'
      ? { ...common, ...draft }
      : { ...common, player: 'ann', currency: 'EUR', ...draft };
  }

  /** Sends one transaction now. */
  send(draft: Draft): ModelOutcome {
    const outcome = this.model.decide(this.fill(draft), this.nowMs);
    this.expectZeroSums();
    return outcome;
  }

  /** Sends transactions one by one and answers with their codes. */
  codes(...drafts: Draft[]): number[] {
    return drafts.map((draft) => this.send(draft).code);
  }

  /** Sends an atomic batch now. */
  batch(...drafts: Draft[]): ModelOutcome[] {
    const filled = drafts.map((draft) => this.fill(draft));
    const outcomes = this.model.decideAtomic(filled, this.nowMs);
    this.expectZeroSums();
    return outcomes;
  }

  /** Puts money into ann's cash and bonus. */
  fund(amounts: { cash?: number; bonus?: number }): void {
    if (amounts.cash !== undefined) {
      this.send({ kind: 'deposit', amount: amounts.cash });
    }
    if (amounts.bonus !== undefined) {
      this.send({ kind: 'grant', amount: amounts.bonus });
    }
  }

  /** Ann's cash, bonus and held in EUR. */
  get buckets(): [cash: number, bonus: number, held: number] {
    const found = this.model.balances('op', 'ann', 'EUR');
    return [found?.cash ?? 0, found?.bonus ?? 0, found?.held ?? 0];
  }

  /** Law 5: double entry. */
  expectZeroSums(): void {
    for (const currency of ['EUR', 'USD']) {
      const totals = Object.values(this.model.totals('op', currency));
      expect(totals.reduce((sum, each) => sum + each, 0n)).toBe(0n);
    }
  }
}

// Applies usual records: bets, wins and deposits that moved their amount of cash, and opens. Their
// outcomes come as whole rows that the kernel made, so that runs of them are stored in one piece; what they
// do to accounts and rounds goes through the same functions as live. Any other record is the
// business of replay-records.ts.
import { assert } from '../assert.ts';
import { OpeningWord } from '../kernel/outcome-code.ts';
import { Field, Kind } from '../kinds.ts';
import type { Decision } from '../records/decision.ts';
import { OUTCOME_WORDS, OutcomeTrait, OutcomeWord } from '../tables/outcome-rows.ts';
import { applyEffects, takeSequence } from './apply-decision.ts';
import { findBetOfWin } from './judge-win.ts';
import { type ReplayBatch, Usual, usualRoundAt } from './replay-batch.ts';
import type { ShardState } from './shard-state.ts';

const ROW_DOUBLES = OUTCOME_WORDS / 2;
const AMOUNT_DOUBLE = OutcomeWord.amountMinor / 2;
const CASH_DOUBLE = OutcomeWord.cashMinor / 2;

/** See the head of this file. */
export class UsualReplay {
  readonly #state: ShardState;

  constructor(state: ShardState) {
    this.#state = state;
  }

  /** Loads what applying rows will read (see load-ahead.ts); the result means nothing. */
  load(batch: ReplayBatch, from: number, until: number): number {
    const { accounts, index } = this.#state;
    const { key, reference, round } = batch.usualKeys;
    if (batch.usual[from] === Usual.opening) {
      const words = OUTCOME_WORDS;
      return (
        index.loadSlots(key, from, until) ^
        accounts.loadSlotsOf(batch.outcomes, from * words, until * words, words)
      );
    }
    const roundFrom = usualRoundAt(from);
    let loaded = accounts.loadRows(batch.records.accountRow, from, until);
    loaded ^= index.loadSlots(key, from, until);
    loaded ^= index.loadSlots(reference, from, until);
    loaded ^= index.loadSlotsOf(round, roundFrom, usualRoundAt(until), OUTCOME_WORDS);
    return loaded ^ index.loadOutcomes(reference, from, until);
  }

  /** Applies rows that are all of the same usual form. */
  applyRun(batch: ReplayBatch, from: number, until: number): void {
    const { index } = this.#state;
    if (batch.usual[from] === Usual.opening) {
      for (let row = from; row < until; row += 1) this.#applyOpening(batch, row);
      return;
    }
    const first = index.outcomes.append(batch.outcomes, from, until - from);
    for (let row = from; row < until; row += 1) {
      this.#applyRow(batch, row, first + row - from);
    }
  }

  #applyOpening(batch: ReplayBatch, row: number): void {
    const state = this.#state;
    const { outcomes, outcomeSource, records, usualDecision: decision, usualKeys } = batch;
    const at = row * OUTCOME_WORDS;
    decision.timeMs = records.timeMs[row];
    takeSequence(state, decision);
    const accountRow = state.accounts.add(
      outcomes,
      at + OpeningWord.accountHash,
      outcomes[at + OpeningWord.owner],
      outcomeSource,
      (at + OpeningWord.player) * 4,
      outcomes[at + OpeningWord.byteCount],
    );
    assert(accountRow === records.accountRow[row], 'accounts are numbered in the order of opening');
    const { sequence, timeMs } = decision;
    state.index.insertOpening(usualKeys.key, row * 4, accountRow, sequence, timeMs);
  }

  #applyRow(batch: ReplayBatch, row: number, outcomeRow: number): void {
    const state = this.#state;
    const { index } = state;
    const decision = batch.usualDecision;
    this.#fillDecision(batch, row);
    if (decision.kind === Kind.win) this.#resolveWin(decision, outcomeRow);
    takeSequence(state, decision);
    applyEffects(state, decision);
    index.insertOutcome(decision.keys.key, row * 4, outcomeRow);
  }

  /** Fills what the effects of these kinds read; what others need stays as it was made: empty. */
  #fillDecision(batch: ReplayBatch, row: number): void {
    const { accounts } = this.#state;
    const { outcomeDoubles, records, usualDecision: decision } = batch;
    const kind = batch.columns.kind[row];
    const fields = batch.columns.fields[row];
    const accountRow = records.accountRow[row];
    const amountMinor = outcomeDoubles[row * ROW_DOUBLES + AMOUNT_DOUBLE];
    const cashMinor = outcomeDoubles[row * ROW_DOUBLES + CASH_DOUBLE];
    const cashMovedMinor = kind === Kind.bet ? -amountMinor : amountMinor;
    accounts.readInto(accountRow, decision);
    assert(
      decision.cashBeforeMinor + cashMovedMinor === cashMinor &&
        decision.bonusBeforeMinor === 0 &&
        decision.heldBeforeMinor === 0,
      'balances after a record are those that it carries',
    );
    decision.row = row;
    decision.kind = kind;
    decision.fields = fields;
    decision.timeMs = records.timeMs[row];
    decision.traits = (fields & Field.round) !== 0 ? OutcomeTrait.roundNamed : 0;
    decision.accountRow = accountRow;
    decision.owner = accounts.owner(accountRow);
    decision.extra = 0;
    decision.amountMinor = amountMinor;
    decision.cashMovedMinor = cashMovedMinor;
    decision.cashMinor = cashMinor;
    decision.roundAt = usualRoundAt(row);
    decision.roundRow = -2;
  }

  /** A win belongs to the round of the accepted bet that it refers to, whichever it names. */
  #resolveWin(decision: Decision, outcomeRow: number): void {
    const { index } = this.#state;
    const { outcomes } = index;
    const betRow = findBetOfWin(this.#state, decision);
    if (betRow < 0) return;
    const { round } = decision.keys;
    const { roundAt } = decision;
    if (outcomes.roundEquals(betRow, round, roundAt)) return;
    if ((decision.fields & Field.round) !== 0) {
      decision.traits |= OutcomeTrait.joinedOther;
      decision.extra = round[roundAt];
    }
    outcomes.readRoundKey(betRow, round, roundAt);
    outcomes.setJoinedRound(outcomeRow, decision);
  }
}

// Applies usual records: bets, wins and deposits that moved their amount of cash, and opens. Their
// outcomes come as whole rows that the kernel made, so that runs of them are stored in one piece;
// what they do to rounds goes through the same functions as live, but for a bet that opens its
// round. Any other record is the business of replay-records.ts.
import { assert, InvariantError } from '../assert.ts';
import { OpeningWord } from '../kernel/outcome-code.ts';
import { Field, Kind } from '../kinds.ts';
import { PASS_TRANSACTIONS_MAX } from '../limits.ts';
import { OUTCOME_WORDS, OutcomeWord } from '../tables/outcome-rows.ts';
import { RoundState } from '../tables/round-rows.ts';
import { SystemAccount } from '../tables/system-accounts.ts';
import { applyWin, takeSequence } from './apply-decision.ts';
import { closeRound, enlistRound } from './effects.ts';
import { type ReplayBatch, Usual, usualRoundAt } from './replay-batch.ts';
import { refuseRecord } from './replay-error.ts';
import type { ShardState } from './shard-state.ts';

const ROW_DOUBLES = OUTCOME_WORDS / 2;
const AMOUNT_DOUBLE = OutcomeWord.amountMinor / 2;
const CASH_DOUBLE = OutcomeWord.cashMinor / 2;

/** See the head of this file. */
export class UsualReplay {
  readonly #state: ShardState;
  readonly #roundRow = new Int32Array(PASS_TRANSACTIONS_MAX);

  constructor(state: ShardState) {
    this.#state = state;
  }

  /** Loads what applying plays will read (see load-ahead.ts); the result means nothing. */
  load(batch: ReplayBatch, from: number, until: number): number {
    const { accounts, index } = this.#state;
    const { key, round } = batch.usualKeys;
    const roundFrom = usualRoundAt(from);
    let loaded = accounts.loadRows(batch.records.accountRow, from, until);
    loaded ^= index.loadSlots(key, from, until);
    loaded ^= index.loadSlotsOf(round, roundFrom, usualRoundAt(until), OUTCOME_WORDS);
    return loaded ^ this.#loadOfWins(batch, from, until);
  }

  /** The same for openings. */
  loadOpenings({ outcomes, usualKeys }: ReplayBatch, from: number, until: number): number {
    const { accounts, index } = this.#state;
    const words = OUTCOME_WORDS;
    const loaded = accounts.loadSlotsOf(outcomes, from * words, until * words, words);
    return loaded ^ index.loadSlots(usualKeys.key, from, until);
  }

  /** Loads rounds of wins, whose slots were loaded: those that are seen at a glance. */
  #loadOfWins(batch: ReplayBatch, from: number, until: number): number {
    const { index } = this.#state;
    const { kind } = batch.columns;
    const { round } = batch.usualKeys;
    const roundRow = this.#roundRow;
    let count = 0;
    for (let row = from; row < until; row += 1) {
      if (kind[row] !== Kind.win) continue;
      roundRow[count] = index.roundAtHome(round[usualRoundAt(row)]);
      count += 1;
    }
    return index.rounds.rows.load(roundRow, 0, count);
  }

  /** Applies rows that are all of the same usual form. */
  applyRun(batch: ReplayBatch, from: number, until: number): void {
    const { index } = this.#state;
    if (batch.usual[from] === Usual.opening) {
      for (let row = from; row < until; row += 1) this.#applyOpening(batch, row);
      return;
    }
    const first = index.outcomes.append(batch.outcomes, from, until - from);
    // In loops of their own: the processor then works on several rows at once.
    for (let row = from; row < until; row += 1) this.#moveCash(batch, row, from);
    for (let row = from; row < until; row += 1) this.#enterRow(batch, row, first + row - from);
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

  /**
   * Moves a row's cash; balances after are compared with the record's. `from` is the row of the
   * next sequence.
   */
  #moveCash(batch: ReplayBatch, row: number, from: number): void {
    const { accounts, sequence, system } = this.#state;
    const { outcomeDoubles, records } = batch;
    const kind = batch.columns.kind[row];
    const accountRow = records.accountRow[row];
    const amountMinor = outcomeDoubles[row * ROW_DOUBLES + AMOUNT_DOUBLE];
    const movedMinor = kind === Kind.bet ? -amountMinor : amountMinor;
    const cashMinor = outcomeDoubles[row * ROW_DOUBLES + CASH_DOUBLE];
    if (!accounts.moveCash(accountRow, movedMinor, cashMinor)) {
      const broken = 'Broken invariant: balances after a record are those that it carries';
      throw refuseRecord(sequence + 1 + row - from, new InvariantError(broken));
    }
    const owner = accounts.owner(accountRow);
    const counterpart = kind === Kind.deposit ? SystemAccount.cashier : SystemAccount.house;
    if (movedMinor !== 0) system.add(owner, counterpart, -movedMinor);
    records.owner[row] = owner;
  }

  /** Enters a row in the index, and in its round; the account has its balances. */
  #enterRow(batch: ReplayBatch, row: number, outcomeRow: number): void {
    const state = this.#state;
    const { columns, records, usualDecision: decision } = batch;
    const kind = columns.kind[row];
    decision.timeMs = records.timeMs[row];
    takeSequence(state, decision);
    if (kind === Kind.bet) this.#enterBet(batch, row);
    else if (kind === Kind.win) this.#enterWin(batch, row);
    state.index.insertOutcome(batch.usualKeys.key, row * 4, outcomeRow);
  }

  #enterBet(batch: ReplayBatch, row: number): void {
    const state = this.#state;
    const { index } = state;
    const { rounds } = index;
    const { columns, outcomeDoubles, outcomes, records } = batch;
    const { sequence, timeMs } = batch.usualDecision;
    const roundAt = usualRoundAt(row);
    const stakeMinor = outcomeDoubles[row * ROW_DOUBLES + AMOUNT_DOUBLE];
    const ends = (columns.fields[row] & Field.roundEnd) !== 0;
    const roundRow = index.findRound(outcomes, roundAt);
    if (roundRow >= 0) {
      if (ends) closeRound(state, roundRow, records.owner[row] >>> 8, RoundState.closedByEnd);
      rounds.addBet(roundRow, stakeMinor, 0);
      return;
    }
    const roundState = ends ? RoundState.closedByEnd : RoundState.open;
    const accountRow = records.accountRow[row];
    const newRow = rounds.addPlayed(
      outcomes,
      roundAt,
      accountRow,
      timeMs,
      sequence,
      roundState,
      stakeMinor,
      0,
    );
    index.insertFoundRound(newRow);
    if (!ends) enlistRound(state, records.owner[row] >>> 8, newRow);
  }

  #enterWin(batch: ReplayBatch, row: number): void {
    const state = this.#state;
    const { columns, outcomeDoubles, records, usualDecision: decision } = batch;
    decision.row = row;
    decision.kind = Kind.win;
    decision.fields = columns.fields[row];
    decision.accountRow = records.accountRow[row];
    decision.owner = records.owner[row];
    decision.amountMinor = outcomeDoubles[row * ROW_DOUBLES + AMOUNT_DOUBLE];
    decision.roundAt = usualRoundAt(row);
    decision.roundRow = -2;
    applyWin(state, decision);
  }
}

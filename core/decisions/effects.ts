// The changes that a decision can make to a shard's state. Each notes its inverse while an atomic
// batch is judged (rule 30); elsewhere that costs one test. The inverses stand in functions of
// their own: a closure inside a hot function would make V8 allocate a context at each call.
import { assert } from '../assert.ts';
import { Field } from '../kinds.ts';
import type { Decision } from '../records/decision.ts';
import { RoundCount, RoundLink, RoundState } from '../tables/round-rows.ts';
import type { ShardState } from './shard-state.ts';

/** Sets an account's buckets to the decision's balances after and posts the counterpart. */
export function moveMoney(state: ShardState, decision: Decision, systemAccount: number): void {
  const { accountRow, owner } = decision;
  const movedMinor = decision.cashMovedMinor + decision.bonusMovedMinor + decision.heldMovedMinor;
  if (state.undo.isOn) undoMoveMoney(state, accountRow, owner, systemAccount, movedMinor);
  state.accounts.setBuckets(
    accountRow,
    decision.cashMinor,
    decision.bonusMinor,
    decision.heldMinor,
  );
  if (movedMinor !== 0) state.system.add(owner, systemAccount, -movedMinor);
}

function undoMoveMoney(
  state: ShardState,
  accountRow: number,
  owner: number,
  systemAccount: number,
  movedMinor: number,
): void {
  const { accounts } = state;
  const cashMinor = accounts.cashMinor(accountRow);
  const bonusMinor = accounts.bonusMinor(accountRow);
  const heldMinor = accounts.heldMinor(accountRow);
  state.undo.note(() => {
    accounts.setBuckets(accountRow, cashMinor, bonusMinor, heldMinor);
    state.system.add(owner, systemAccount, movedMinor);
  });
}

/**
 * The round of the decision's round key, opened if it is new. `ends` says that this record closes
 * it too, so that a round of one bet never enters the list of open ones.
 */
export function joinRound(state: ShardState, decision: Decision, ends: boolean): number {
  const { index } = state;
  let row = decision.roundRow;
  const { round } = decision.keys;
  const { roundAt } = decision;
  if (row === -2) row = index.findRound(round, roundAt);
  if (row >= 0) {
    if (state.undo.isOn) undoRoundChange(state, row);
    if (ends) closeRound(state, row, decision.owner >>> 8, RoundState.closedByEnd);
    return row;
  }
  const { accountRow, sequence, timeMs } = decision;
  row = index.rounds.add(round, roundAt, accountRow, timeMs, sequence);
  index.insertRound(round, roundAt, row);
  if (ends) index.rounds.setState(row, RoundState.closedByEnd);
  else enlistRound(state, decision.owner >>> 8, row);
  if (state.undo.isOn) undoJoinRound(state, decision, row, ends);
  return row;
}

/**
 * Whether the decision may open a round, if it does: one that is known takes no place, and one that
 * this record ends none among the open ones. So rounds can be ended when there is no room for more.
 */
export function hasRoomForRound(state: ShardState, decision: Decision): boolean {
  if (decision.roundRow >= 0) return true;
  const { bounds, index, openRounds } = state;
  if (index.rounds.rows.rowCount >= bounds.roundsMax) return false;
  return (decision.fields & Field.roundEnd) !== 0 || openRounds.rowCount < bounds.openRoundsMax;
}

/** Puts a round that was just opened into its operator's list. */
export function enlistRound(state: ShardState, operator: number, row: number): void {
  if (state.openRounds.first(operator) < 0) state.roundsDueAtMs = 0;
  state.openRounds.append(operator, row);
}

function undoJoinRound(state: ShardState, decision: Decision, row: number, ends: boolean): void {
  const tag = decision.keys.round[decision.roundAt];
  const operator = decision.owner >>> 8;
  state.undo.note(() => {
    if (!ends) state.openRounds.remove(operator, row);
    state.index.removeRound(tag, row);
  });
}

/** Notes a round's row as it is, before its counts, stake or state change. */
export function undoRoundChange(state: ShardState, row: number): void {
  const { rows } = state.index.rounds;
  const image = rows.image(row);
  state.undo.note(() => rows.restore(row, image));
}

/** Closes a round for good or by age; one that is closed by age may still be closed for good. */
export function closeRound(state: ShardState, row: number, operator: number, how: number): void {
  const { rounds } = state.index;
  if (rounds.state(row) === RoundState.open) {
    if (state.undo.isOn) undoTakeFromList(state, row, operator);
    state.openRounds.remove(operator, row);
  }
  rounds.setState(row, how);
}

function undoTakeFromList(state: ShardState, row: number, operator: number): void {
  const previous = state.index.rounds.link(row, RoundLink.previous);
  const next = state.index.rounds.link(row, RoundLink.next);
  state.undo.note(() => state.openRounds.insert(operator, row, previous, next));
}

/** Takes a bet out of its round's live stake. */
export function takeBetFromRound(
  state: ShardState,
  row: number,
  cashStakeMinor: number,
  bonusStakeMinor: number,
): void {
  assert(row >= 0, 'an accepted bet has a round');
  const { rounds } = state.index;
  if (state.undo.isOn) undoRoundChange(state, row);
  rounds.addCount(row, RoundCount.liveBets, -1);
  rounds.addStake(row, -cashStakeMinor, -bonusStakeMinor);
}

/** Takes a win above 0 out of its round. */
export function takeWinFromRound(state: ShardState, row: number): void {
  assert(row >= 0, 'an accepted win has a round');
  if (state.undo.isOn) undoRoundChange(state, row);
  state.index.rounds.addCount(row, RoundCount.liveWins, -1);
}

/** Leaves a mark under the key that a rollback takes back. */
export function leaveMark(state: ShardState, decision: Decision): void {
  const { index } = state;
  const { extra, sequence, timeMs } = decision;
  const { reference } = decision.keys;
  const referenceAt = decision.row * 4;
  const row = index.insertMark(reference, referenceAt, extra, sequence, timeMs);
  if (state.undo.isOn) undoMark(state, reference[referenceAt], row);
}

function undoMark(state: ShardState, tag: number, row: number): void {
  state.undo.note(() => state.index.removeMark(tag, row));
}

/** Enters the decision's outcome under its key. */
export function enterOutcome(state: ShardState, decision: Decision): void {
  const row = state.index.outcomes.add(decision);
  const { key } = decision.keys;
  const keyAt = decision.row * 4;
  state.index.insertOutcome(key, keyAt, row);
  if (state.undo.isOn) undoOutcome(state, key[keyAt], row);
}

function undoOutcome(state: ShardState, tag: number, row: number): void {
  state.undo.note(() => state.index.removeOutcome(tag, row));
}

/** Makes a hold that is named by the decision's key. */
export function addHold(state: ShardState, decision: Decision): void {
  const { keys, row: keyRow, accountRow, amountMinor, expiresInMs, timeMs, sequence } = decision;
  const key = keys.key.slice(keyRow * 4, keyRow * 4 + 4);
  const expiresAtMs = expiresInMs > 0 ? timeMs + expiresInMs : 0;
  const row = state.holds.add({ key, accountRow, amountMinor, expiresAtMs, sequence });
  if (state.undo.isOn) undoAddHold(state, row);
}

function undoAddHold(state: ShardState, row: number): void {
  state.undo.note(() => state.holds.remove(row));
}

/** Takes an amount out of a hold; nothing left ends it (rule 31). */
export function reduceHold(state: ShardState, row: number, amountMinor: number): void {
  const { holds } = state;
  const remainingMinor = holds.remainingMinor(row);
  assert(row >= 0 && amountMinor <= remainingMinor, 'a hold is not taken below 0');
  if (state.undo.isOn) undoReduceHold(state, row, amountMinor);
  if (amountMinor === remainingMinor) holds.remove(row);
  else holds.setRemaining(row, remainingMinor - amountMinor);
}

function undoReduceHold(state: ShardState, row: number, amountMinor: number): void {
  const { holds } = state;
  const remainingMinor = holds.remainingMinor(row);
  if (amountMinor !== remainingMinor) {
    state.undo.note(() => holds.setRemaining(row, remainingMinor));
    return;
  }
  const facts = {
    key: holds.key(row),
    accountRow: holds.accountRow(row),
    amountMinor: remainingMinor,
    expiresAtMs: holds.expiresAtMs(row),
    sequence: holds.sequence(row),
  };
  state.undo.note(() => {
    holds.add(facts);
  });
}

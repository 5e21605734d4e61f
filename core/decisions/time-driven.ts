// Records that time makes: holds that expire and rounds that are closed by age (rules 29 and 31).
// Each stands before any decision that it matters to, and each carries the time that made it, so
// that replay needs no clock.
import { assert } from '../assert.ts';
import type { BlockContent } from '../block-content.ts';
import { Field, Kind } from '../kinds.ts';
import type { Decision } from '../records/decision.ts';
import { writeRecord } from '../records/record-writer.ts';
import { RoundState } from '../tables/round-rows.ts';
import { TransactionColumns } from '../transaction-columns.ts';
import { applyHoldExpired, applyRoundAged, takeSequence } from './apply-decision.ts';
import { computeBalances, readAccount } from './balances.ts';
import type { ShardState } from './shard-state.ts';

/** Time-driven records have no texts: the writer gets columns without rows. */
const NO_COLUMNS: TransactionColumns = new TransactionColumns(0);

/**
 * Writes at most recordCountMax records that are due, expired holds first, then aged rounds; fewer
 * when nothing more is due or the block is full. Returns how many.
 */
export function writeDueRecords(
  state: ShardState,
  timeMs: number,
  recordCountMax: number,
  block: BlockContent,
): number {
  let recordCount = 0;
  while (
    recordCount < recordCountMax &&
    block.hasRoomFor(2) &&
    expireNextHold(state, timeMs, block)
  ) {
    recordCount += 1;
  }
  while (
    recordCount < recordCountMax &&
    block.hasRoomFor(2) &&
    ageNextRound(state, timeMs, block)
  ) {
    recordCount += 1;
  }
  return recordCount;
}

/** Whether an open round has reached the age that its operator's setting allows. */
export function isRoundDue(state: ShardState, roundRow: number, timeMs: number): boolean {
  const { rounds } = state.index;
  if (rounds.state(roundRow) !== RoundState.open) return false;
  const accountRow = rounds.accountRow(roundRow);
  const operator = state.accounts.operator(accountRow);
  const { roundAgeMs } = state.directory.operator(operator).policies;
  return rounds.openedAtMs(roundRow) + roundAgeMs <= timeMs;
}

/** Logs the retention of keys, which decisions about old transactions depend on (rule 7). */
export function writeRetention(
  state: ShardState,
  retentionMs: number,
  timeMs: number,
  block: BlockContent,
): void {
  assert(Number.isSafeInteger(retentionMs) && retentionMs > 0, 'a retention is a positive time');
  const { decision } = state;
  decision.begin(Kind.setRetention, Field.amount, Math.max(timeMs, state.lastTimeMs), 0);
  decision.amountMinor = retentionMs;
  takeSequence(state, decision);
  state.retentionMs = retentionMs;
  writeRecord(block, decision, NO_COLUMNS, -1);
}

function expireNextHold(state: ShardState, timeMs: number, block: BlockContent): boolean {
  const { holds, decision } = state;
  const row = holds.firstToExpire();
  if (row < 0 || holds.expiresAtMs(row) > timeMs) return false;
  beginSystemDecision(state, decision, Kind.holdExpired, holds.accountRow(row), timeMs);
  decision.subjectSequence = holds.sequence(row);
  decision.cashMovedMinor = holds.remainingMinor(row);
  decision.heldMovedMinor = -decision.cashMovedMinor;
  computeBalances(decision);
  takeSequence(state, decision);
  applyHoldExpired(state, decision, row);
  writeRecord(block, decision, NO_COLUMNS, -1);
  return true;
}

/** Closes the due round that was opened first, over all operators. */
function ageNextRound(state: ShardState, timeMs: number, block: BlockContent): boolean {
  if (timeMs < state.roundsDueAtMs) return false;
  const { rounds } = state.index;
  let next = -1;
  let dueAtMs = Number.POSITIVE_INFINITY;
  for (const { number, policies } of state.directory.operators) {
    const row = state.openRounds.first(number);
    if (row < 0) continue;
    const rowDueAtMs = rounds.openedAtMs(row) + policies.roundAgeMs;
    if (rowDueAtMs < dueAtMs) dueAtMs = rowDueAtMs;
    if (rowDueAtMs > timeMs) continue;
    if (next < 0 || rounds.openedSequence(row) < rounds.openedSequence(next)) next = row;
  }
  if (next < 0) {
    state.roundsDueAtMs = dueAtMs;
    return false;
  }
  ageRound(state, next, timeMs, block);
  return true;
}

/** Closes a round by age with a record of its own. */
export function ageRound(
  state: ShardState,
  roundRow: number,
  timeMs: number,
  block: BlockContent,
): void {
  const { decision } = state;
  const { rounds } = state.index;
  beginSystemDecision(state, decision, Kind.roundAged, rounds.accountRow(roundRow), timeMs);
  decision.subjectSequence = rounds.openedSequence(roundRow);
  computeBalances(decision);
  takeSequence(state, decision);
  applyRoundAged(state, decision, roundRow);
  writeRecord(block, decision, NO_COLUMNS, -1);
}

function beginSystemDecision(
  state: ShardState,
  decision: Decision,
  kind: number,
  accountRow: number,
  timeMs: number,
): void {
  decision.begin(kind, 0, Math.max(timeMs, state.lastTimeMs), 0);
  decision.accountRow = accountRow;
  readAccount(state, decision);
  decision.owner = state.accounts.operator(accountRow) * 256 + state.accounts.currency(accountRow);
}

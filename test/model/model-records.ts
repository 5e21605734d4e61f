// Judging one transaction and making its record: what is known of a key, which row of the rules
// decides, what the outcome says, and what is remembered. Used by tests only.

import { ResultCode } from '../../core/result-codes.ts';
import { decideOpen, decideSetStatus } from './model-accounts.ts';
import { decideBet } from './model-bets.ts';
import {
  decideAdjust,
  decideConvertOrForfeit,
  decideDeposit,
  decideGrant,
  decideTransfer,
  decideWithdraw,
} from './model-cash.ts';
import { applyDefinition, definitionText, newOperator } from './model-definition.ts';
import { decideCaptureOrRelease, decideHold } from './model-holds.ts';
import type { Situation, Verdict } from './model-money.ts';
import { decideRollback } from './model-rollbacks.ts';
import { keyOf, type ModelAccount, type ModelPlayer, type ModelState } from './model-state.ts';
import type { BucketAmounts, ModelOutcome, ModelTransaction } from './model-transaction.ts';
import { decideWin } from './model-wins.ts';

const unrecordedCodes: readonly number[] = [
  ResultCode.accountNotFound,
  ResultCode.betNotFound,
  ResultCode.holdNotFound,
  // A hold that expires later than its operator allows, known only behind its key.
  ResultCode.malformed,
];

/** An answer that is no outcome: without balances, sequence and time. */
export function unrecorded(code: number): ModelOutcome {
  return { code, recorded: false, replay: false, noop: false, made: false };
}

/** The player whose keys, accounts and rounds the transaction speaks of ('' for setOperator). */
export function playerOf(state: ModelState, transaction: ModelTransaction): ModelPlayer {
  return state.player(transaction.operator, transaction.player ?? '');
}

/** The account that the transaction names, if it is there. */
export function accountOf(
  state: ModelState,
  transaction: ModelTransaction,
): ModelAccount | undefined {
  return playerOf(state, transaction).accounts.get(transaction.currency ?? '');
}

/**
 * What repeats are compared by: all fields but those of the key, metadata and the sender's time.
 */
export function bodyOf(transaction: ModelTransaction): string {
  const { currency, amount, round, roundEnd, reference, game, stakeless } = transaction;
  const { to, bucket, reason, expiresIn, status, definition } = transaction;
  return JSON.stringify([
    currency || '',
    amount === undefined ? 'none' : String(amount),
    round || '',
    Boolean(roundEnd),
    reference || '',
    game || '',
    Boolean(stakeless),
    to || '',
    bucket || 'cash',
    reason || '',
    expiresIn ?? 'none',
    status || '',
    definitionText(definition),
  ]);
}

/** Judges a transaction whose form is right and whose key is new, and records its outcome. */
export function judge(
  state: ModelState,
  transaction: ModelTransaction,
  nowMs: number,
): ModelOutcome {
  const before = balancesOf(state, transaction) ?? { cash: 0, bonus: 0, held: 0 };
  const verdict = findVerdict(state, transaction, nowMs);
  if (unrecordedCodes.includes(verdict.code)) {
    return unrecorded(verdict.code);
  }
  const outcome = record(state, transaction, verdict, nowMs);
  const after = balancesOf(state, transaction);
  if (after !== undefined) {
    outcome.balances = after;
    outcome.moved = { cash: after.cash - before.cash, bonus: after.bonus - before.bonus };
  }
  return outcome;
}

/** Makes the record of an outcome: the next sequence, its key burnt, a refused bet or win kept. */
export function record(
  state: ModelState,
  transaction: ModelTransaction,
  verdict: Verdict,
  nowMs: number,
): ModelOutcome {
  state.sequence += 1;
  state.lastTimeMs = nowMs;
  const outcome: ModelOutcome = {
    code: verdict.code,
    recorded: true,
    replay: false,
    noop: verdict.noop ?? false,
    made: verdict.made ?? false,
    sequence: state.sequence,
    timeMs: nowMs,
  };
  if (verdict.previousStatus !== undefined) {
    outcome.previousStatus = verdict.previousStatus;
  }
  const player = playerOf(state, transaction);
  const key = keyOf(transaction);
  player.known.set(key, { body: bodyOf(transaction), outcome });
  const { kind } = transaction;
  if ((kind === 'bet' || kind === 'win') && verdict.code !== ResultCode.ok) {
    player.originals.set(key, {
      accepted: false,
      amount: BigInt(transaction.amount ?? 0),
      currency: transaction.currency ?? '',
      roundNamed: transaction.round ?? '',
      roundKey: '',
      cash: 0n,
      bonus: 0n,
    });
  }
  return outcome;
}

/** The balances of the transaction's account as the outcome shows them. */
export function balancesOf(
  state: ModelState,
  transaction: ModelTransaction,
): BucketAmounts | undefined {
  const account = accountOf(state, transaction);
  return account && shownBalances(account);
}

/** The account's buckets as numbers. */
export function shownBalances(account: ModelAccount): BucketAmounts {
  return {
    cash: Number(account.cash),
    bonus: Number(account.bonus),
    held: Number(account.held),
  };
}

function findVerdict(state: ModelState, transaction: ModelTransaction, nowMs: number): Verdict {
  const { kind, operator, currency = '' } = transaction;
  const player = playerOf(state, transaction);
  if (kind === 'setOperator') {
    applyDefinition(transaction, state);
    return { code: ResultCode.ok };
  }
  if (kind === 'open') {
    return decideOpen(player, currency);
  }
  const account = accountOf(state, transaction);
  if (account === undefined) {
    return { code: ResultCode.accountNotFound };
  }
  return decideOnAccount({
    state,
    operator: state.operators.get(operator) ?? newOperator(),
    player,
    account,
    books: state.booksOf(operator, currency),
    transaction,
    amount: BigInt(transaction.amount ?? 0),
    currency,
    nowMs,
  });
}

function decideOnAccount(situation: Situation): Verdict {
  const { kind } = situation.transaction;
  switch (kind) {
    case 'deposit':
      return { code: decideDeposit(situation) };
    case 'withdraw':
      return { code: decideWithdraw(situation) };
    case 'bet':
      return decideBet(situation);
    case 'win':
      return { code: decideWin(situation) };
    case 'rollback':
      return { code: decideRollback(situation) };
    case 'hold':
      return { code: decideHold(situation) };
    case 'capture':
    case 'release':
      return { code: decideCaptureOrRelease(situation) };
    case 'transfer':
      return { code: decideTransfer(situation) };
    case 'grant':
      return { code: decideGrant(situation) };
    case 'convert':
    case 'forfeit':
      return { code: decideConvertOrForfeit(situation) };
    case 'adjust':
      return { code: decideAdjust(situation) };
    case 'setStatus':
      return decideSetStatus(situation);
    default:
      throw new Error(`Cannot judge a transaction because its kind has no rule: ${kind}`);
  }
}

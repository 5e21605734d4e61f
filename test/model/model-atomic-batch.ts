// Atomic batches (rule 30): all or nothing, in order. What a refusal undoes is undone by putting
// back copies of the player and the books. Used by tests only.

import { ResultCode } from '../../core/result-codes.ts';
import { formCode } from './model-form.ts';
import {
  accountOf,
  balancesOf,
  bodyOf,
  judge,
  playerOf,
  record,
  unrecorded,
} from './model-records.ts';
import { keyOf, type ModelState } from './model-state.ts';
import type { ModelOutcome, ModelTransaction } from './model-transaction.ts';

const transactionsMax = 1000;

/** Form, keys, accounts, then each in order; what is due by time was recorded before. */
export function judgeBatch(
  state: ModelState,
  transactions: readonly ModelTransaction[],
  nowMs: number,
): ModelOutcome[] {
  const [batchOf] = transactions;
  if (batchOf === undefined) {
    return [];
  }
  if (transactions.length > transactionsMax) {
    return transactions.map(() => unrecorded(ResultCode.malformed));
  }
  const forms = transactions.map((each) => formCode(each, { state, nowMs, batchOf }));
  if (forms.some((code) => code !== ResultCode.ok)) {
    return notExecuted(forms);
  }
  const repeats = findRepeats(state, transactions);
  if (repeats !== undefined) {
    return repeats;
  }
  const accounts = transactions.map((each) =>
    accountOf(state, each) === undefined ? ResultCode.accountNotFound : ResultCode.ok,
  );
  if (accounts.some((code) => code !== ResultCode.ok)) {
    return notExecuted(accounts);
  }
  return judgeInOrder(state, transactions, nowMs);
}

/** Each fault keeps its code; what had none was not executed because of the others. */
function notExecuted(codes: readonly number[]): ModelOutcome[] {
  return codes.map((code) =>
    unrecorded(code === ResultCode.ok ? ResultCode.batchNotExecuted : code),
  );
}

/** The answers if a key decides them: all known, or a conflict; undefined if all keys are new. */
function findRepeats(
  state: ModelState,
  transactions: readonly ModelTransaction[],
): ModelOutcome[] | undefined {
  const keys = transactions.map(keyOf);
  const known = transactions.map((each, index) => {
    const found = playerOf(state, each).known.get(keys[index] ?? '');
    return found && { ...found, isSame: found.body === bodyOf(each) };
  });
  const isKeyTwice = new Set(keys).size < keys.length;
  if (!isKeyTwice && known.every((found) => found === undefined)) {
    return undefined;
  }
  const firsts = known.flatMap((found) => (found?.isSame ? [found.outcome] : []));
  if (isKeyTwice || firsts.length < transactions.length) {
    return transactions.map(() => unrecorded(ResultCode.keyConflict));
  }
  return firsts.map((outcome) => ({ ...outcome, replay: true }));
}

function judgeInOrder(
  state: ModelState,
  transactions: readonly ModelTransaction[],
  nowMs: number,
): ModelOutcome[] {
  const undo = keepState(state, transactions[0]);
  const outcomes: ModelOutcome[] = [];
  for (const transaction of transactions) {
    const outcome = judge(state, transaction, nowMs);
    outcomes.push(outcome);
    if (outcome.code !== ResultCode.ok) {
      undo();
      const codes = transactions.map((each) => (each === transaction ? outcome.code : undefined));
      return outcome.recorded
        ? recordAborted(state, transactions, codes, nowMs)
        : notExecuted(codes.map((code) => code ?? ResultCode.ok));
    }
  }
  return outcomes;
}

function recordAborted(
  state: ModelState,
  transactions: readonly ModelTransaction[],
  codes: readonly (number | undefined)[],
  nowMs: number,
): ModelOutcome[] {
  return transactions.map((transaction, index) => {
    const code = codes[index] ?? ResultCode.batchAborted;
    const outcome = record(state, transaction, { code }, nowMs);
    const balances = balancesOf(state, transaction);
    if (balances !== undefined) {
      outcome.balances = balances;
      outcome.moved = { cash: 0, bonus: 0 };
    }
    return outcome;
  });
}

/** Copies all that a batch of this player can change; the function returned puts it back. */
function keepState(state: ModelState, first: ModelTransaction | undefined): () => void {
  const name = JSON.stringify([first?.operator, first?.player]);
  const player = structuredClone(state.players.get(name));
  const books = structuredClone(state.books);
  const { sequence, lastTimeMs, createdCount } = state;
  return () => {
    if (player !== undefined) {
      state.players.set(name, player);
    }
    state.books = books;
    state.sequence = sequence;
    state.lastTimeMs = lastTimeMs;
    state.createdCount = createdCount;
  };
}

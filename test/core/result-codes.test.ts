// Each result code that the engine gives, with the transaction that gives it, and what it does to
// the key; and the numbers and names, which are part of the protocol.
import { describe, expect, test } from 'vitest';
import {
  ResultCode as Code,
  isRecordedCode,
  isRetryableCode,
  resultCodeName,
} from '../../core/result-codes.ts';
import type { Draft } from '../model/model-stage.ts';
import type { ModelOutcome } from '../model/model-transaction.ts';
import { EngineStage } from '../support/engine-stage.ts';
import { adjust, bet, move, rollback, setStatus, win } from './rules/drafts.ts';

const MAX = Number.MAX_SAFE_INTEGER;

/** What goes before, and the transaction that gets the code. */
type Row = readonly [code: number, before: readonly Draft[], draft: Draft];

const hold = move('hold', 5, { transactionId: 'h' });
const rows: readonly Row[] = [
  [Code.ok, [], move('deposit', 1)],
  [Code.insufficientFunds, [], bet('b', { amount: 101 })],
  [Code.accountNotFound, [], move('deposit', 1, { player: 'eve' })],
  [Code.accountBetLocked, [setStatus('betLocked')], bet('b')],
  [Code.accountFrozen, [setStatus('frozen')], move('withdraw', 1)],
  [Code.accountClosed, [adjust(-100), setStatus('closed')], move('grant', 1)],
  [Code.roundClosed, [bet('a', { round: 'r', roundEnd: true })], bet('b', { round: 'r' })],
  [Code.betNotFound, [], win({ reference: 'b' })],
  [Code.betRolledBack, [bet('b'), rollback('b')], win({ reference: 'b' })],
  [Code.alreadyRolledBack, [bet('b'), rollback('b')], rollback('b')],
  [Code.betSettled, [bet('b'), win({ reference: 'b' })], rollback('b')],
  [
    Code.balanceSpent,
    [bet('b'), win({ reference: 'b', transactionId: 'w' }), move('withdraw', 97)],
    rollback('w', { of: 'win' }),
  ],
  [Code.referenceMismatch, [bet('b')], rollback('b', { amount: 9 })],
  [Code.holdNotFound, [], move('capture', 1, { reference: 'h' })],
  [
    Code.holdFinished,
    [hold, move('capture', 5, { reference: 'h' })],
    move('release', 1, { reference: 'h' }),
  ],
  [Code.exceedsHold, [hold], move('capture', 6, { reference: 'h' })],
  [Code.overflow, [], move('deposit', MAX)],
  [Code.accountNotEmpty, [], setStatus('closed')],
  [Code.receiverRefused, [], move('transfer', 1, { to: 'eve' })],
  [Code.malformed, [], move('deposit', 1, { round: 'r' })],
  [Code.amountOutOfRange, [], move('deposit', MAX + 1)],
  [Code.unknownCurrency, [], move('deposit', 1, { currency: 'XXX' })],
  [Code.unknownKind, [], { kind: 'gift', amount: 1 }],
  [Code.idTooLong, [], move('deposit', 1, { transactionId: 'x'.repeat(65) })],
  [Code.forbidden, [], move('deposit', 1, { operator: 'nobody' })],
  [
    Code.keyConflict,
    [move('deposit', 1, { transactionId: 'd' })],
    move('deposit', 2, { transactionId: 'd' }),
  ],
  [Code.tooLarge, [], move('deposit', 1, { metadata: 'x'.repeat(257) })],
  [Code.tooOld, [], move('deposit', 1, { sentAt: 1 })],
];

function expectForm(outcome: ModelOutcome): void {
  const isRecorded = isRecordedCode(outcome.code);
  expect(outcome.recorded).toBe(isRecorded);
  expect(outcome.balances !== undefined).toBe(isRecorded);
  if (outcome.code !== Code.ok && isRecorded) expect(outcome.moved).toEqual({ cash: 0, bonus: 0 });
}

describe('each code, and whether it is recorded', () => {
  test.each(rows.map((row) => [resultCodeName(row[0]), ...row] as const))(
    '%s',
    (_, code, before, draft) => {
      const stage = new EngineStage().fund({ cash: 100 });
      stage.sendAll(before);
      const sequenceBefore = stage.shard.sequence;
      const own = { transactionId: 'own', ...draft };
      const outcome = stage.send(own);
      expect(outcome.code).toBe(code);
      expectForm(outcome);
      expect(stage.shard.sequence).toBe(sequenceBefore + (isRecordedCode(code) ? 1 : 0));
      stage.crash();
      expect(stage.send(own)).toEqual({ ...outcome, replay: isRecordedCode(code) });
    },
  );

  test('batch_aborted and batch_not_executed: the neighbours of a refused member', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    const aborted = stage.batch(bet('a'), bet('b', { amount: 1000 }));
    expect(aborted.map(({ code }) => code)).toEqual([Code.batchAborted, Code.insufficientFunds]);
    const unexecuted = stage.batch(bet('c'), win({ reference: 'no' }));
    expect(unexecuted.map(({ code }) => code)).toEqual([Code.batchNotExecuted, Code.betNotFound]);
    for (const outcome of [...aborted, ...unexecuted]) expectForm(outcome);
  });

  test('overloaded: a table at its bound', () => {
    const stage = new EngineStage({}, { bounds: { accountsMax: 3 } });
    const outcome = stage.send({ kind: 'open', player: 'eve' });
    expect(outcome.code).toBe(Code.overloaded);
    expectForm(outcome);
    expect(isRetryableCode(outcome.code)).toBe(true);
  });

  test('every code is in the table, but for limits (no kind yet) and the gateway’s own', () => {
    const elsewhere: readonly number[] = [
      Code.batchAborted,
      Code.batchNotExecuted,
      Code.overloaded,
    ];
    const notTheEngines: readonly number[] = [Code.limitReached, 61, 62, 63, 64];
    const known = [...rows.map(([code]) => code), ...elsewhere, ...notTheEngines];
    expect(known.toSorted((a, b) => a - b)).toEqual(Object.values(Code).toSorted((a, b) => a - b));
  });
});

test('numbers and names are those of the protocol', () => {
  const protocol =
    '0 ok, 10 insufficient_funds, 11 account_not_found, 12 account_bet_locked, 13 ' +
    'account_frozen, 14 account_closed, 15 round_closed, 16 bet_not_found, 17 ' +
    'bet_rolled_back, 18 already_rolled_back, 19 bet_settled, 20 balance_spent, 21 ' +
    'reference_mismatch, 22 hold_not_found, 23 hold_finished, 24 exceeds_hold, 25 ' +
    'limit_reached, 26 overflow, 27 batch_aborted, 28 account_not_empty, 29 receiver_refused, ' +
    '40 malformed, 41 amount_out_of_range, 42 unknown_currency, 43 unknown_kind, 44 ' +
    'id_too_long, 45 forbidden, 46 key_conflict, 47 too_large, 48 batch_not_executed, 49 ' +
    'too_old, 60 overloaded, 61 starting, 62 stopping, 63 clock_unsure, 64 disk_reserve';
  const named = Object.values(Code).map((code) => `${code} ${resultCodeName(code)}`);
  expect(named.join(', ')).toBe(protocol);
  expect(resultCodeName(99)).toBe('code_99');
});

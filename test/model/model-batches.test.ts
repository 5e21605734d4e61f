// Claims of the wallet's rules about atomic batches, holds, status and transfers (rules 28, 30 to
// 33), checked on the model itself by hand-written cases.

import { describe, expect, test } from 'vitest';
import { ResultCode as Code } from '../../core/result-codes.ts';
import { type Draft, Stage } from './model-stage.ts';

const bet = (transactionId: string, rest: Partial<Draft> = {}): Draft => ({
  kind: 'bet',
  amount: 10,
  transactionId,
  ...rest,
});

function codesOf(outcomes: readonly { code: number }[]): number[] {
  return outcomes.map(({ code }) => code);
}

describe('atomic batches', () => {
  test('rule 28: a bet and its rollback in one batch are taken in order', () => {
    const stage = new Stage();
    stage.fund({ cash: 10 });
    const outcomes = stage.batch(bet('b'), { kind: 'rollback', reference: 'b' });
    expect(outcomes.map(({ balances }) => balances?.cash)).toEqual([0, 10]);
  });

  test('rule 30: a refusal undoes all, burns all keys and shows the balances before', () => {
    const stage = new Stage({ unknownBetRollback: 'refuse' });
    stage.fund({ cash: 15 });
    const drafts = [
      { kind: 'rollback', reference: 'later', transactionId: 'r' },
      bet('a', { round: 'r' }),
      bet('b', { round: 'r' }),
      { kind: 'hold', amount: 1, transactionId: 'h' },
    ];
    const outcomes = stage.batch(...drafts);
    expect(codesOf(outcomes)).toEqual([27, 27, 10, 27]);
    expect(outcomes.map(({ balances }) => balances?.cash)).toEqual([15, 15, 15, 15]);
    expect(outcomes.every(({ recorded }) => recorded)).toBe(true);
    const repeats = drafts.map((draft) => stage.send(draft));
    expect(repeats).toEqual(outcomes.map((outcome) => ({ ...outcome, replay: true })));
    expect(stage.batch(...drafts)).toEqual(repeats);
    expect(
      stage.codes(
        bet('later', { amount: 1 }),
        { kind: 'win', amount: 1, round: 'r' },
        { kind: 'release', amount: 1, reference: 'h' },
        { kind: 'rollback', reference: 'a' },
        { kind: 'rollback', reference: 'a' },
      ),
    ).toEqual([0, Code.betNotFound, Code.holdNotFound, 0, Code.alreadyRolledBack]);
  });

  test('rule 30: an unrecorded answer burns no key', () => {
    const stage = new Stage();
    stage.fund({ cash: 15 });
    const before = stage.model.sequence;
    const win: Draft = { kind: 'win', amount: 1, reference: 'unknown' };
    expect(codesOf(stage.batch(bet('a'), win))).toEqual([48, Code.betNotFound]);
    expect(codesOf(stage.batch(bet('a'), { kind: 'transfer', amount: 1, to: 'bob' }))).toEqual([
      48, 40,
    ]);
    expect(codesOf(stage.batch(bet('a'), bet('z', { player: 'bob' })))).toEqual([48, 40]);
    expect(stage.model.sequence).toBe(before);
    expect(codesOf(stage.batch(bet('a')))).toEqual([0]);
  });

  test('rule 30: every record has an account, so a missing one is found before any refusal', () => {
    const stage = new Stage();
    const outcomes = stage.batch(
      { kind: 'withdraw', amount: 5, player: 'bob' },
      { kind: 'deposit', amount: 5, player: 'bob', currency: 'USD' },
    );
    expect(codesOf(outcomes)).toEqual([Code.batchNotExecuted, Code.accountNotFound]);
  });

  test('rule 30: a key twice, some known or another body make all conflict', () => {
    const stage = new Stage();
    stage.fund({ cash: 100 });
    expect(codesOf(stage.batch(bet('a'), bet('a')))).toEqual([46, 46]);
    stage.batch(bet('a'), bet('b'));
    expect(codesOf(stage.batch(bet('a'), bet('c')))).toEqual([46, 46]);
    expect(codesOf(stage.batch(bet('a'), bet('b', { amount: 1 })))).toEqual([46, 46]);
    expect(stage.batch(bet('a'), bet('b')).every(({ replay }) => replay)).toBe(true);
  });
});

describe('holds', () => {
  test('rule 31: a hold is captured and released in parts until nothing is left', () => {
    const stage = new Stage();
    stage.fund({ cash: 100 });
    stage.send({ kind: 'hold', amount: 50, transactionId: 'h' });
    const part = { amount: 20, reference: 'h' };
    expect(
      stage.codes(
        { kind: 'capture', ...part },
        { kind: 'release', ...part },
        { kind: 'capture', ...part },
        { kind: 'capture', amount: 10, reference: 'h' },
        { kind: 'release', amount: 1, reference: 'h' },
        { kind: 'capture', ...part, provider: 'other' },
        { kind: 'capture', ...part, currency: 'USD' },
      ),
    ).toEqual([0, 0, Code.exceedsHold, 0, Code.holdFinished, 22, 22]);
    expect(stage.buckets).toEqual([70, 0, 0]);
  });

  test('rule 31: what is left expires by a record of its own before the next decision', () => {
    const stage = new Stage();
    stage.fund({ cash: 100 });
    stage.send({ kind: 'hold', amount: 50, transactionId: 'late', expiresIn: 2000 });
    stage.send({ kind: 'hold', amount: 30, transactionId: 'soon', expiresIn: 1000 });
    stage.nowMs += 999;
    expect(stage.codes({ kind: 'capture', amount: 10, reference: 'soon' })).toEqual([0]);
    stage.nowMs += 1001;
    const events = stage.model.advance(stage.nowMs);
    expect(events.map(({ transactionId, amount }) => [transactionId, amount])).toEqual([
      ['soon', 20],
      ['late', 50],
    ]);
    expect(stage.codes({ kind: 'capture', amount: 1, reference: 'soon' })).toEqual([23]);
    expect(stage.buckets).toEqual([90, 0, 0]);
  });
});

describe('a hold next to a negative bonus', () => {
  test('no money comes in that would keep a release or an expiry from fitting back', () => {
    const stage = new Stage();
    const largest = Number.MAX_SAFE_INTEGER;
    stage.fund({ cash: largest });
    stage.send({ kind: 'hold', amount: 50, transactionId: 'h', expiresIn: 1000 });
    stage.send({ kind: 'adjust', amount: -50, reason: 'r', bucket: 'bonus' });
    expect(stage.codes({ kind: 'deposit', amount: 50 })).toEqual([Code.overflow]);
    expect(stage.buckets).toEqual([largest - 50, -50, 50]);
    stage.nowMs += 1000;
    expect(stage.model.advance(stage.nowMs)).toHaveLength(1);
    expect(stage.buckets).toEqual([largest, -50, 0]);
  });
});

describe('status', () => {
  const attempts: Draft[] = [
    { kind: 'deposit', amount: 1 },
    { kind: 'bet', amount: 0 },
    { kind: 'withdraw', amount: 1 },
    { kind: 'hold', amount: 1 },
    { kind: 'transfer', amount: 1, to: 'bob' },
    { kind: 'grant', amount: 1 },
    { kind: 'convert', amount: 1 },
    { kind: 'adjust', amount: 1, reason: 'r' },
  ];
  test.each([
    ['active', [0, 0, 0, 0, 0, 0, 0, 0]],
    ['betLocked', [12, 12, 0, 0, 0, 0, 0, 0]],
    ['frozen', [13, 13, 13, 13, 13, 0, 0, 0]],
    ['closed', [14, 14, 14, 14, 14, 14, 14, 0]],
  ] as const)('rule 32: what an account that is %s may do', (status, expected) => {
    const stage = new Stage();
    if (status !== 'closed') {
      stage.fund({ cash: 100 });
    }
    stage.send({ kind: 'setStatus', status });
    expect(stage.codes(...attempts)).toEqual(expected);
  });

  test('rule 32: only an empty account is closed, and the status before is told', () => {
    const stage = new Stage();
    stage.fund({ cash: 1 });
    expect(stage.codes({ kind: 'setStatus', status: 'closed' })).toEqual([Code.accountNotEmpty]);
    stage.send({ kind: 'setStatus', status: 'betLocked' });
    expect(stage.send({ kind: 'setStatus', status: 'frozen' }).previousStatus).toBe('betLocked');
  });

  test('rule 33: open says whether it made the account and never reopens', () => {
    const stage = new Stage();
    const open: Draft = { kind: 'open', player: 'eve', transactionId: 'o' };
    expect(stage.send(open)).toMatchObject({ code: 0, made: true, replay: false });
    stage.send({ kind: 'setStatus', player: 'eve', status: 'closed' });
    expect(stage.send(open)).toMatchObject({ made: true, replay: true });
    expect(stage.send({ kind: 'open', player: 'eve' })).toMatchObject({ code: 0, made: false });
    expect(stage.model.balances('op', 'eve', 'EUR')?.status).toBe('closed');
  });

  test('rule 33: a receiver that is missing, not active or full is refused', () => {
    const stage = new Stage();
    stage.fund({ cash: 100 });
    const transfer: Draft = { kind: 'transfer', amount: 1, to: 'bob' };
    expect(stage.codes({ ...transfer, to: 'nobody' }, transfer)).toEqual([29, 0]);
    const rest = Number.MAX_SAFE_INTEGER - 1;
    stage.send({ kind: 'deposit', player: 'bob', amount: rest });
    expect(stage.codes(transfer)).toEqual([29]);
    stage.send({ kind: 'withdraw', player: 'bob', amount: rest });
    stage.send({ kind: 'setStatus', player: 'bob', status: 'betLocked' });
    expect(stage.codes(transfer)).toEqual([29]);
  });
});

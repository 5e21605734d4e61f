// Claims of the wallet's rules about keys, form, money and bets (rules 1 to 14, 35, 38), checked on
// the model itself by hand-written cases.

import { describe, expect, test } from 'vitest';
import { ResultCode as Code } from '../../core/result-codes.ts';
import { type Draft, dayMs, Stage } from './model-stage.ts';

const largest = Number.MAX_SAFE_INTEGER;

describe('keys', () => {
  test('rule 1: provider, player, kind and what is rolled back are part of the key', () => {
    const stage = new Stage();
    stage.fund({ cash: 100 });
    const id = { transactionId: 'same', amount: 5 };
    expect(
      stage.codes(
        { kind: 'bet', round: 'r', ...id },
        { kind: 'win', round: 'r', ...id },
        { kind: 'bet', provider: 'other', ...id },
        { kind: 'deposit', player: 'bob', ...id },
        { kind: 'deposit', ...id },
        { kind: 'rollback', of: 'win', reference: 'same', transactionId: 'same' },
        { kind: 'rollback', reference: 'same', transactionId: 'same' },
      ),
    ).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(stage.buckets).toEqual([100, 0, 0]);
  });

  test('rule 2: a repeat gets the first outcome with the balances of then', () => {
    const stage = new Stage();
    const deposit: Draft = { kind: 'deposit', amount: 70, transactionId: 'd' };
    const first = stage.send(deposit);
    stage.fund({ cash: 5 });
    expect(stage.send(deposit)).toEqual({ ...first, replay: true });
    expect(first.balances).toEqual({ cash: 70, bonus: 0, held: 0 });
    expect(stage.buckets).toEqual([75, 0, 0]);
  });

  test('rule 3: another body is a conflict, but metadata and times are not part of it', () => {
    const stage = new Stage();
    const bet: Draft = { kind: 'bet', amount: 0, transactionId: 'b', round: 'r' };
    stage.send(bet);
    const same = stage.send({
      ...bet,
      roundEnd: false,
      game: '',
      metadata: 'm',
      sentAt: stage.nowMs,
    });
    const conflict = stage.send({ ...bet, game: 'g' });
    expect([same.code, same.replay, conflict.code]).toEqual([Code.ok, true, Code.keyConflict]);
    expect([conflict.recorded, conflict.balances]).toEqual([false, undefined]);
  });

  test('rule 3: naming an amount of 0 is another body than naming none', () => {
    const stage = new Stage();
    const rollback: Draft = { kind: 'rollback', reference: 'x', transactionId: 'r' };
    expect(stage.codes(rollback, { ...rollback, amount: 0 })).toEqual([Code.ok, Code.keyConflict]);
  });

  test('rule 4: a refusal is repeated even if money has come since', () => {
    const stage = new Stage();
    const bet: Draft = { kind: 'bet', amount: 9, transactionId: 'b' };
    const refused = stage.send(bet);
    stage.fund({ cash: 50 });
    expect(refused.code).toBe(Code.insufficientFunds);
    expect(stage.send(bet)).toEqual({ ...refused, replay: true });
  });

  test('rule 4: a win that overtook its bet is paid under its own id', () => {
    const stage = new Stage();
    stage.fund({ cash: 10 });
    const win: Draft = { kind: 'win', amount: 7, reference: 'b', transactionId: 'w' };
    const bet: Draft = { kind: 'bet', amount: 3, transactionId: 'b' };
    const before = stage.model.sequence;
    const early = stage.send(win);
    expect([early.code, early.recorded, stage.model.sequence]).toEqual([
      Code.betNotFound,
      false,
      before,
    ]);
    expect(stage.codes(bet, win)).toEqual([0, 0]);
    expect(stage.buckets).toEqual([14, 0, 0]);
  });
});

describe('form', () => {
  const bet: Draft = { kind: 'bet', amount: 1 };
  const cases: [claim: string, draft: Draft, code: number][] = [
    ['an unknown kind', { kind: 'gamble' }, Code.unknownKind],
    ['limits are not there yet', { kind: 'setLimits', amount: 1 }, Code.unknownKind],
    ['a missing amount', { kind: 'bet' }, Code.malformed],
    ['a field that the kind does not have', { ...bet, to: 'bob' }, Code.malformed],
    ['an amount that is not whole', { ...bet, amount: 0.5 }, Code.malformed],
    ['a transfer to oneself', { kind: 'transfer', amount: 1, to: 'ann' }, Code.malformed],
    ['a control character', { ...bet, round: 'a\u007f' }, Code.malformed],
    ['half of a surrogate pair', { ...bet, round: '\ud800' }, Code.malformed],
    [
      'roundEnd on a win that names nothing',
      { ...bet, kind: 'win', roundEnd: true },
      Code.malformed,
    ],
    [
      'a hold longer than allowed',
      { kind: 'hold', amount: 0x7fffffff, expiresIn: 31 * dayMs },
      Code.malformed,
    ],
    ['an id of 65 bytes', { ...bet, round: `${'é'.repeat(32)}a` }, Code.idTooLong],
    ['a bet below 0', { ...bet, amount: -1 }, Code.amountOutOfRange],
    ['a bet of 2^53', { ...bet, amount: largest + 1 }, Code.amountOutOfRange],
    ['a deposit of 0', { kind: 'deposit', amount: 0 }, Code.amountOutOfRange],
    ['an adjust of 0', { kind: 'adjust', amount: 0, reason: 'r' }, Code.amountOutOfRange],
    ['metadata of 257 bytes', { ...bet, metadata: 'm'.repeat(257) }, Code.tooLarge],
    ['an unknown operator', { ...bet, operator: 'nobody' }, Code.forbidden],
    ['a currency that the operator lacks', { ...bet, currency: 'GBP' }, Code.unknownCurrency],
    [
      'a currency without an account',
      { ...bet, player: 'bob', currency: 'USD' },
      Code.accountNotFound,
    ],
  ];
  test.each(cases)('rule 9: %s is answered by itself and burns no key', (_claim, draft, code) => {
    const stage = new Stage();
    const before = stage.model.sequence;
    expect(stage.send(draft)).toEqual({
      code,
      recorded: false,
      replay: false,
      noop: false,
      made: false,
    });
    expect(stage.model.sequence).toBe(before);
  });

  test('rule 7: a sender time older than the retention less a day is too old', () => {
    const stage = new Stage();
    const oldest = stage.nowMs - 119 * dayMs;
    expect(
      stage.codes({ ...bet, amount: 0, sentAt: oldest }, { ...bet, amount: 0, sentAt: oldest - 1 }),
    ).toEqual([Code.ok, Code.tooOld]);
  });

  test('rule 7: no policy may outlast the retention, and exponents never change', () => {
    const stage = new Stage();
    const kind = 'setOperator';
    expect(
      stage.codes(
        { kind, definition: { roundAgeMs: 120 * dayMs } },
        { kind, definition: { roundAgeMs: 120 * dayMs + 1 } },
        { kind, definition: { holdExpiryMaxMs: 120 * dayMs + 1 } },
        { kind, definition: { currencies: { EUR: 3 } } },
        { kind, definition: { currencies: { EUR: 2, GBP: 2 } } },
        { kind, definition: { bucketOrder: 'bonusFirst' }, operator: 'new' },
      ),
    ).toEqual([0, Code.malformed, Code.malformed, Code.malformed, 0, Code.malformed]);
  });
});

describe('money', () => {
  test('each kind moves between its own accounts', () => {
    const stage = new Stage();
    stage.fund({ cash: 1000, bonus: 100 });
    stage.send({ kind: 'withdraw', amount: 50 });
    stage.send({ kind: 'convert', amount: 30 });
    stage.send({ kind: 'forfeit', amount: 20 });
    stage.send({ kind: 'adjust', amount: -7, reason: 'fee' });
    stage.send({ kind: 'adjust', amount: 4, reason: 'gift', bucket: 'bonus' });
    stage.send({ kind: 'transfer', amount: 3, to: 'bob' });
    stage.send({ kind: 'bet', amount: 10 });
    expect(stage.buckets).toEqual([960, 54, 0]);
    expect(stage.model.totals('op', 'EUR')).toEqual({
      players: 1017n,
      house: 10n,
      cashier: -950n,
      bonusFund: -80n,
      adjustments: 3n,
      transit: 0n,
    });
  });

  test('below zero in one bucket, bets of 0, withdraw, hold and transfer lack funds', () => {
    const stage = new Stage();
    stage.fund({ cash: 100, bonus: 10 });
    stage.send({ kind: 'adjust', amount: -11, reason: 'r', bucket: 'bonus' });
    expect(
      stage.codes(
        { kind: 'bet', amount: 0 },
        { kind: 'withdraw', amount: 1 },
        { kind: 'hold', amount: 1 },
        { kind: 'transfer', amount: 1, to: 'bob' },
        { kind: 'forfeit', amount: 1 },
      ),
    ).toEqual([10, 10, 10, 10, 10]);
  });

  test('overflow: a bucket, the sum of the buckets and the stake of a round have a bound', () => {
    const stage = new Stage();
    stage.fund({ cash: largest });
    expect(stage.codes({ kind: 'deposit', amount: 1 }, { kind: 'grant', amount: 1 })).toEqual([
      Code.overflow,
      Code.overflow,
    ]);
    stage.send({ kind: 'bet', amount: largest, round: 'r' });
    stage.fund({ cash: 1 });
    expect(
      stage.codes({ kind: 'bet', amount: 1, round: 'r' }, { kind: 'bet', amount: 1, round: 's' }),
    ).toEqual([Code.overflow, Code.ok]);
  });

  test('rule 10: a refused bet carries the real balance', () => {
    const stage = new Stage();
    stage.fund({ cash: 5, bonus: 3 });
    const refused = stage.send({ kind: 'bet', amount: 9 });
    expect(refused).toMatchObject({
      code: Code.insufficientFunds,
      balances: { cash: 5, bonus: 3, held: 0 },
      moved: { cash: 0, bonus: 0 },
    });
  });

  test('rule 14: buckets are drawn in the order of the operator, never held', () => {
    const cash = new Stage();
    cash.fund({ cash: 10, bonus: 10 });
    cash.send({ kind: 'hold', amount: 4 });
    expect(cash.send({ kind: 'bet', amount: 8 }).moved).toEqual({ cash: -6, bonus: -2 });
    const bonus = new Stage({ bucketOrder: 'bonusFirst' });
    bonus.fund({ cash: 10, bonus: 3 });
    expect(bonus.send({ kind: 'bet', amount: 8 }).moved).toEqual({ cash: -5, bonus: -3 });
  });

  test('rule 38: sequences have no gaps and times never go back', () => {
    const stage = new Stage();
    const first = stage.send({ kind: 'deposit', amount: 1 });
    stage.nowMs -= 1000;
    const second = stage.send({ kind: 'deposit', amount: 1 });
    expect(second.timeMs).toBe(first.timeMs);
    expect(second.sequence).toBe((first.sequence ?? 0) + 1);
  });
});

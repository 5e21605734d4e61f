// Rules 10 to 14 on the real engine: amounts, accounts, funds, rounds and buckets of bets.
import { describe, expect, test } from 'vitest';
import { ResultCode as Code } from '../../../core/result-codes.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { adjust, bet, move, rollback, win } from './drafts.ts';

const MAX = Number.MAX_SAFE_INTEGER;

describe('10: amounts', () => {
  test('10: a bet of 0 is legal, with an empty account too', () => {
    const stage = new EngineStage();
    expect(stage.send(bet('b', { amount: 0 }))).toMatchObject({ code: 0, recorded: true });
    expect(stage.send(win({ reference: 'b' })).code).toBe(Code.ok);
  });

  test('10: kinds other than bet, win and rollback need at least 1', () => {
    const stage = new EngineStage().fund({ cash: 100, bonus: 100 });
    const kinds = ['deposit', 'withdraw', 'hold', 'grant', 'convert', 'forfeit'];
    for (const kind of kinds) {
      expect(stage.codes(move(kind, 0), move(kind, -1), move(kind, 1))).toEqual([41, 41, 0]);
    }
    expect(stage.codes(move('transfer', 0, { to: 'bob' }))).toEqual([41]);
    expect(stage.codes(adjust(0), adjust(MAX + 1), adjust(-MAX - 1))).toEqual([41, 41, 41]);
  });

  test('10: a rollback may name 0, for a bet of 0', () => {
    const stage = new EngineStage();
    stage.codes(bet('b', { amount: 0 }));
    expect(stage.codes(rollback('b', { amount: 0 }))).toEqual([Code.ok]);
  });

  test('10: the balance may not go below zero, and a refusal carries the real balance', () => {
    const stage = new EngineStage().fund({ cash: 3, bonus: 4 });
    const refused = stage.send(bet('b', { amount: 8 }));
    expect(refused).toMatchObject({ code: 10, balances: { cash: 3, bonus: 4, held: 0 } });
    expect(refused.moved).toEqual({ cash: 0, bonus: 0 });
    expect(stage.codes(bet('c', { amount: 7 }))).toEqual([Code.ok]);
    expect(stage.buckets()).toEqual([0, 0, 0]);
  });

  test('10: below zero in one bucket refuses bets of 0, withdraw, hold and transfer', () => {
    for (const bucket of ['cash', 'bonus'] as const) {
      const stage = new EngineStage().fund({ cash: 50, bonus: 50 });
      stage.send(adjust(-51, { bucket }));
      const transfer = move('transfer', 1, { to: 'bob' });
      expect(
        stage.codes(bet('b', { amount: 0 }), move('withdraw', 1), move('hold', 1), transfer),
      ).toEqual([10, 10, 10, 10]);
      const hasBonus = bucket === 'cash';
      expect(stage.codes(move('convert', 1), move('forfeit', 1))).toEqual(
        hasBonus ? [0, 0] : [10, 10],
      );
    }
  });
});

describe('11: accounts', () => {
  test('11: a foreign currency is unknown_currency, a configured one account_not_found', () => {
    const stage = new EngineStage();
    expect(stage.codes(bet('a', { currency: 'GBP' }), bet('b', { player: 'eve' }))).toEqual([
      Code.unknownCurrency,
      Code.accountNotFound,
    ]);
    expect(stage.codes(bet('c', { player: 'bob', currency: 'USD' }))).toEqual([11]);
  });

  test('11: only open makes accounts', () => {
    const stage = new EngineStage();
    const kinds = ['deposit', 'withdraw', 'bet', 'hold', 'grant', 'convert', 'forfeit'];
    const before = stage.shard.accounts.rowCount;
    for (const kind of kinds) expect(stage.codes(move(kind, 1, { player: 'eve' }))).toEqual([11]);
    expect(stage.shard.accounts.rowCount).toBe(before);
    expect(stage.codes({ kind: 'open', player: 'eve' }, bet('b', { player: 'eve' }))).toEqual([
      0, 10,
    ]);
  });

  test('11: currencies are only added, never changed or lost', () => {
    const stage = new EngineStage().fund({ cash: 5 });
    const change = (currencies: Record<string, number>) => ({
      kind: 'setOperator',
      definition: { currencies },
    });
    expect(stage.codes(change({ EUR: 3 }), change({ GBP: 2 }), change({}))).toEqual([40, 0, 0]);
    expect(stage.codes({ kind: 'open', currency: 'GBP' }, move('deposit', 1))).toEqual([0, 0]);
    expect(stage.buckets('ann', 'GBP')).toEqual([0, 0, 0]);
  });

  test('11: a player’s currencies are accounts of their own', () => {
    const stage = new EngineStage().fund({ cash: 5 });
    stage.send(move('deposit', 7, { currency: 'USD' }));
    expect([stage.buckets(), stage.buckets('ann', 'USD')]).toEqual([
      [5, 0, 0],
      [7, 0, 0],
    ]);
  });
});

test('12: status and funds are judged with the debit: the last money is taken once', () => {
  const stage = new EngineStage().fund({ cash: 15 });
  const found = stage.sendAll([
    bet('a'),
    bet('b'),
    { kind: 'setStatus', status: 'frozen' },
    bet('c'),
  ]);
  expect(found.map(({ code }) => code)).toEqual([0, 10, 0, 13]);
});

describe('13: rounds', () => {
  test('13: a bet in a closed round is refused', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    expect(stage.codes(bet('a', { round: 'r', roundEnd: true }), bet('b', { round: 'r' }))).toEqual(
      [0, Code.roundClosed],
    );
  });

  test('13: several bets and several wins in a round are normal', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    const inRound = { round: 'r' };
    expect(
      stage.codes(bet('a', inRound), win(inRound), bet('b', inRound), win(inRound), win(inRound)),
    ).toEqual([0, 0, 0, 0, 0]);
    expect(stage.buckets()).toEqual([101, 0, 0]);
  });
});

describe('14: buckets are drawn in the operator’s order, never held', () => {
  test.each([
    ['cashFirst', [-60, -20]],
    ['bonusFirst', [-30, -50]],
  ] as const)('14: %s', (bucketOrder, [cash, bonus]) => {
    const stage = new EngineStage({ bucketOrder }).fund({ cash: 100, bonus: 50 });
    stage.send(move('hold', 40));
    const first = stage.send(bet('b', { amount: 80 }));
    expect(first.moved).toEqual({ cash, bonus });
    stage.crash();
    expect(stage.send(bet('b', { amount: 80 })).moved).toEqual({ cash, bonus });
    expect(stage.codes(bet('c', { amount: 31 }))).toEqual([Code.insufficientFunds]);
  });

  test('14: cashFirst is the default, and the order counts from the record on', () => {
    const stage = new EngineStage().fund({ cash: 100, bonus: 100 });
    expect(stage.send(bet('a')).moved).toEqual({ cash: -10, bonus: 0 });
    stage.send({ kind: 'setOperator', definition: { bucketOrder: 'bonusFirst' } });
    expect(stage.send(bet('b')).moved).toEqual({ cash: 0, bonus: -10 });
  });
});

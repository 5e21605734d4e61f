// Claims of the wallet's rules about bets, wins, rollbacks and rounds (rules 13 to 29), checked on
// the model itself by hand-written cases.

import { describe, expect, test } from 'vitest';
import { ResultCode as Code } from '../../core/result-codes.ts';
import { type Draft, Stage } from './model-stage.ts';

const hourMs = 3_600_000;
const bet = (transactionId: string, rest: Partial<Draft> = {}): Draft => ({
  kind: 'bet',
  amount: 10,
  transactionId,
  ...rest,
});
const win = (rest: Partial<Draft>): Draft => ({ kind: 'win', amount: 7, ...rest });
const rollback = (reference: string, rest: Partial<Draft> = {}): Draft => ({
  kind: 'rollback',
  reference,
  ...rest,
});

function fundedStage(policies = {}): Stage {
  const stage = new Stage(policies);
  stage.fund({ cash: 100, bonus: 100 });
  return stage;
}

describe('wins', () => {
  test('rule 15: a win is paid to a closed, a frozen and a self-excluded player', () => {
    for (const status of ['betLocked', 'frozen', 'closed'] as const) {
      const stage = new Stage();
      stage.codes({ kind: 'deposit', amount: 10 }, bet('b'), { kind: 'setStatus', status });
      expect(stage.send(win({ reference: 'b' })).code).toBe(Code.ok);
      expect(stage.buckets).toEqual([7, 0, 0]);
    }
  });

  test('rule 16: a win needs a live bet, by reference or by round', () => {
    const stage = fundedStage();
    stage.codes(bet('b', { round: 'r' }), bet('gone', { round: 's' }), rollback('gone'));
    stage.codes(bet('broke', { amount: 1000 }), bet('alone'));
    expect(
      stage.codes(
        win({ reference: 'b', round: 'r' }),
        win({ round: 'r' }),
        win({ reference: 'alone', round: 'any' }),
        win({ reference: 'b', round: 's' }),
        win({ reference: 'b', currency: 'USD' }),
        win({ reference: 'gone' }),
        win({ round: 's' }),
        win({ reference: 'broke' }),
        win({ reference: 'unknown', round: 'r' }),
        win({ round: 'new' }),
        win({}),
        win({ reference: 'b', provider: 'other' }),
      ),
    ).toEqual([0, 0, 0, 21, 21, 17, 17, 16, 16, 16, 16, 16]);
  });

  test('rule 16: winNeedsBet false forgives unknown bets, stakeless rolled-back ones too', () => {
    const stage = fundedStage({ winNeedsBet: false });
    stage.codes(bet('gone', { round: 's' }), rollback('gone'));
    expect(
      stage.codes(
        win({}),
        win({ round: 'new' }),
        win({ reference: 'unknown' }),
        win({ reference: 'gone' }),
        win({ round: 's' }),
        win({ reference: 'gone', stakeless: true }),
        win({ round: 's', stakeless: true, roundEnd: true }),
        win({ round: 's', stakeless: true }),
      ),
    ).toEqual([0, 0, 0, 17, 17, 0, 0, Code.roundClosed]);
  });

  test('rule 17: a round closed by its end refuses wins, one closed by age only bets', () => {
    const stage = fundedStage();
    stage.codes(bet('a', { round: 'ended', roundEnd: true }), bet('b', { round: 'aged' }));
    stage.nowMs += 72 * hourMs;
    expect(
      stage.codes(
        win({ round: 'ended' }),
        win({ round: 'aged' }),
        bet('c', { round: 'aged' }),
        win({ reference: 'b', roundEnd: true }),
        win({ round: 'aged' }),
      ),
    ).toEqual([15, 0, 15, 0, 15]);
  });

  test('rule 19: a win is split by the stakes live now, the bonus rounded down', () => {
    const stage = fundedStage();
    stage.send(bet('b', { amount: 150, round: 'r' }));
    const exact = 2 ** 53 - 1 - 50;
    expect(stage.send(win({ round: 'r', amount: 8 })).moved).toEqual({ cash: 6, bonus: 2 });
    expect(stage.send(win({ round: 'r', amount: exact - 8 })).moved).toEqual({
      cash: exact - 8 - Number((BigInt(exact - 8) * 50n) / 150n),
      bonus: Number((BigInt(exact - 8) * 50n) / 150n),
    });
  });
});

describe('rollbacks', () => {
  test('rule 20: a rollback moves what was recorded to the same buckets', () => {
    const stage = fundedStage();
    stage.send(bet('b', { amount: 150 }));
    expect(stage.codes(rollback('b', { amount: 149 }))).toEqual([Code.referenceMismatch]);
    expect(stage.send(rollback('b', { amount: 150 })).moved).toEqual({ cash: 100, bonus: 50 });
  });

  test('rules 21 and 26: one reversal per original, mismatches judged before it', () => {
    const stage = fundedStage();
    stage.codes(bet('b', { round: 'r' }), bet('broke', { amount: 1000 }));
    expect(
      stage.codes(
        rollback('b', { round: 's' }),
        rollback('b', { currency: 'USD' }),
        rollback('b', { round: 'r' }),
        rollback('b'),
        rollback('b', { amount: 11 }),
        rollback('broke'),
        rollback('broke'),
      ),
    ).toEqual([21, 21, 0, 18, 21, 0, 18]);
  });

  test('rule 22: a live win above 0 blocks all bets of the round until it is rolled back', () => {
    const stage = fundedStage();
    stage.codes(bet('a', { round: 'r' }), bet('b', { round: 'r' }), win({ round: 'r', amount: 0 }));
    expect(stage.codes(rollback('a'))).toEqual([0]);
    stage.send(win({ round: 'r', transactionId: 'w' }));
    const settled: Draft = rollback('b', { transactionId: 'first' });
    expect(stage.codes(settled, rollback('w', { of: 'win' }), settled, rollback('b'))).toEqual([
      Code.betSettled,
      Code.ok,
      Code.betSettled,
      Code.ok,
    ]);
  });

  test('rule 25: a spent win is refused or taken below zero, by policy', () => {
    for (const [policy, code, cash] of [
      ['reject', 20, 3],
      ['negative', 0, -4],
    ] as const) {
      const stage = new Stage({ spentWinRollback: policy });
      stage.codes(
        { kind: 'deposit', amount: 10 },
        bet('b'),
        win({ reference: 'b', transactionId: 'w' }),
      );
      stage.send({ kind: 'withdraw', amount: 4 });
      expect(stage.send(rollback('w', { of: 'win' })).code).toBe(code);
      expect(stage.buckets).toEqual([cash, 0, 0]);
    }
  });

  test('rule 27: a rollback works in a closed round and whatever the status', () => {
    const stage = new Stage();
    stage.codes({ kind: 'deposit', amount: 10 }, bet('b', { round: 'r', roundEnd: true }));
    stage.send({ kind: 'setStatus', status: 'closed' });
    expect(stage.codes(rollback('b'))).toEqual([0]);
    stage.send({ kind: 'setStatus', status: 'active' });
    expect(stage.codes(bet('c', { round: 'r' }))).toEqual([Code.roundClosed]);
  });

  test('rule 24: a late bet under noop stands in its round as rolled back, even if closed', () => {
    const stage = fundedStage({ unknownBetRollback: 'noop' });
    stage.codes(rollback('late'), bet('b', { round: 'r', roundEnd: true }));
    stage.send({ kind: 'setStatus', status: 'frozen' });
    const late = stage.send(bet('late', { amount: 5000, round: 'r' }));
    expect(late).toMatchObject({ code: Code.ok, noop: true, moved: { cash: 0, bonus: 0 } });
    expect(
      stage.codes(
        win({ reference: 'late' }),
        rollback('late'),
        win({ reference: 'late', stakeless: true }),
      ),
    ).toEqual([Code.betRolledBack, Code.alreadyRolledBack, Code.roundClosed]);
  });

  test('rule 24: the policy that counts is the one at the rollback', () => {
    const stage = fundedStage({ unknownBetRollback: 'refuse' });
    stage.send(rollback('late'));
    stage.send({ kind: 'setOperator', definition: { unknownBetRollback: 'error' } });
    expect(
      stage.codes(bet('late', { round: 'r' }), rollback('x'), rollback('x', { of: 'win' })),
    ).toEqual([Code.betRolledBack, Code.betNotFound, Code.betNotFound]);
    expect(stage.send(win({ round: 'r' })).code).toBe(Code.betNotFound);
  });
});

function orders<Item>(items: readonly Item[]): Item[][] {
  return items.length === 0
    ? [[]]
    : items.flatMap((first, index) =>
        orders(items.filter((_, other) => other !== index)).map((rest) => [first, ...rest]),
      );
}

describe.each(['refuse', 'noop', 'error'] as const)('rule 24 under %s', (policy) => {
  test.each([true, false])('in all 24 orders the bet counts once or not at all', (isSameId) => {
    const first = rollback('b', { transactionId: 'r1' });
    const again = rollback('b', { transactionId: isSameId ? 'r1' : 'r2' });
    for (const order of orders(['bet', 'bet', 'first', 'again'])) {
      const stage = fundedStage({ unknownBetRollback: policy });
      const drafts = order.map((name) =>
        name === 'bet' ? bet('b') : name === 'first' ? first : again,
      );
      const outcomes = drafts.map((draft) => stage.send(draft));
      const isBetFirst = order[0] === 'bet';
      const betStands = policy === 'error' && order[3] === 'bet' && order[2] === 'bet';
      expect(stage.buckets[0], order.join()).toBe(betStands ? 90 : 100);
      const firstBet = outcomes[order.indexOf('bet')];
      const isRefused = policy === 'refuse' && !isBetFirst;
      expect(firstBet?.code, order.join()).toBe(isRefused ? Code.betRolledBack : Code.ok);
      expect(firstBet?.noop, order.join()).toBe(policy === 'noop' && !isBetFirst);
      const secondBet = outcomes[order.lastIndexOf('bet')];
      expect(secondBet, order.join()).toEqual({ ...firstBet, replay: true });
    }
  });
});

describe('rounds', () => {
  test('rule 29: a refused bet neither opens nor ends a round', () => {
    const stage = fundedStage();
    stage.codes(bet('x', { amount: 1000, round: 'r', roundEnd: true }));
    expect(stage.codes(win({ round: 'r' }), bet('y', { round: 'r' }))).toEqual([
      Code.betNotFound,
      0,
    ]);
  });

  test('rule 29: rounds age by records of their own, by the setting as it is now', () => {
    const stage = fundedStage();
    stage.codes(bet('a', { round: 'r' }), bet('nameless'));
    stage.nowMs += hourMs;
    expect(stage.model.advance(stage.nowMs)).toEqual([]);
    stage.send({ kind: 'setOperator', definition: { roundAgeMs: hourMs } });
    const before = stage.model.sequence;
    const aged = stage.model.advance(stage.nowMs);
    expect(aged.map(({ kind, round, transactionId }) => [kind, round, transactionId])).toEqual([
      ['roundAged', 'r', 'a'],
      ['roundAged', '', 'nameless'],
    ]);
    expect(stage.model.sequence).toBe(before + 2);
    expect(stage.codes(bet('b', { round: 'r' }))).toEqual([Code.roundClosed]);
  });
});

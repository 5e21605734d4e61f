// Rules 20 to 23 and 25 to 28 on the real engine: what is taken back, when, and when not.
// Rule 24 has a file of its own.
import { describe, expect, test } from 'vitest';
import { ResultCode as Code } from '../../../core/result-codes.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { bet, move, rollback, setStatus, win } from './drafts.ts';

const funded = (policies = {}) => new EngineStage(policies).fund({ cash: 100, bonus: 100 });

describe('20: a rollback moves what the original recorded', () => {
  test('20: a bet’s money goes back to the buckets that it came from', () => {
    const stage = funded();
    stage.send(bet('b', { amount: 150 }));
    expect(stage.codes(rollback('b', { amount: 149 }))).toEqual([Code.referenceMismatch]);
    stage.crash();
    expect(stage.send(rollback('b', { amount: 150 })).moved).toEqual({ cash: 100, bonus: 50 });
    expect(stage.buckets()).toEqual([100, 100, 0]);
  });

  test('20: a win’s money is taken from the buckets that it went to', () => {
    const stage = funded();
    stage.codes(bet('b', { amount: 150 }), win({ reference: 'b', amount: 9, transactionId: 'w' }));
    const back = stage.send(rollback('w', { of: 'win', amount: 9 }));
    expect(back).toMatchObject({ code: 0, moved: { cash: -6, bonus: -3 } });
  });

  test('20: only bets and wins can be rolled back', () => {
    const stage = funded();
    stage.send(move('deposit', 5, { transactionId: 'd' }));
    const before = stage.buckets();
    // An id of a deposit is an unknown bet's: the rollback succeeds and moves nothing (rule 24).
    expect(stage.send(rollback('d')).moved).toEqual({ cash: 0, bonus: 0 });
    expect(stage.codes(rollback('d', { of: 'win' }))).toEqual([Code.betNotFound]);
    expect(stage.buckets()).toEqual(before);
  });
});

describe('21: one reversal per original', () => {
  test('21: whatever ids the rollbacks carry, also after a crash', () => {
    const stage = funded();
    stage.codes(bet('b'), rollback('b'));
    expect(stage.codes(rollback('b'), rollback('b', { game: 'g' }))).toEqual([18, 18]);
    stage.crash();
    expect(stage.codes(rollback('b'))).toEqual([Code.alreadyRolledBack]);
    expect(stage.buckets()).toEqual([100, 100, 0]);
  });

  test('21: also after a rejected and after a still unknown original', () => {
    const stage = funded();
    stage.send(bet('broke', { amount: 1000 }));
    expect(stage.codes(rollback('broke'), rollback('broke'))).toEqual([0, 18]);
    expect(stage.codes(rollback('later'), rollback('later'))).toEqual([0, 18]);
  });

  test('21: a mismatch is judged before it', () => {
    const stage = funded();
    stage.codes(bet('b', { round: 'r' }), rollback('b'));
    expect(
      stage.codes(rollback('b', { amount: 11 }), rollback('b', { round: 's' }), rollback('b')),
    ).toEqual([21, 21, 18]);
  });

  test('21: another provider’s rollback of the same id does not use it up', () => {
    const stage = funded();
    stage.send(bet('b'));
    expect(stage.codes(rollback('b', { provider: 'other' }), rollback('b'))).toEqual([0, 0]);
    expect(stage.buckets()).toEqual([100, 100, 0]);
  });
});

describe('22: a bet in a round with live wins above 0 is bet_settled', () => {
  test('22: any such win blocks all the round’s bets, until it is rolled back', () => {
    const stage = funded();
    stage.codes(bet('a', { round: 'r' }), bet('b', { round: 'r' }), bet('c', { round: 's' }));
    stage.codes(
      win({ reference: 'a', transactionId: 'w1' }),
      win({ round: 'r', transactionId: 'w2' }),
    );
    expect(stage.codes(rollback('a'), rollback('b'), rollback('c'))).toEqual([19, 19, 0]);
    stage.send(rollback('w1', { of: 'win' }));
    expect(stage.codes(rollback('a'))).toEqual([Code.betSettled]);
    stage.send(rollback('w2', { of: 'win' }));
    stage.crash();
    expect(stage.codes(rollback('a'), rollback('b'))).toEqual([0, 0]);
  });

  test('22: wins of 0 do not block', () => {
    const stage = funded();
    stage.codes(bet('a', { round: 'r' }), win({ round: 'r', amount: 0, roundEnd: true }));
    expect(stage.codes(rollback('a'))).toEqual([Code.ok]);
  });
});

test('23: a rollback of a rejected bet or win succeeds and moves nothing', () => {
  const stage = funded();
  stage.codes(bet('broke', { amount: 1000, round: 'r' }), bet('b', { round: 'r', roundEnd: true }));
  expect(stage.codes(win({ round: 'r', transactionId: 'late' }))).toEqual([Code.roundClosed]);
  const before = stage.buckets();
  const ofBet = stage.send(rollback('broke'));
  const ofWin = stage.send(rollback('late', { of: 'win' }));
  for (const outcome of [ofBet, ofWin]) {
    expect(outcome).toMatchObject({ code: 0, recorded: true, moved: { cash: 0, bonus: 0 } });
  }
  expect(stage.buckets()).toEqual(before);
});

describe('25: a rollback of a win that is spent', () => {
  test.each([
    ['reject', Code.balanceSpent, [3, 0, 0]],
    ['negative', Code.ok, [-4, 0, 0]],
  ] as const)('25: under %s', (spentWinRollback, code, buckets) => {
    const stage = new EngineStage({ spentWinRollback }).fund({ cash: 10 });
    stage.codes(bet('b'), win({ reference: 'b', transactionId: 'w' }), move('withdraw', 4));
    expect(stage.send(rollback('w', { of: 'win' })).code).toBe(code);
    expect(stage.buckets()).toEqual(buckets);
    stage.crash();
    expect(stage.buckets()).toEqual(buckets);
  });

  test('25: reject is the default and looks at credited buckets only', () => {
    const stage = new EngineStage().fund({ cash: 10 });
    stage.codes(bet('b'), win({ reference: 'b', transactionId: 'w' }), move('withdraw', 1));
    stage.send(move('grant', 50));
    expect(stage.codes(rollback('w', { of: 'win', transactionId: 'first' }))).toEqual([20]);
    stage.send(move('deposit', 1));
    expect(stage.codes(rollback('w', { of: 'win', transactionId: 'first' }))).toEqual([20]);
    expect(stage.codes(rollback('w', { of: 'win' }))).toEqual([Code.ok]);
    expect(stage.buckets()).toEqual([0, 50, 0]);
  });
});

describe('26: what does not match', () => {
  test('26: another provider’s bet is an unknown bet', () => {
    const stage = funded();
    stage.codes(bet('b'), win({ reference: 'b', transactionId: 'w' }));
    const foreign = { provider: 'other' };
    const before = stage.buckets();
    expect(stage.codes(rollback('b', foreign), rollback('w', { of: 'win', ...foreign }))).toEqual([
      Code.ok,
      Code.betNotFound,
    ]);
    expect(stage.buckets()).toEqual(before);
    expect(stage.codes(bet('b', foreign))).toEqual([Code.betRolledBack]);
  });

  test('26: another currency is a mismatch, another round where both name one', () => {
    const stage = funded();
    stage.codes(bet('b', { round: 'r' }), bet('nameless'));
    expect(
      stage.codes(
        rollback('b', { currency: 'USD' }),
        rollback('b', { round: 's' }),
        rollback('b', { round: 'r' }),
        rollback('nameless', { round: 's' }),
      ),
    ).toEqual([21, 21, 0, 0]);
  });

  test('26: a win keeps the round that it named, though it joined its bet’s nameless one', () => {
    const stage = funded();
    stage.codes(bet('b'), win({ reference: 'b', round: 'named', transactionId: 'w' }));
    stage.crash();
    expect(
      stage.codes(
        rollback('w', { of: 'win', round: 'else' }),
        rollback('w', { of: 'win', round: 'named' }),
      ),
    ).toEqual([21, 0]);
  });

  test('26: an unknown original has no fields to mismatch', () => {
    const stage = funded();
    const draft = rollback('unknown', { amount: 5, round: 'r', currency: 'USD' });
    expect(stage.codes(draft, bet('unknown'))).toEqual([Code.ok, Code.betRolledBack]);
  });
});

describe('27: a rollback works whatever the status and in a closed round', () => {
  test.each(['betLocked', 'frozen', 'closed'] as const)('27: on a %s account', (status) => {
    const stage = new EngineStage().fund({ cash: 10 });
    stage.codes(bet('b', { round: 'r', roundEnd: true }), setStatus(status));
    expect(stage.codes(rollback('b'))).toEqual([Code.ok]);
    stage.send(setStatus('active'));
    // It never reopens the round.
    expect(stage.codes(bet('c', { round: 'r' }), win({ round: 'r' }))).toEqual([15, 17]);
  });
});

describe('28: order within a message and refusals', () => {
  test('28: a bet and its rollback in one message are taken in order', () => {
    const stage = funded();
    const found = stage.sendAll([bet('b'), rollback('b'), rollback('c'), bet('c')]);
    expect(found.map(({ code }) => code)).toEqual([0, 0, 0, Code.betRolledBack]);
  });

  test('28: the same id repeats a refusal, a new id is judged anew', () => {
    const stage = funded();
    stage.codes(bet('b', { round: 'r' }), win({ round: 'r', transactionId: 'w' }));
    const refused = stage.send(rollback('b', { transactionId: 'first' }));
    expect(refused).toMatchObject({ code: Code.betSettled, recorded: true });
    stage.send(rollback('w', { of: 'win' }));
    const again = stage.send(rollback('b', { transactionId: 'first' }));
    expect(again).toEqual({ ...refused, replay: true });
    expect(stage.codes(rollback('b', { transactionId: 'second' }))).toEqual([Code.ok]);
    const late = stage.send(rollback('b', { transactionId: 'third' }));
    expect(late).toMatchObject({ code: Code.alreadyRolledBack, recorded: true });
  });
});

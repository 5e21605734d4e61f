// Rules 15 to 19 on the real engine: which wins are paid, into which round, and how they are split.
import { describe, expect, test } from 'vitest';
import { ResultCode as Code } from '../../../core/result-codes.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { bet, move, rollback, setStatus, win } from './drafts.ts';

const HOUR_MS = 3_600_000;

test.each(['betLocked', 'frozen', 'closed'] as const)(
  '15: a win is paid to a %s player',
  (status) => {
    const stage = new EngineStage().fund({ cash: 10 });
    stage.codes(bet('b'), setStatus(status));
    expect(stage.send(win({ reference: 'b' }))).toMatchObject({ code: 0, balances: { cash: 7 } });
  },
);

describe('16: a win needs a live bet of the same account and provider', () => {
  const stage = new EngineStage().fund({ cash: 100 });
  stage.codes(
    bet('b', { round: 'r' }),
    bet('alone'),
    bet('gone', { round: 's' }),
    rollback('gone'),
    bet('broke', { amount: 1000, round: 'r' }),
    bet('back', { round: 'closed' }),
    rollback('back'),
    bet('end', { round: 'closed', roundEnd: true }),
    rollback('end'),
  );
  const cases: readonly [string, Parameters<typeof win>[0], number][] = [
    ['by reference', { reference: 'b' }, Code.ok],
    ['by round', { round: 'r' }, Code.ok],
    ['by both', { reference: 'b', round: 'r' }, Code.ok],
    ['again: earlier wins do not end the bet', { reference: 'b' }, Code.ok],
    ['by reference to a bet that named no round', { reference: 'alone', round: 'any' }, Code.ok],
    ['in another round than the bet named', { reference: 'b', round: 's' }, Code.referenceMismatch],
    ['in another currency', { reference: 'b', currency: 'USD' }, Code.referenceMismatch],
    ['on a bet rolled back', { reference: 'gone' }, Code.betRolledBack],
    ['in a round whose bets are all rolled back', { round: 's' }, Code.betRolledBack],
    ['in such a round that is closed', { round: 'closed' }, Code.betRolledBack],
    ['on a rejected bet', { reference: 'broke' }, Code.betNotFound],
    ['on an unknown bet in a round with bets', { reference: 'no', round: 'r' }, Code.betNotFound],
    ['in a round without bets', { round: 'new' }, Code.betNotFound],
    ['with neither', {}, Code.betNotFound],
    ['on another provider’s bet', { reference: 'b', provider: 'other' }, Code.betNotFound],
    ['in another provider’s round', { round: 'r', provider: 'other' }, Code.betNotFound],
    ['in a round of another currency', { round: 'r', currency: 'USD' }, Code.betNotFound],
    ['on another player’s bet', { reference: 'b', player: 'bob' }, Code.betNotFound],
  ];
  test.each(cases)('16: %s', (_, fields, code) => {
    expect(stage.send(win(fields)).code).toBe(code);
  });

  test('16: winNeedsBet false forgives an unknown bet only', () => {
    const forgiving = new EngineStage({ winNeedsBet: false }).fund({ cash: 100 });
    forgiving.codes(bet('gone', { round: 's' }), rollback('gone'), bet('b', { round: 'r' }));
    expect(
      forgiving.codes(
        win({}),
        win({ round: 'new' }),
        win({ reference: 'no' }),
        win({ reference: 'gone' }),
        win({ round: 's' }),
        win({ reference: 'b', round: 's' }),
      ),
    ).toEqual([0, 0, 0, Code.betRolledBack, Code.betRolledBack, Code.referenceMismatch]);
  });

  test('16: stakeless forgives a rolled-back bet too, and obeys round_closed', () => {
    const free = new EngineStage().fund({ cash: 100 });
    free.codes(bet('gone', { round: 's' }), rollback('gone'), bet('live', { round: 's' }));
    const jackpot = { stakeless: true, round: 's' };
    expect(free.codes(win({ ...jackpot, reference: 'gone', transactionId: 'w' }))).toEqual([0]);
    // Counts for rule 22: the round has a live win now.
    expect(free.codes(rollback('live'))).toEqual([Code.betSettled]);
    expect(
      free.codes(win({ ...jackpot, roundEnd: true }), win(jackpot), win({ stakeless: true })),
    ).toEqual([0, Code.roundClosed, 0]);
  });
});

describe('17: wins and closed rounds', () => {
  test('17: a win in a closed round is refused; a repeat of a known one is not', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    const known = win({ round: 'r', transactionId: 'w' });
    stage.codes(bet('b', { round: 'r' }));
    const first = stage.send(known);
    stage.send(win({ round: 'r', amount: 0, roundEnd: true }));
    expect(stage.codes(win({ round: 'r' }), win({ reference: 'b' }))).toEqual([15, 15]);
    expect(stage.send(known)).toEqual({ ...first, replay: true });
  });

  test('17: a round closed by age refuses bets only: late wins are paid and may end it', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    stage.codes(bet('b', { round: 'r' }));
    stage.nowMs += 72 * HOUR_MS;
    expect(
      stage.codes(
        win({ round: 'r' }),
        bet('c', { round: 'r' }),
        win({ reference: 'b', roundEnd: true }),
        win({ round: 'r' }),
      ),
    ).toEqual([0, 15, 0, 15]);
  });
});

describe('18: wins of 0', () => {
  test('18: a win of 0 is recorded as a loss and can close the round', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    stage.codes(bet('b', { round: 'r' }));
    const loss = stage.send(win({ round: 'r', amount: 0, roundEnd: true }));
    expect(loss).toMatchObject({ code: 0, recorded: true, moved: { cash: 0, bonus: 0 } });
    expect(stage.codes(bet('c', { round: 'r' }))).toEqual([Code.roundClosed]);
  });

  test('18: roundEnd without round and reference is malformed', () => {
    const stage = new EngineStage({ winNeedsBet: false }).fund({ cash: 100 });
    expect(stage.codes(win({ roundEnd: true }), win({}))).toEqual([Code.malformed, 0]);
  });
});

describe('19: the split', () => {
  test('19: bonus = floor(amount × B / (C + B)), by the stakes live now, whatever was won', () => {
    const stage = new EngineStage().fund({ cash: 100, bonus: 100 });
    stage.codes(bet('a', { amount: 100, round: 'r' }), bet('b', { amount: 50, round: 'r' }));
    const splits = [8, 8, 1, 3].map((amount) => stage.send(win({ round: 'r', amount })).moved);
    expect(splits).toEqual([
      { cash: 6, bonus: 2 },
      { cash: 6, bonus: 2 },
      { cash: 1, bonus: 0 },
      { cash: 2, bonus: 1 },
    ]);
    stage.crash();
    expect(stage.send(win({ round: 'r', amount: 8 })).moved).toEqual({ cash: 6, bonus: 2 });
  });

  test('19: a bet rolled back no longer counts; without a stake all goes to cash', () => {
    const stage = new EngineStage().fund({ cash: 10, bonus: 30 });
    stage.codes(bet('cash', { round: 'r' }), bet('bonus', { amount: 30, round: 'r' }));
    stage.send(rollback('bonus'));
    expect(stage.send(win({ round: 'r', amount: 8 })).moved).toEqual({ cash: 8, bonus: 0 });
    const free = new EngineStage({ bucketOrder: 'bonusFirst' }).fund({ bonus: 30 });
    free.send(bet('free', { amount: 0, round: 'r' }));
    expect(free.send(win({ round: 'r', amount: 8 })).moved).toEqual({ cash: 8, bonus: 0 });
    free.send(bet('paid', { amount: 1, round: 'r' }));
    expect(free.send(win({ round: 'r', amount: 8 })).moved).toEqual({ cash: 0, bonus: 8 });
  });

  test('19: a win by reference to a nameless bet is split by that bet alone', () => {
    const stage = new EngineStage().fund({ cash: 10, bonus: 30 });
    stage.codes(bet('cash'), bet('bonus'));
    expect(stage.send(win({ reference: 'bonus' })).moved).toEqual({ cash: 0, bonus: 7 });
    expect(stage.send(win({ reference: 'cash' })).moved).toEqual({ cash: 7, bonus: 0 });
  });

  test('19: the arithmetic is exact where the product passes 2^53', () => {
    const stage = new EngineStage();
    stage.codes(move('deposit', 3_000_000_000_001), move('grant', 4_000_000_000_003));
    stage.send(bet('b', { amount: 7_000_000_000_004, round: 'r' }));
    const amount = 6_999_999_999_999;
    const bonus = Number((BigInt(amount) * 4_000_000_000_003n) / 7_000_000_000_004n);
    expect(stage.send(win({ round: 'r', amount })).moved).toEqual({ cash: amount - bonus, bonus });
  });
});

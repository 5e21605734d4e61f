// Rule 24 on the real engine: a rollback that overtakes its bet, under each policy, in all 24
// orders of bet, bet again, rollback, rollback again, a crash between each two. What is expected is
// read from the rule by hand, and the model must agree.
import { describe, expect, test } from 'vitest';
import { ResultCode as Code } from '../../../core/result-codes.ts';
import { type Draft, Stage } from '../../model/model-stage.ts';
import type { ModelOutcome } from '../../model/model-transaction.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { bet, rollback, setStatus, win } from './drafts.ts';

type Policy = 'refuse' | 'noop' | 'error';
type Step = 'bet' | 'betAgain' | 'rollback' | 'rollbackAgain';

/** How an answer is expected to begin; `noop*` is an ok marked noop. */
type Reading = 'taken' | 'noop' | 'ok' | 'refused' | 'already' | 'notFound' | 'same';

const STEPS: readonly Step[] = ['bet', 'betAgain', 'rollback', 'rollbackAgain'];

function orders<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, place) =>
    orders(items.filter((_, other) => other !== place)).map((rest) => [first, ...rest]),
  );
}

/**
 * The rule, read for one order. The two bets are one transaction, so only the order of "a bet" and
 * "a rollback" matters, and whether the second rollback has the first one's id.
 */
function readRule(order: readonly Step[], policy: Policy, isSameId: boolean): Reading[] {
  let betKnown = false;
  let rollbackKnown = false;
  let tookBack = false;
  return order.map((step): Reading => {
    if (step === 'bet' || step === 'betAgain') {
      if (betKnown) return 'same';
      betKnown = true;
      if (!tookBack) return 'taken';
      return policy === 'noop' ? 'noop' : 'refused';
    }
    // An unrecorded bet_not_found burns no key, so its repeat is judged anew.
    if (rollbackKnown && isSameId) return 'same';
    if (!betKnown && policy === 'error') return 'notFound';
    rollbackKnown = true;
    if (tookBack) return 'already';
    tookBack = true;
    return 'ok';
  });
}

const CODES: Readonly<Record<Exclude<Reading, 'same'>, number>> = {
  taken: Code.ok,
  noop: Code.ok,
  ok: Code.ok,
  refused: Code.betRolledBack,
  already: Code.alreadyRolledBack,
  notFound: Code.betNotFound,
};

function check(outcome: ModelOutcome, reading: Reading, first: ModelOutcome | undefined): void {
  if (reading === 'same') {
    expect(outcome).toEqual({ ...first, replay: true });
    return;
  }
  expect(outcome.code).toBe(CODES[reading]);
  expect(outcome.replay).toBe(false);
  expect(outcome.noop).toBe(reading === 'noop');
  expect(outcome.recorded).toBe(reading !== 'notFound');
  if (reading === 'taken') expect(outcome.moved).toEqual({ cash: -60, bonus: -20 });
  else if (reading !== 'ok' && reading !== 'notFound') {
    expect(outcome.moved).toEqual({ cash: 0, bonus: 0 });
  }
}

const cases = (['refuse', 'noop', 'error'] as const).flatMap((policy) =>
  [true, false].flatMap((isSameId) =>
    orders(STEPS).map((order) => ({ policy, isSameId, order, name: order.join(', ') })),
  ),
);

describe('24: the 24 orders, a crash between each two', () => {
  test.each(cases)('24: $policy, same id $isSameId: $name', ({ policy, isSameId, order }) => {
    const stage = new EngineStage({ unknownBetRollback: policy }).fund({ cash: 60, bonus: 40 });
    const model = new Stage({ unknownBetRollback: policy });
    model.fund({ cash: 60, bonus: 40 });
    const theBet = bet('b', { amount: 80, round: 'r' });
    const drafts: Readonly<Record<Step, Draft>> = {
      bet: theBet,
      betAgain: theBet,
      rollback: rollback('b', { transactionId: 'r1' }),
      rollbackAgain: rollback('b', { transactionId: isSameId ? 'r1' : 'r2' }),
    };
    const readings = readRule(order, policy, isSameId);
    let firstBet: ModelOutcome | undefined;
    let firstRollback: ModelOutcome | undefined;
    for (const [place, step] of order.entries()) {
      const isBet = step === 'bet' || step === 'betAgain';
      const outcome = stage.send(drafts[step]);
      check(outcome, readings[place], isBet ? firstBet : firstRollback);
      const { code, replay, noop, moved } = model.send(drafts[step]);
      expect(outcome).toMatchObject({ code, replay, noop, ...(moved && { moved }) });
      if (isBet) firstBet ??= outcome;
      else if (outcome.recorded) firstRollback ??= outcome;
      if (place < order.length - 1) stage.crash();
    }
    // The money is gone only where a bet was taken and nothing took it back.
    const stands = readings.includes('taken') && !readings.includes('ok');
    expect(stage.buckets()).toEqual(stands ? [0, 20, 0] : [60, 40, 0]);
  });
});

describe('24: what a late bet meets', () => {
  test('24: refuse: it touches no round', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    stage.codes(rollback('late'), bet('late', { round: 'r', roundEnd: true }));
    expect(stage.codes(win({ round: 'r' }), bet('b', { round: 'r' }))).toEqual([16, 0]);
  });

  test('24: noop: it stands in its round as a rolled-back bet, its win is bet_rolled_back', () => {
    const stage = new EngineStage({ unknownBetRollback: 'noop' }).fund({ cash: 100 });
    stage.codes(rollback('late'));
    const late = stage.send(bet('late', { amount: 5000, round: 'r' }));
    expect(late).toMatchObject({ code: 0, noop: true, balances: { cash: 100 } });
    stage.crash();
    expect(stage.codes(win({ reference: 'late' }), win({ round: 'r' }), rollback('late'))).toEqual([
      17, 17, 18,
    ]);
    expect(stage.codes(win({ reference: 'late', stakeless: true }))).toEqual([Code.ok]);
  });

  test.each(['refuse', 'noop'] as const)(
    '24: %s: it matches by key alone, before status, funds and round',
    (unknownBetRollback) => {
      const stage = new EngineStage({ unknownBetRollback }).fund({ cash: 100 });
      const back = rollback('late', { amount: 1, round: 'else', currency: 'USD' });
      stage.codes(back, bet('end', { round: 'r', roundEnd: true }), setStatus('frozen'));
      const code = unknownBetRollback === 'noop' ? Code.ok : Code.betRolledBack;
      const late = stage.send(bet('late', { amount: 5000, round: 'r', roundEnd: true }));
      expect(late).toMatchObject({ code, moved: { cash: 0, bonus: 0 } });
    },
  );

  test('24: the policy that counts is the one at the rollback', () => {
    const change = (unknownBetRollback: Policy) => ({
      kind: 'setOperator',
      definition: { unknownBetRollback },
    });
    const stage = new EngineStage().fund({ cash: 100 });
    stage.codes(rollback('a'), change('noop'), rollback('b'), change('error'));
    expect(stage.codes(rollback('c'), bet('a'), bet('b'), bet('c'))).toEqual([16, 17, 0, 0]);
    expect(stage.buckets()).toEqual([90, 0, 0]);
  });

  test.each(['refuse', 'noop', 'error'] as const)(
    '24: %s: a rollback of an unknown win is bet_not_found',
    (unknownBetRollback) => {
      const stage = new EngineStage({ unknownBetRollback }).fund({ cash: 100 });
      const unknown = stage.send(rollback('w', { of: 'win' }));
      expect(unknown).toMatchObject({ code: Code.betNotFound, recorded: false });
      expect(stage.codes(bet('b'), win({ reference: 'b', transactionId: 'w' }))).toEqual([0, 0]);
    },
  );
});

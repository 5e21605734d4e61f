// Rules 29 and 30 on the real engine: rounds with their ageing, and atomic batches.
import { describe, expect, test } from 'vitest';
import { ResultCode as Code } from '../../../core/result-codes.ts';
import type { Draft } from '../../model/model-stage.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { adjust, bet, move, rollback, setStatus, win } from './drafts.ts';

const HOUR_MS = 3_600_000;
const funded = (policies = {}) => new EngineStage(policies).fund({ cash: 100 });

describe('29: a round is (account, provider, round id)', () => {
  test('29: the game is not part of it', () => {
    const stage = funded();
    stage.codes(bet('a', { round: 'r', game: 'g', roundEnd: true }));
    expect(stage.codes(bet('b', { round: 'r', game: 'h' }))).toEqual([Code.roundClosed]);
  });

  test('29: of another provider, currency or player it is another round', () => {
    const stage = funded();
    stage.codes(move('deposit', 50, { currency: 'USD' }), move('deposit', 50, { player: 'bob' }));
    stage.codes(bet('a', { round: 'r', roundEnd: true }));
    const elsewhere = [{ provider: 'other' }, { currency: 'USD' }, { player: 'bob' }];
    const codes = elsewhere.map((one) => stage.send(bet('b', { round: 'r', ...one })).code);
    expect(codes).toEqual([0, 0, 0]);
  });

  test('29: a bet without a round is alone in a nameless one', () => {
    const stage = funded();
    stage.codes(bet('a', { roundEnd: true }), bet('b'), bet('c'));
    expect(stage.codes(win({ reference: 'b', roundEnd: true }), win({ reference: 'b' }))).toEqual([
      0, 15,
    ]);
    expect(stage.codes(win({ reference: 'c' }), win({ reference: 'a' }))).toEqual([0, 15]);
  });

  test('29: a rejected transaction neither opens nor ends a round', () => {
    const stage = funded();
    stage.codes(bet('x', { amount: 1000, round: 'r', roundEnd: true }));
    expect(stage.codes(win({ round: 'r' }), bet('y', { round: 'r' }))).toEqual([16, 0]);
    stage.codes(win({ round: 'r', reference: 'no', roundEnd: true }));
    expect(stage.codes(bet('z', { round: 'r' }))).toEqual([0]);
  });

  test('29: a win may open a round, and roundEnd closes it for good, also after a crash', () => {
    const stage = funded({ winNeedsBet: false });
    expect(stage.codes(win({ round: 'r' }), bet('a', { round: 'r', roundEnd: true }))).toEqual([
      0, 0,
    ]);
    stage.crash();
    expect(stage.codes(bet('b', { round: 'r' }), win({ round: 'r' }))).toEqual([15, 15]);
  });
});

describe('29: ageing', () => {
  test('29: one left open is closed by its own record at its age, counted from opening', () => {
    const stage = funded();
    stage.codes(bet('a', { round: 'r' }), bet('nameless'));
    stage.nowMs += HOUR_MS;
    stage.codes(bet('b', { round: 'r' }), bet('c', { round: 's' }));
    stage.nowMs += 71 * HOUR_MS - 1;
    expect(stage.advance()).toBe(0);
    stage.nowMs += 1;
    expect(stage.advance()).toBe(2);
    expect(stage.advance()).toBe(0);
    expect(stage.codes(bet('d', { round: 'r' }), bet('e', { round: 's' }))).toEqual([15, 0]);
  });

  test('29: the setting counts as it is now', () => {
    const stage = funded();
    stage.codes(bet('a', { round: 'r' }));
    stage.nowMs += HOUR_MS;
    stage.send({ kind: 'setOperator', definition: { roundAgeMs: HOUR_MS } });
    expect(stage.codes(bet('b', { round: 'r' }))).toEqual([Code.roundClosed]);
  });

  test('29: the record stands before any decision it matters to, without an advance too', () => {
    const stage = funded();
    stage.codes(bet('a', { round: 'r' }), bet('b', { round: 's' }));
    stage.nowMs += 72 * HOUR_MS;
    stage.advance = () => 0;
    const late = stage.send(bet('c', { round: 'r' }));
    const before = stage.shard.sequence;
    expect(late).toMatchObject({ code: Code.roundClosed, sequence: before });
    // Its round was aged one record before; a win by reference ages its bet's round likewise.
    const paid = stage.send(win({ reference: 'b' }));
    expect(paid).toMatchObject({ code: Code.ok, sequence: before + 2 });
    stage.crash();
    expect(stage.codes(bet('d', { round: 's' }))).toEqual([Code.roundClosed]);
  });

  test('29: a round of one operator ages by its own operator’s setting', () => {
    const stage = funded();
    const definition = { currencies: { EUR: 2 }, roundAgeMs: HOUR_MS };
    const own = { operator: 'op2' };
    stage.codes({ kind: 'setOperator', definition, ...own }, { kind: 'open', ...own });
    stage.codes(
      move('deposit', 50, own),
      bet('a', { round: 'r', ...own }),
      bet('a', { round: 'r' }),
    );
    stage.nowMs += HOUR_MS;
    expect(stage.advance()).toBe(1);
    expect(stage.codes(bet('b', { round: 'r', ...own }), bet('b', { round: 'r' }))).toEqual([
      15, 0,
    ]);
  });

  test('29: many rounds age oldest first, and a replay closes the same ones', () => {
    const stage = funded();
    for (let bets = 0; bets < 10; bets += 1) {
      stage.send(bet(`b${bets}`, { amount: 1, round: `r${bets}` }));
      stage.nowMs += HOUR_MS;
    }
    stage.nowMs += 66 * HOUR_MS;
    expect(stage.advance()).toBe(5);
    stage.crash();
    const codes = Array.from({ length: 10 }, (_, n) =>
      stage.send(bet(`n${n}`, { round: `r${n}` })),
    );
    expect(codes.map(({ code }) => code)).toEqual([15, 15, 15, 15, 15, 0, 0, 0, 0, 0]);
  });
});

describe('30: an atomic batch', () => {
  test('30: all of it, in order, and each sent again alone is a repeat', () => {
    const stage = funded();
    const drafts = [
      bet('a', { round: 'r' }),
      win({ round: 'r', transactionId: 'w' }),
      rollback('x'),
    ];
    const first = stage.batch(...drafts.map((draft, n) => ({ transactionId: `t${n}`, ...draft })));
    expect(first.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(stage.buckets()).toEqual([97, 0, 0]);
    stage.crash();
    const again = drafts.map((draft, n) => stage.send({ transactionId: `t${n}`, ...draft }));
    expect(again).toEqual(first.map((one) => ({ ...one, replay: true })));
  });

  test('30: the first refusal has its code, others batch_aborted, all the balances before', () => {
    const stage = funded();
    const drafts = [bet('a'), bet('b', { amount: 91 }), bet('c'), bet('d', { amount: 1000 })];
    const found = stage.batch(...drafts);
    expect(found.map(({ code }) => code)).toEqual([27, 10, 27, 27]);
    for (const outcome of found) {
      expect(outcome).toMatchObject({ recorded: true, balances: { cash: 100, bonus: 0, held: 0 } });
    }
    stage.crash();
    // All keys are burnt, though the money would be there for some of them now.
    const again = drafts.map((draft) => stage.send(draft));
    expect(again).toEqual(found.map((one) => ({ ...one, replay: true })));
    expect(stage.batch(...drafts)).toEqual(again);
    expect(stage.buckets()).toEqual([100, 0, 0]);
  });

  const undone: readonly [string, (stage: EngineStage) => Draft[], Draft, number][] = [
    ['an opened round', () => [bet('a', { round: 'r' })], win({ round: 'r' }), 16],
    [
      'a closed round',
      (stage) => {
        stage.send(bet('0', { round: 'r' }));
        return [bet('a', { round: 'r', roundEnd: true })];
      },
      bet('b', { round: 'r' }),
      0,
    ],
    [
      'a reversal',
      (stage) => {
        stage.send(bet('0'));
        return [rollback('0')];
      },
      rollback('0'),
      0,
    ],
    ['a tombstone', () => [rollback('late')], bet('late'), 0],
    [
      'a hold',
      () => [move('hold', 5, { transactionId: 'h' })],
      move('capture', 5, { reference: 'h' }),
      22,
    ],
    [
      'a capture of all and its hold',
      (stage) => {
        stage.send(move('hold', 5, { transactionId: 'h', expiresIn: 1000 }));
        return [move('capture', 2, { reference: 'h' }), move('release', 3, { reference: 'h' })];
      },
      move('capture', 5, { reference: 'h' }),
      0,
    ],
    [
      'a live win',
      (stage) => {
        stage.send(bet('0', { round: 'r' }));
        return [win({ round: 'r' })];
      },
      rollback('0'),
      0,
    ],
  ];
  test.each(undone)('30: %s is undone with an aborted batch', (_, prepare, probe, code) => {
    const stage = funded();
    const drafts = prepare(stage);
    const before = [stage.buckets(), ...fillOf(stage)];
    const found = stage.batch(...drafts, bet('poor', { amount: 1000 }));
    expect(found.map((one) => one.code)).toEqual([...drafts.map(() => 27), 10]);
    expect([stage.buckets(), ...fillOf(stage)]).toEqual(before);
    stage.crash();
    expect([stage.buckets(), ...fillOf(stage)]).toEqual(before);
    expect(stage.send(probe).code).toBe(code);
  });

  test('30: what stands in the list of open rounds after an abort still ages in its order', () => {
    const stage = funded();
    stage.codes(bet('1', { round: 'r1' }), bet('2', { round: 'r2' }), bet('3', { round: 'r3' }));
    const end = { roundEnd: true };
    stage.batch(
      bet('a', { round: 'r2', ...end }),
      bet('b', { round: 'n' }),
      bet('c', { amount: 999 }),
    );
    stage.batch(
      bet('d', { round: 'r1', ...end }),
      bet('e', { round: 'r3', ...end }),
      bet('f', { amount: 999 }),
    );
    stage.nowMs += 72 * HOUR_MS;
    expect(stage.advance()).toBe(3);
    stage.crash();
    expect(stage.codes(bet('4', { round: 'r2' }), bet('5', { round: 'n' }))).toEqual([15, 0]);
  });

  const lone: readonly [string, Draft][] = [
    ['transfer', move('transfer', 1, { to: 'bob' })],
    ['open', { kind: 'open' }],
    ['setStatus', setStatus('frozen')],
    ['setOperator', { kind: 'setOperator', definition: {} }],
    ['another player', move('deposit', 1, { player: 'bob' })],
  ];
  test.each(lone)('30: %s in it is malformed, the others are batch_not_executed', (_, draft) => {
    const stage = funded();
    const before = stage.shard.sequence;
    const found = stage.batch(bet('a'), draft, bet('b'));
    expect(found.map(({ code }) => code)).toEqual([48, 40, 48]);
    expect(stage.shard.sequence).toBe(before);
    expect(stage.codes(bet('a'))).toEqual([Code.ok]);
  });

  test('30: any currency and provider of the player is fine', () => {
    const stage = funded();
    const found = stage.batch(
      move('deposit', 5, { currency: 'USD' }),
      bet('a', { provider: 'other' }),
      adjust(-1),
    );
    expect(found.map(({ code }) => code)).toEqual([0, 0, 0]);
  });

  test('30: form comes first, then keys: twice a key, known beside new, another body', () => {
    const stage = funded();
    stage.codes(bet('known'), bet('other'));
    const conflict = [46, 46];
    const codes = (...drafts: Draft[]) => stage.batch(...drafts).map(({ code }) => code);
    expect(codes(bet('a'), bet('a'))).toEqual(conflict);
    expect(codes(bet('known'), bet('new'))).toEqual(conflict);
    expect(codes(bet('known'), bet('other', { amount: 11 }))).toEqual(conflict);
    expect(codes(bet('known'), bet('b', { reference: 'x' }))).toEqual([48, 40]);
    expect(codes(bet('known'), bet('other'))).toEqual([0, 0]);
    expect(stage.codes(bet('a'), bet('new'))).toEqual([0, 0]);
    expect(stage.buckets()).toEqual([60, 0, 0]);
  });

  test('30: all known from different messages: each gets its own first outcome', () => {
    const stage = funded();
    const drafts = [
      bet('a'),
      bet('poor', { amount: 1000 }),
      win({ reference: 'a', transactionId: 'w' }),
    ];
    const first = drafts.map((draft) => stage.send(draft));
    expect(stage.batch(...drafts)).toEqual(first.map((one) => ({ ...one, replay: true })));
  });

  test.each([
    ['bet_not_found', win({ reference: 'no' }), 16],
    ['hold_not_found', move('capture', 1, { reference: 'no' }), 22],
    ['account_not_found', move('deposit', 1, { currency: 'USD', player: 'bob' }), 11],
  ] as const)('30: %s: it has that code, the others batch_not_executed', (_, draft, code) => {
    const stage = funded();
    const player = draft.player ?? 'ann';
    stage.send(move('deposit', 50, { player: 'bob' }));
    const before = stage.shard.sequence;
    const found = stage.batch(bet('a', { player }), { ...draft, player }, bet('b', { player }));
    expect(found.map((one) => one.code)).toEqual([48, code, 48]);
    expect(stage.shard.sequence).toBe(before);
    expect(stage.codes(bet('a', { player }))).toEqual([Code.ok]);
  });

  test('30: a batch sees its own effects in order', () => {
    const stage = new EngineStage();
    const found = stage.batch(
      bet('early', { amount: 0 }),
      move('deposit', 50),
      bet('a', { amount: 50, round: 'r' }),
      win({ reference: 'a', amount: 60, roundEnd: true }),
      move('hold', 60, { transactionId: 'h' }),
      move('capture', 60, { reference: 'h' }),
    );
    expect(found.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(stage.buckets()).toEqual([0, 0, 0]);
  });
});

/** Rows of the tables that an undone batch must leave as they were. */
function fillOf(stage: EngineStage): number[] {
  const measures = stage.shard.measureTables();
  return ['rounds', 'open_rounds', 'holds'].map(
    (table) => measures.find((one) => one.table === table)?.rowCount ?? -1,
  );
}

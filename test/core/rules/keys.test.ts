// Rules 1 to 7 and 9 on the real engine: what a key is, repeats, conflicts, and the answers that
// burn no key. Rule 8 (the request id) is the gateway's; the engine never sees one.
import { describe, expect, test } from 'vitest';
import { ResultCode as Code } from '../../../core/result-codes.ts';
import type { Draft } from '../../model/model-stage.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { adjust, bet, move, rollback, setStatus, win } from './drafts.ts';

const DAY_MS = 86_400_000;

describe('1: the key is (operator, provider, player, kind, transaction id)', () => {
  const first = move('deposit', 5, { transactionId: 'k' });
  const others: readonly [string, Draft][] = [
    ['another provider', { ...first, provider: 'other' }],
    ['another player', { ...first, player: 'bob' }],
    ['another kind', { ...first, kind: 'grant' }],
    ['another id', { ...first, transactionId: 'K' }],
  ];
  test.each(others)('1: the same with %s is another transaction', (_, draft) => {
    const stage = new EngineStage();
    stage.send(first);
    expect(stage.send(draft)).toMatchObject({ code: Code.ok, replay: false });
    expect(stage.send(first)).toMatchObject({ code: Code.ok, replay: true });
  });

  test('1: another operator with a player and an id of the same name is another key', () => {
    const stage = new EngineStage();
    stage.send(first);
    stage.send({ kind: 'setOperator', operator: 'op2', definition: { currencies: { EUR: 2 } } });
    stage.send({ kind: 'open', operator: 'op2' });
    expect(stage.send({ ...first, operator: 'op2' })).toMatchObject({ code: 0, replay: false });
  });

  test('1: one id may name a bet, its win, and the rollback of each', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    const same = { transactionId: 'one' };
    const drafts = [bet('one'), win({ reference: 'one', ...same })];
    drafts.push(rollback('one', { of: 'win', ...same }), rollback('one', same));
    const found = stage.sendAll(drafts);
    expect(found.map(({ code, replay }) => [code, replay])).toEqual(Array(4).fill([0, false]));
    expect(stage.buckets()).toEqual([100, 0, 0]);
  });
});

describe('2: an exact repeat gets the first outcome', () => {
  test('2: code, balances, time and sequence are as they were then', () => {
    const stage = new EngineStage();
    const draft = move('deposit', 5, { transactionId: 'd' });
    const first = stage.send(draft);
    stage.nowMs += 1000;
    stage.send(move('deposit', 100));
    expect(stage.send(draft)).toEqual({ ...first, replay: true });
    expect(stage.buckets()).toEqual([105, 0, 0]);
  });

  test('2: 1,000 repeats make one record', () => {
    const stage = new EngineStage();
    const before = stage.shard.sequence;
    const found = stage.sendAll(Array(1000).fill(move('deposit', 5, { transactionId: 'd' })));
    expect(stage.shard.sequence).toBe(before + 1);
    expect(stage.buckets()).toEqual([5, 0, 0]);
    expect(found.filter(({ replay }) => replay)).toHaveLength(999);
    expect(new Set(found.map(({ sequence }) => sequence)).size).toBe(1);
  });

  test('2: a repeat of an open, of a status and of an operator gets the first outcome too', () => {
    const stage = new EngineStage();
    const drafts: Draft[] = [
      { kind: 'open', player: 'new', transactionId: 'o' },
      setStatus('frozen', { transactionId: 's' }),
      { kind: 'setOperator', definition: { winNeedsBet: false }, transactionId: 'p' },
    ];
    const first = stage.sendAll(drafts);
    stage.send(setStatus('active'));
    expect(stage.sendAll(drafts)).toEqual(first.map((one) => ({ ...one, replay: true })));
    stage.crash();
    expect(stage.sendAll(drafts)).toEqual(first.map((one) => ({ ...one, replay: true })));
  });
});

describe('3: the same key with another body is key_conflict', () => {
  const full = bet('k', { round: 'r', game: 'g' });
  const cases: readonly [string, Draft, Draft][] = [
    ['amount', full, { ...full, amount: 11 }],
    ['an amount 2^32 higher', full, { ...full, amount: 10 + 2 ** 32 }],
    ['currency', full, { ...full, currency: 'USD' }],
    ['round', full, { ...full, round: 's' }],
    ['no round', full, bet('k', { game: 'g' })],
    ['roundEnd', full, { ...full, roundEnd: true }],
    ['game', full, { ...full, game: 'h' }],
    ['reference', rollback('x', { transactionId: 'k' }), rollback('y', { transactionId: 'k' })],
    [
      'an amount that was not named',
      rollback('x', { transactionId: 'k' }),
      rollback('x', { transactionId: 'k', amount: 0 }),
    ],
    [
      'stakeless',
      win({ transactionId: 'k', round: 'r', stakeless: true }),
      win({ transactionId: 'k', round: 'r' }),
    ],
    [
      'to',
      move('transfer', 1, { transactionId: 'k', to: 'bob' }),
      move('transfer', 1, { transactionId: 'k', to: 'bub' }),
    ],
    [
      'bucket',
      adjust(1, { transactionId: 'k' }),
      adjust(1, { transactionId: 'k', bucket: 'bonus' }),
    ],
    ['reason', adjust(1, { transactionId: 'k' }), adjust(1, { transactionId: 'k', reason: 'x' })],
    ['sign', adjust(1, { transactionId: 'k' }), adjust(-1, { transactionId: 'k' })],
    [
      'expiresIn',
      move('hold', 1, { transactionId: 'k' }),
      move('hold', 1, { transactionId: 'k', expiresIn: 5 }),
    ],
    [
      'status',
      setStatus('frozen', { transactionId: 'k' }),
      setStatus('betLocked', { transactionId: 'k' }),
    ],
    [
      'the currency of an open that made an account',
      { kind: 'open', player: 'new', transactionId: 'k' },
      { kind: 'open', player: 'new', transactionId: 'k', currency: 'USD' },
    ],
    [
      'definition',
      { kind: 'setOperator', transactionId: 'k', definition: { winNeedsBet: true } },
      { kind: 'setOperator', transactionId: 'k', definition: { winNeedsBet: false } },
    ],
  ];
  test.each(cases)('3: another %s', (_, first, other) => {
    const stage = new EngineStage().fund({ cash: 100, bonus: 5 });
    const outcome = stage.send(first);
    expect(outcome.code).toBe(Code.ok);
    const before = [stage.shard.sequence, stage.buckets()];
    const conflict = { code: Code.keyConflict, recorded: false, replay: false };
    expect(stage.send(other)).toEqual({ ...conflict, noop: false, made: false });
    expect([stage.shard.sequence, stage.buckets()]).toEqual(before);
    expect(stage.send(first)).toEqual({ ...outcome, replay: true });
    stage.crash();
    expect(stage.send(other).code).toBe(Code.keyConflict);
  });

  test('3: metadata and the sender’s time are no part of the body', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    const outcome = stage.send(bet('k', { metadata: 'a', sentAt: stage.nowMs }));
    expect(stage.send(bet('k', { metadata: 'b' }))).toEqual({ ...outcome, replay: true });
    expect(stage.send(bet('k'))).toEqual({ ...outcome, replay: true });
  });

  test('3: absent, empty, false and a stated default are equal', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    stage.send(bet('k'));
    expect(stage.send(bet('k', { round: '', roundEnd: false, game: '' })).replay).toBe(true);
    stage.send(rollback('k', { transactionId: 'r' }));
    expect(stage.send(rollback('k', { transactionId: 'r', of: 'bet' })).replay).toBe(true);
    stage.send(adjust(5, { transactionId: 'a' }));
    expect(stage.send(adjust(5, { transactionId: 'a', bucket: 'cash' })).replay).toBe(true);
  });

  const foreign: readonly Draft[] = [
    move('deposit', 1, { round: 'r' }),
    move('withdraw', 1, { reference: 'x' }),
    bet('b', { reference: 'x' }),
    bet('b', { stakeless: true }),
    win({ round: 'r', of: 'win' }),
    rollback('x', { roundEnd: true }),
    move('hold', 1, { reason: 'x' }),
    move('capture', 1, { reference: 'h', expiresIn: 5 }),
    move('grant', 1, { bucket: 'bonus' }),
    { kind: 'open', amount: 1 },
    setStatus('frozen', { amount: 1 }),
    move('convert', 1, { status: 'frozen' }),
    { kind: 'setOperator', definition: {}, currency: 'EUR' },
  ];
  test.each(foreign)('3: a field that the kind does not have is malformed: %o', (draft) => {
    expect(new EngineStage().send(draft)).toMatchObject({ code: Code.malformed, recorded: false });
  });
});

describe('4: a business rejection is an outcome', () => {
  test('4: it is repeated even if money has come since, also after a crash', () => {
    const stage = new EngineStage();
    const poor = stage.send(bet('b'));
    expect(poor).toMatchObject({ code: Code.insufficientFunds, recorded: true });
    stage.fund({ cash: 100 });
    expect(stage.send(bet('b'))).toEqual({ ...poor, replay: true });
    stage.crash();
    expect(stage.send(bet('b'))).toEqual({ ...poor, replay: true });
  });

  test('4: a win that overtook its bet is paid under its own id', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    const early = win({ transactionId: 'w', reference: 'b' });
    const before = stage.shard.sequence;
    const refused = { code: Code.betNotFound, recorded: false, replay: false };
    expect(stage.send(early)).toEqual({ ...refused, noop: false, made: false });
    expect(stage.shard.sequence).toBe(before);
    expect(stage.codes(bet('b'), early)).toEqual([0, 0]);
    expect(stage.buckets()).toEqual([97, 0, 0]);
  });

  test('4: account_not_found and hold_not_found burn no key', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    const deposit = move('deposit', 5, { player: 'new', transactionId: 'd' });
    expect(stage.codes(deposit, { kind: 'open', player: 'new' }, deposit)).toEqual([11, 0, 0]);
    const capture = move('capture', 5, { reference: 'h', transactionId: 'c' });
    const hold = move('hold', 5, { transactionId: 'h' });
    expect(stage.codes(capture, hold, capture)).toEqual([22, 0, 0]);
  });
});

test('5: overloaded burns no key: the same transaction is executed when there is room', () => {
  const stage = new EngineStage({}, { bounds: { holdsMax: 1 } }).fund({ cash: 100 });
  const second = move('hold', 5, { transactionId: 'h2' });
  stage.send(move('hold', 5, { transactionId: 'h1' }));
  const before = stage.shard.sequence;
  expect(stage.send(second)).toMatchObject({ code: Code.overloaded, recorded: false });
  expect(stage.shard.sequence).toBe(before);
  stage.send(move('capture', 5, { reference: 'h1' }));
  expect(stage.send(second)).toMatchObject({ code: Code.ok, replay: false });
});

test('6: of two equal transactions in one message the second is a repeat of the first', () => {
  const stage = new EngineStage().fund({ cash: 100 });
  const [first, second] = stage.sendAll([bet('b'), bet('b')]);
  expect(second).toEqual({ ...first, replay: true });
  expect(stage.buckets()).toEqual([90, 0, 0]);
});

describe('7: keys are known for the retention', () => {
  test('7: a repeat just before the retention’s end, after a crash, is a repeat', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    const first = stage.send(bet('b'));
    stage.nowMs += 120 * DAY_MS - 1;
    stage.crash();
    expect(stage.send(bet('b'))).toEqual({ ...first, replay: true });
  });

  test('7: what was sent longer ago than the retention less a day is too_old', () => {
    const stage = new EngineStage().fund({ cash: 100 });
    const sentAt = stage.nowMs - 119 * DAY_MS;
    expect(stage.codes(bet('a', { sentAt: sentAt - 1 }), bet('b', { sentAt }))).toEqual([49, 0]);
    stage.shard.setRetention(10 * DAY_MS, stage.nowMs, stage.block);
    const later = stage.nowMs - 9 * DAY_MS;
    stage.crash();
    expect(stage.shard.retentionMs).toBe(10 * DAY_MS);
    expect(stage.codes(bet('c', { sentAt: later - 1 }), bet('d', { sentAt: later }))).toEqual([
      49, 0,
    ]);
  });

  test('7: an operator’s round age and hold expiry may not pass the retention', () => {
    const stage = new EngineStage();
    const limitMs = 120 * DAY_MS;
    const change = (definition: object): Draft => ({ kind: 'setOperator', definition });
    expect(
      stage.codes(
        change({ roundAgeMs: limitMs }),
        change({ roundAgeMs: limitMs + 1 }),
        change({ holdExpiryMaxMs: limitMs }),
        change({ holdExpiryMaxMs: limitMs + 1 }),
      ),
    ).toEqual([0, Code.malformed, 0, Code.malformed]);
  });

  test('7: the retention is a record only when it changes', () => {
    const stage = new EngineStage();
    const before = stage.shard.sequence;
    stage.shard.setRetention(120 * DAY_MS, stage.nowMs, stage.block);
    expect(stage.shard.sequence).toBe(before);
    stage.shard.setRetention(121 * DAY_MS, stage.nowMs, stage.block);
    expect(stage.shard.sequence).toBe(before + 1);
  });
});

test('9: a malformed or forbidden transaction burns no key and harms no neighbour', () => {
  const stage = new EngineStage();
  const found = stage.sendAll([
    move('deposit', 100),
    move('deposit', 0, { transactionId: 'x' }),
    move('deposit', 1, { transactionId: 'y', operator: 'nobody' }),
    move('deposit', 1, { transactionId: 'z', round: 'r' }),
    bet('b'),
  ]);
  expect(found.map(({ code }) => code)).toEqual([0, 41, 45, 40, 0]);
  expect(found.map(({ recorded }) => recorded)).toEqual([true, false, false, false, true]);
  const again = ['x', 'y', 'z'].map((transactionId) => move('deposit', 1, { transactionId }));
  expect(stage.codes(...again)).toEqual([0, 0, 0]);
  expect(stage.buckets()).toEqual([93, 0, 0]);
});

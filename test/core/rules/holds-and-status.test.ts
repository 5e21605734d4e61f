// Rules 31 to 33 on the real engine: holds, an account's status, openings and transfers.
import { describe, expect, test } from 'vitest';
import { ResultCode as Code } from '../../../core/result-codes.ts';
import type { Draft } from '../../model/model-stage.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { adjust, bet, move, rollback, setStatus, win } from './drafts.ts';

const DAY_MS = 86_400_000;
const MAX = Number.MAX_SAFE_INTEGER;
const funded = () => new EngineStage().fund({ cash: 100 });
const hold = (amount: number, rest: Partial<Draft> = {}) =>
  move('hold', amount, { transactionId: 'h', ...rest });
const capture = (amount: number, rest: Partial<Draft> = {}) =>
  move('capture', amount, { reference: 'h', ...rest });
const release = (amount: number, rest: Partial<Draft> = {}) =>
  move('release', amount, { reference: 'h', ...rest });

describe('31: holds', () => {
  test('31: captured in parts and released in parts, until nothing is left', () => {
    const stage = funded();
    expect(stage.send(hold(50))).toMatchObject({ code: 0, balances: { cash: 50, held: 50 } });
    expect(stage.codes(capture(10), release(15), capture(26))).toEqual([0, 0, Code.exceedsHold]);
    expect(stage.buckets()).toEqual([65, 0, 25]);
    stage.crash();
    expect(stage.codes(release(25), capture(1), release(1))).toEqual([0, 23, 23]);
    expect(stage.buckets()).toEqual([90, 0, 0]);
  });

  test('31: another provider’s or currency’s or a rejected hold is hold_not_found', () => {
    const stage = funded();
    stage.codes(hold(5), hold(1000, { transactionId: 'poor' }));
    expect(
      stage.codes(
        capture(1, { provider: 'other' }),
        capture(1, { currency: 'USD' }),
        capture(1, { player: 'bob' }),
        capture(1, { reference: 'poor' }),
        capture(1, { reference: 'no' }),
      ),
    ).toEqual([22, 22, 22, 22, 22]);
  });

  test('31: what is left is released by a record of its own when it expires', () => {
    const stage = funded();
    stage.codes(hold(50, { expiresIn: 1000 }), capture(10));
    stage.nowMs += 999;
    expect(stage.advance()).toBe(0);
    stage.nowMs += 1;
    expect(stage.advance()).toBe(1);
    expect(stage.buckets()).toEqual([90, 0, 0]);
    stage.crash();
    expect(stage.buckets()).toEqual([90, 0, 0]);
    expect(stage.codes(capture(1))).toEqual([Code.holdFinished]);
  });

  test('31: holds expire in order of their time, and on every status', () => {
    const stage = funded();
    for (const [transactionId, expiresIn] of Object.entries({ a: 300, b: 100, c: 200 })) {
      stage.send(hold(10, { transactionId, expiresIn }));
    }
    stage.send(setStatus('frozen'));
    stage.nowMs += 200;
    expect(stage.advance()).toBe(2);
    expect(stage.codes(capture(1, { reference: 'b' }), capture(1, { reference: 'a' }))).toEqual([
      23, 0,
    ]);
  });

  test('31: expiresIn is bounded by the operator’s setting', () => {
    const stage = funded();
    expect(stage.codes(hold(1, { expiresIn: 30 * DAY_MS + 1 }))).toEqual([Code.malformed]);
    expect(stage.codes(hold(1, { expiresIn: 0 }), hold(1, { expiresIn: 30 * DAY_MS }))).toEqual([
      40, 0,
    ]);
  });

  test.each(['betLocked', 'frozen'] as const)(
    '31: %s stops neither capture nor release',
    (status) => {
      const stage = funded();
      stage.codes(hold(5), setStatus(status));
      expect(stage.codes(capture(2), release(3))).toEqual([0, 0]);
    },
  );
});

describe('32: status', () => {
  // deposit, withdraw, bet, hold, transfer, grant, convert, forfeit, win, rollback, adjust
  const allowed: readonly [
    status: 'active' | 'betLocked' | 'frozen' | 'closed',
    codes: number[],
  ][] = [
    ['active', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['betLocked', [12, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['frozen', [13, 13, 13, 13, 13, 0, 0, 0, 0, 0, 0]],
    ['closed', [14, 14, 14, 14, 14, 14, 14, 14, 0, 0, 0]],
  ];
  test.each(allowed)('32: what %s allows', (status, codes) => {
    const stage = new EngineStage().fund({ cash: 20 });
    stage.codes(bet('b', { round: 'r' }), bet('c', { round: 's' }), setStatus(status));
    // A closed account gets money again by what still lands on it.
    stage.codes(adjust(100), adjust(100, { bucket: 'bonus' }));
    expect(
      stage.codes(
        move('deposit', 1),
        move('withdraw', 1),
        bet('d'),
        move('hold', 1),
        move('transfer', 1, { to: 'bob' }),
        move('grant', 1),
        move('convert', 1),
        move('forfeit', 1),
        win({ round: 'r' }),
        rollback('c'),
        adjust(-1),
      ),
    ).toEqual(codes);
  });

  test('32: closed only with three empty buckets; open rounds are allowed', () => {
    for (const fill of [adjust(1), adjust(1, { bucket: 'bonus' }), adjust(-1)]) {
      const stage = new EngineStage();
      stage.send(fill);
      expect(stage.codes(setStatus('closed'))).toEqual([Code.accountNotEmpty]);
    }
    const stage = new EngineStage().fund({ cash: 10 });
    stage.codes(bet('b', { round: 'r', amount: 5 }), hold(5));
    expect(stage.codes(setStatus('closed'), capture(5), setStatus('closed'))).toEqual([28, 0, 0]);
  });

  test('32: any status may follow any, and the one before is in the outcome', () => {
    const statuses = ['active', 'betLocked', 'frozen', 'closed'] as const;
    for (const before of statuses) {
      for (const after of statuses) {
        const stage = new EngineStage();
        stage.send(setStatus(before));
        const changed = stage.send(setStatus(after, { transactionId: 's' }));
        expect(changed).toMatchObject({ code: 0, previousStatus: before });
        stage.crash();
        expect(stage.send(setStatus(after, { transactionId: 's' })).previousStatus).toBe(before);
      }
    }
  });

  test('32: open never reopens', () => {
    const stage = new EngineStage();
    stage.codes(setStatus('closed'), { kind: 'open' });
    expect(stage.codes(move('deposit', 1))).toEqual([Code.accountClosed]);
  });

  test('32: an expiry and a rollback still land on a closed account', () => {
    const stage = new EngineStage().fund({ cash: 10 });
    stage.codes(bet('b', { amount: 10 }), setStatus('closed'), rollback('b'));
    expect(stage.buckets()).toEqual([10, 0, 0]);
  });
});

describe('33: open and transfer', () => {
  test('33: open is idempotent and says whether it made the account', () => {
    const stage = new EngineStage();
    const first = { kind: 'open', player: 'eve', transactionId: 'o1' };
    expect(stage.send(first)).toMatchObject({ code: 0, made: true, replay: false });
    const second = { kind: 'open', player: 'eve', transactionId: 'o2' };
    stage.send(move('deposit', 5, { player: 'eve' }));
    expect(stage.send(second)).toMatchObject({ code: 0, made: false, balances: { cash: 5 } });
    stage.crash();
    expect(stage.send(first)).toMatchObject({ made: true, replay: true, balances: { cash: 0 } });
    expect(stage.send(second)).toMatchObject({ made: false, replay: true });
  });

  test('33: a transfer moves cash to another player, and its outcome shows the sender’s', () => {
    const stage = funded();
    const moved = stage.send(move('transfer', 30, { to: 'bob', transactionId: 't' }));
    expect(moved).toMatchObject({ code: 0, moved: { cash: -30 }, balances: { cash: 70 } });
    stage.crash();
    expect([stage.buckets(), stage.buckets('bob')]).toEqual([
      [70, 0, 0],
      [30, 0, 0],
    ]);
    expect(stage.send(move('transfer', 30, { to: 'bob', transactionId: 't' })).replay).toBe(true);
  });

  const refusals: readonly [string, Draft[], Draft][] = [
    ['missing', [], move('transfer', 1, { to: 'eve' })],
    ['without the currency', [move('deposit', 5, { currency: 'USD' })], usd()],
    ['not active', [setStatus('betLocked', { player: 'bob' })], move('transfer', 1, { to: 'bob' })],
    [
      'going to overflow',
      [move('deposit', MAX, { player: 'bob' })],
      move('transfer', 1, { to: 'bob' }),
    ],
  ];
  test.each(refusals)(
    '33: a receiver that is %s is receiver_refused, recorded',
    (_, before, draft) => {
      const stage = funded();
      stage.sendAll(before);
      const refused = stage.send(draft);
      expect(refused).toMatchObject({ code: Code.receiverRefused, recorded: true });
      expect(stage.buckets()).toEqual([100, 0, 0]);
      stage.crash();
      expect(stage.buckets()).toEqual([100, 0, 0]);
    },
  );

  test('33: a transfer to oneself is malformed', () => {
    expect(funded().codes(move('transfer', 1, { to: 'ann' }))).toEqual([Code.malformed]);
  });
});

function usd(): Draft {
  return move('transfer', 1, { to: 'bob', currency: 'USD' });
}

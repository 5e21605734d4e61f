// Each bound of core/limits.ts and of a shard at max − 1, max and max + 1. What is beyond gets
// its code, burns no key and leaves the state as it was.
import { describe, expect, test } from 'vitest';
import { bonusPartMinor } from '../../core/decisions/judge-win.ts';
import {
  AMOUNT_MINOR_MAX,
  ATOMIC_TRANSACTIONS_MAX,
  BLOCK_CONTENT_BYTES_MAX,
  CURRENCIES_PER_OPERATOR_MAX,
  CURRENCY_BYTES_MAX,
  ID_BYTES_MAX,
  METADATA_BYTES_MAX,
  OPERATORS_MAX,
  REASON_BYTES_MAX,
} from '../../core/limits.ts';
import { ResultCode as Code } from '../../core/result-codes.ts';
import { SystemAccount } from '../../core/tables/system-accounts.ts';
import type { Draft } from '../model/model-stage.ts';
import { EngineStage } from '../support/engine-stage.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { adjust, bet, move, rollback, win } from './rules/drafts.ts';

const MAX = AMOUNT_MINOR_MAX;
const HOUR_MS = 3_600_000;

function entryCount(stage: EngineStage, table: string): number {
  return stage.shard.measureTables().find((one) => one.table === table)?.rowCount ?? -1;
}

describe('lengths', () => {
  const texts: readonly [string, number, (text: string) => Draft, number][] = [
    ['transactionId', ID_BYTES_MAX, (text) => move('deposit', 1, { transactionId: text }), 44],
    ['player', ID_BYTES_MAX, (text) => ({ kind: 'open', player: text }), 44],
    ['round', ID_BYTES_MAX, (text) => bet('b', { amount: 0, round: text }), 44],
    ['game', ID_BYTES_MAX, (text) => bet('b', { amount: 0, game: text }), 44],
    ['reference', ID_BYTES_MAX, (text) => rollback(text), 44],
    ['reason', REASON_BYTES_MAX, (text) => adjust(1, { reason: text }), 44],
    ['metadata', METADATA_BYTES_MAX, (text) => move('deposit', 1, { metadata: text }), 47],
  ];
  test.each(texts)('a %s of %i bytes is taken, one more is refused', (_, bytesMax, draft, code) => {
    const stage = new EngineStage();
    const codes = [bytesMax - 1, bytesMax, bytesMax + 1].map((byteCount) => {
      return stage.send({ transactionId: `t${byteCount}`, ...draft('x'.repeat(byteCount)) }).code;
    });
    expect(codes[2]).toBe(code);
    expect(codes.slice(0, 2)).toEqual(
      draft('').transactionId === 'b' ? [0, Code.keyConflict] : [0, 0],
    );
    stage.crash();
  });

  test('a receiver’s id of 64 bytes is taken', () => {
    const stage = new EngineStage().fund({ cash: 10 });
    const player = 'é'.repeat(ID_BYTES_MAX / 2);
    expect(stage.codes({ kind: 'open', player }, move('transfer', 4, { to: player }))).toEqual([
      0, 0,
    ]);
    stage.crash();
    expect(stage.buckets(player)).toEqual([4, 0, 0]);
    expect(stage.codes(move('transfer', 1, { to: `${player}x` }))).toEqual([Code.idTooLong]);
  });

  test('currencies: codes of 8 bytes, 255 of an operator', () => {
    const stage = new EngineStage();
    const change = (currencies: Record<string, number>) => ({
      kind: 'setOperator',
      definition: { currencies },
    });
    const code = (byteCount: number) => ({ ['C'.repeat(byteCount)]: 2 });
    expect(
      stage.codes(
        change(code(CURRENCY_BYTES_MAX - 1)),
        change(code(CURRENCY_BYTES_MAX)),
        change(code(CURRENCY_BYTES_MAX + 1)),
        change({ FOO: 18 }),
        change({ BAR: 19 }),
      ),
    ).toEqual([0, 0, 40, 0, 40]);
    const more = (from: number, to: number) =>
      change(Object.fromEntries(Array.from({ length: to - from }, (_, n) => [`N${n + from}`, 0])));
    // EUR, USD, two codes of C and FOO are there already.
    const last = CURRENCIES_PER_OPERATOR_MAX - 5;
    expect(stage.codes(more(0, last - 1), more(last - 1, last), more(last, last + 1))).toEqual([
      0, 0, 40,
    ]);
    stage.crash();
    expect(stage.codes({ kind: 'open', currency: `N${last - 1}` })).toEqual([Code.ok]);
  });

  test('operators: as many as the bound, then no more, but known ones can be changed', () => {
    const stage = new EngineStage({}, { sliceRowCount: 1 });
    const definition = { currencies: { EUR: 2 } };
    const make = (n: number) => ({ kind: 'setOperator', operator: `op-${n}`, definition });
    const all = Array.from({ length: OPERATORS_MAX - 1 }, (_, n) => make(n));
    expect(new Set(stage.sendAll(all).map(({ code }) => code))).toEqual(new Set([Code.ok]));
    expect(stage.codes(make(OPERATORS_MAX), make(5))).toEqual([Code.malformed, Code.ok]);
    const last = { operator: `op-${OPERATORS_MAX - 2}` };
    expect(stage.codes({ kind: 'open', ...last }, move('deposit', 1, last))).toEqual([0, 0]);
    stage.crash();
    expect(stage.codes(move('deposit', 1, last))).toEqual([Code.ok]);
  });
});

describe('amounts', () => {
  test.each([
    [MAX - 1, 0],
    [MAX, 0],
    [MAX + 1, 41],
  ])('%i: in range or not', (amount, code) => {
    for (const kind of ['deposit', 'grant', 'win']) {
      const stage = new EngineStage();
      stage.send(bet('b', { amount: 0, round: 'r' }));
      const draft = move(kind, amount, kind === 'win' ? { round: 'r' } : {});
      expect(stage.send(draft).code).toBe(code);
    }
    expect(new EngineStage().codes(adjust(-amount))).toEqual([code]);
  });

  test('a bucket, and the sum of the buckets, reach 2^53 − 1 and not one more', () => {
    const stage = new EngineStage().fund({ cash: MAX - 10, bonus: 9 });
    expect(stage.codes(move('deposit', 2), move('grant', 2), move('deposit', 1))).toEqual([
      26, 26, 0,
    ]);
    expect(stage.buckets()).toEqual([MAX - 9, 9, 0]);
    expect(stage.codes(adjust(1), adjust(1, { bucket: 'bonus' }))).toEqual([26, 26]);
    stage.crash();
    expect(stage.buckets()).toEqual([MAX - 9, 9, 0]);
  });

  test('cash may be held, captured and released at 2^53 − 1', () => {
    const stage = new EngineStage().fund({ cash: MAX });
    const hold = move('hold', MAX, { transactionId: 'h' });
    expect(stage.codes(hold, move('deposit', 1))).toEqual([0, Code.overflow]);
    expect(stage.codes(move('capture', 1, { reference: 'h' }))).toEqual([0]);
    expect(stage.codes(move('release', MAX - 1, { reference: 'h' }))).toEqual([0]);
    expect(stage.buckets()).toEqual([MAX - 1, 0, 0]);
  });

  test('an account may owe 2^53 − 1 and not one more', () => {
    const stage = new EngineStage();
    expect(stage.codes(adjust(-MAX), adjust(-1), adjust(-1, { bucket: 'bonus' }))).toEqual([
      0, 26, 26,
    ]);
  });

  test('a round’s live stake reaches 2^53 − 1 and not one more', () => {
    const stage = new EngineStage().fund({ cash: MAX });
    stage.codes(bet('a', { amount: MAX, round: 'r' }), move('deposit', 10));
    expect(stage.codes(bet('b', { amount: 1, round: 'r' }))).toEqual([Code.overflow]);
    expect(stage.codes(bet('c', { amount: 0, round: 'r' }), bet('d', { amount: 1 }))).toEqual([
      0, 0,
    ]);
  });

  test('the bonus part of a win is exact for all magnitudes, as BigInt has it', () => {
    const random = new SeededRandom('bonusPartMinor');
    for (let step = 0; step < 200_000; step += 1) {
      const amount = random.amountMinor();
      const bonus = random.amountMinor();
      const cash = Math.min(random.amountMinor(), MAX - bonus);
      const exact =
        bonus === 0 ? 0n : (BigInt(amount) * BigInt(bonus)) / (BigInt(cash) + BigInt(bonus));
      const found = bonusPartMinor(amount, cash, bonus);
      if (BigInt(found) !== exact) expect.fail(`${amount} of ${cash} and ${bonus}: ${found}`);
    }
    expect(bonusPartMinor(MAX, 0, MAX)).toBe(MAX);
    expect(bonusPartMinor(MAX, 1, MAX - 1)).toBe(MAX - 1);
    expect(bonusPartMinor(MAX, MAX - 1, 1)).toBe(1);
    expect(bonusPartMinor(MAX - 1, MAX - 1, 1)).toBe(0);
  });

  test('totals over many accounts pass 2^53 and stay exact', () => {
    const stage = new EngineStage();
    const players = Array.from({ length: 50 }, (_, n) => `p${n}`);
    stage.sendAll(players.map((player) => ({ kind: 'open', player })));
    stage.sendAll(players.map((player) => move('deposit', MAX, { player })));
    stage.sendAll(players.map((player) => bet(`b-${player}`, { player, amount: MAX - 3 })));
    expect(stage.shard.systemTotal(1, 0, SystemAccount.cashier)).toBe(BigInt(MAX) * -50n);
    expect(stage.shard.systemTotal(1, 0, SystemAccount.house)).toBe(BigInt(MAX - 3) * 50n);
    stage.crash();
    expect(stage.shard.systemTotal(1, 0, SystemAccount.cashier)).toBe(BigInt(MAX) * -50n);
  });
});

describe('a shard’s bounds: beyond is overloaded, not recorded, and burns no key', () => {
  function expectOverloaded(stage: EngineStage, draft: Draft): void {
    const before = stage.shard.sequence;
    const found = stage.send(draft);
    expect(found).toMatchObject({ code: Code.overloaded, recorded: false });
    expect(stage.shard.sequence).toBe(before);
  }

  test('accountsMax: no further account, but an open of a known one is answered', () => {
    // Three accounts are the stage's own.
    const stage = new EngineStage({}, { bounds: { accountsMax: 5 } });
    expect(stage.codes({ kind: 'open', player: 'c' }, { kind: 'open', player: 'd' })).toEqual([
      0, 0,
    ]);
    expectOverloaded(stage, { kind: 'open', player: 'e' });
    expect(stage.send({ kind: 'open', player: 'd' })).toMatchObject({ code: 0, made: false });
    expect(stage.codes(move('deposit', 1, { player: 'd' }))).toEqual([Code.ok]);
  });

  test('holdsMax: a finished hold makes room', () => {
    const stage = new EngineStage({}, { bounds: { holdsMax: 2 } }).fund({ cash: 100 });
    const hold = (id: string) => move('hold', 5, { transactionId: id });
    expect(stage.codes(hold('a'), hold('b'))).toEqual([0, 0]);
    expectOverloaded(stage, hold('c'));
    expect(stage.codes(hold('a'))).toEqual([Code.ok]);
    expect(stage.codes(move('release', 5, { reference: 'a' }), hold('c'))).toEqual([0, 0]);
    expectOverloaded(stage, hold('d'));
  });

  test('openRoundsMax: known rounds go on and may be ended, which makes room', () => {
    const bounds = { openRoundsMax: 2 };
    const stage = new EngineStage({ winNeedsBet: false }, { bounds }).fund({ cash: 100 });
    expect(stage.codes(bet('a', { round: 'r' }), bet('b'))).toEqual([0, 0]);
    expectOverloaded(stage, bet('c', { round: 's' }));
    expectOverloaded(stage, bet('d'));
    expectOverloaded(stage, win({ round: 's' }));
    expect(entryCount(stage, 'open_rounds')).toBe(2);
    // A round of a single bet takes no place; rounds that are open take further bets and wins.
    expect(
      stage.codes(
        bet('e', { round: 'whole', roundEnd: true }),
        bet('f', { round: 'r' }),
        win({ round: 'r' }),
        win({ reference: 'b' }),
        win({ round: 'r', roundEnd: true }),
        bet('c', { round: 's' }),
      ),
    ).toEqual([0, 0, 0, 0, 0, 0]);
    expectOverloaded(stage, bet('d'));
    stage.nowMs += 72 * HOUR_MS;
    expect(stage.codes(bet('d'))).toEqual([Code.ok]);
  });

  test('roundsMax: closed rounds count too, and known rounds go on', () => {
    const bounds = { roundsMax: 2 };
    const stage = new EngineStage({ winNeedsBet: false }, { bounds }).fund({ cash: 100 });
    expect(stage.codes(bet('a', { round: 'r' }), bet('b', { roundEnd: true }))).toEqual([0, 0]);
    expectOverloaded(stage, bet('c', { round: 's' }));
    expectOverloaded(stage, bet('c', { round: 's', roundEnd: true }));
    expectOverloaded(stage, win({ round: 's' }));
    expect(stage.codes(bet('d', { round: 'r' }), win({ round: 'r', roundEnd: true }))).toEqual([
      0, 0,
    ]);
    expectOverloaded(stage, bet('e'));
  });

  test('indexEntriesMax: the index never passes it, and repeats are still answered', () => {
    const indexEntriesMax = 60;
    const stage = new EngineStage({}, { bounds: { indexEntriesMax } }).fund({ cash: 100 });
    const drafts = Array.from({ length: 60 }, (_, n) => bet(`b${n}`, { amount: 1 }));
    const found = stage.sendAll(drafts);
    const taken = found.filter(({ code }) => code === Code.ok).length;
    expect(found.map(({ code }) => code)).toEqual(
      drafts.map((_, n) => (n < taken ? Code.ok : Code.overloaded)),
    );
    expect(entryCount(stage, 'index_slots')).toBeLessThanOrEqual(indexEntriesMax);
    expect(entryCount(stage, 'index_slots')).toBeGreaterThan(indexEntriesMax - 3);
    expect(stage.send(drafts[0])).toEqual({ ...found[0], replay: true });
    expectOverloaded(stage, move('deposit', 1));
    expectOverloaded(stage, rollback('b0'));
    const whole = stage.batch(bet('x', { amount: 1 }), bet('y', { amount: 1000 }));
    expect(whole.map(({ code }) => code)).toEqual([Code.overloaded, Code.overloaded]);
    // A larger bound after a restart takes what was refused.
    stage.crash();
    expectOverloaded(stage, drafts[59]);
  });

  test('an atomic batch that would be aborted does not pass indexEntriesMax either', () => {
    const stage = new EngineStage({}, { bounds: { indexEntriesMax: 40 } }).fund({ cash: 100 });
    const drafts = Array.from({ length: 40 }, (_, n) => bet(`b${n}`, { amount: 1000 }));
    const before = stage.shard.sequence;
    const found = stage.batch(...drafts);
    expect(new Set(found.map(({ code }) => code))).toEqual(new Set([Code.overloaded]));
    expect(stage.shard.sequence).toBe(before);
    expect(stage.batch(...drafts.slice(0, 5)).map(({ code }) => code)).toEqual([
      10, 27, 27, 27, 27,
    ]);
  });
});

describe('blocks', () => {
  const id = (text: string) => text.padEnd(ID_BYTES_MAX, '-');
  const longest = (text: string): Draft => ({
    kind: 'win',
    transactionId: id(text),
    round: id('round'),
    reference: id('bet'),
    game: id('game'),
    metadata: 'm'.repeat(METADATA_BYTES_MAX),
    sentAt: 1_700_000_000_000,
    stakeless: true,
    amount: 1,
  });
  const many = (from: (n: number) => Draft) =>
    Array.from({ length: ATOMIC_TRANSACTIONS_MAX }, (_, n) => from(n));

  test('1,000 of the longest transactions fit one block atomically, done or aborted', () => {
    const stage = new EngineStage().fund({ cash: 100, bonus: MAX - 2000 });
    stage.send(bet(id('bet'), { round: id('round'), amount: 50 }));
    stage.closeBlock();
    const done = stage.batch(...many((n) => longest(`w${n}`)));
    expect(new Set(done.map(({ code }) => code))).toEqual(new Set([Code.ok]));
    expect(stage.block.recordCount).toBe(ATOMIC_TRANSACTIONS_MAX);
    stage.closeBlock();
    const aborted = stage.batch(...many((n) => ({ ...longest(`x${n}`), amount: MAX })));
    expect(aborted.map(({ code }) => code)).toEqual(
      many(() => bet('')).map((_, n) => (n ? 27 : 26)),
    );
    expect(stage.block.usedBytes).toBeLessThanOrEqual(BLOCK_CONTENT_BYTES_MAX);
    expect(stage.block.recordCount).toBe(ATOMIC_TRANSACTIONS_MAX);
    stage.crash();
    expect(stage.send({ ...longest('x7'), amount: MAX }).replay).toBe(true);
  });

  test('a batch of 1,000 whose rounds are all due fits its block with their records', () => {
    const stage = new EngineStage().fund({ cash: 100_000 });
    const inRound = (n: number, more: Partial<Draft>) => ({
      ...bet(id(`b${n}`), { amount: 1, round: id(`r${n}`), game: id('g') }),
      metadata: 'm'.repeat(METADATA_BYTES_MAX),
      ...more,
    });
    stage.sendAll(many((n) => inRound(n, {})));
    stage.nowMs += 72 * HOUR_MS;
    stage.closeBlock();
    stage.advance = () => 0;
    const found = stage.batch(...many((n) => inRound(n, { transactionId: id(`c${n}`) })));
    expect(found.map(({ code }) => code)).toEqual(many(() => bet('')).map((_, n) => (n ? 27 : 15)));
    expect(stage.block.recordCount).toBe(ATOMIC_TRANSACTIONS_MAX * 2);
    expect(stage.block.usedBytes).toBeLessThanOrEqual(BLOCK_CONTENT_BYTES_MAX);
    stage.crash();
  });

  test('a block that gets full in the middle of a message: the rest goes into a new one', () => {
    const drafts = Array.from({ length: 3000 }, (_, n) => longest(`w${n}`));
    const outcomes = [500, 1].map((sliceRowCount) => {
      const stage = new EngineStage({}, { sliceRowCount }).fund({ cash: 100 });
      stage.send(bet(id('bet'), { round: id('round') }));
      const found = stage.sendAll(drafts);
      stage.crash();
      expect(stage.blocks.length).toBeGreaterThan(1);
      for (const { content } of stage.blocks) {
        expect(content.length).toBeLessThanOrEqual(BLOCK_CONTENT_BYTES_MAX);
      }
      expect(stage.buckets()).toEqual([90 + 3000, 0, 0]);
      return found;
    });
    expect(outcomes[0]).toEqual(outcomes[1]);
    expect(new Set(outcomes[0].map(({ code }) => code))).toEqual(new Set([Code.ok]));
  });
});

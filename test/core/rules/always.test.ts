// Rules 35, 38 and 39 on the real engine: sums of zero, records without gaps, and a replay that
// gives the same state. Rules 36, 37 and 40 are persist's and the gateway's, 34 has no kind yet.
import { describe, expect, test } from 'vitest';
import { RecordColumns } from '../../../core/records/record-columns.ts';
import { RecordReader, sourceOfContent } from '../../../core/records/record-reader.ts';
import { SystemAccount } from '../../../core/tables/system-accounts.ts';
import { TransactionColumns } from '../../../core/transaction-columns.ts';
import type { Draft } from '../../model/model-stage.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { adjust, bet, move, rollback, setStatus, win } from './drafts.ts';

const HOUR_MS = 3_600_000;

/** One of each kind that moves money, and the refusals between them. */
const story: readonly Draft[] = [
  move('deposit', 100, { transactionId: 'd' }),
  move('grant', 50, { transactionId: 'g' }),
  bet('b1', { amount: 120, round: 'r', game: 'g' }),
  bet('b2', { amount: 1000, round: 'r' }),
  win({ transactionId: 'w1', round: 'r', amount: 90 }),
  rollback('w1', { transactionId: 'rw', of: 'win' }),
  rollback('b1', { transactionId: 'rb' }),
  rollback('late', { transactionId: 'rl' }),
  bet('late'),
  move('hold', 40, { transactionId: 'h', expiresIn: HOUR_MS }),
  move('capture', 10, { transactionId: 'c', reference: 'h' }),
  move('release', 5, { transactionId: 'e', reference: 'h' }),
  move('transfer', 7, { transactionId: 't', to: 'bob' }),
  move('convert', 20, { transactionId: 'v' }),
  move('forfeit', 10, { transactionId: 'f' }),
  adjust(-3, { transactionId: 'a', bucket: 'bonus' }),
  move('withdraw', 2, { transactionId: 'o' }),
  setStatus('betLocked', { transactionId: 's' }),
  bet('b3', { round: 'r' }),
];

describe('35: the sum over all accounts is zero', () => {
  test('35: after each transaction, and each posting has its counterpart', () => {
    const stage = new EngineStage();
    // Each send checks the sum over all accounts.
    for (const draft of story) stage.send(draft);
    const total = (account: number) => stage.shard.systemTotal(1, 0, account);
    expect(total(SystemAccount.cashier)).toBe(-100n + 10n + 2n);
    expect(total(SystemAccount.bonusFund)).toBe(-50n + 10n);
    expect(total(SystemAccount.adjustments)).toBe(3n);
    expect([total(SystemAccount.house), total(SystemAccount.transit)]).toEqual([0n, 0n]);
    const [cash, bonus, held] = stage.buckets();
    expect(cash + bonus + held + stage.buckets('bob')[0]).toBe(100 + 50 - 10 - 2 - 10 - 3);
  });
});

describe('38: records', () => {
  test('38: without gaps, in time order, though the clock goes back', () => {
    const stage = new EngineStage();
    const steps = [5, -60_000, 0, 10_000, -1];
    for (const [place, draft] of story.entries()) {
      stage.send(draft);
      stage.nowMs += steps[place % steps.length];
    }
    stage.closeBlock();
    const records = new RecordColumns(100);
    const columns = new TransactionColumns(100);
    const [{ content, recordCount, firstSequence }] = stage.blocks;
    columns.sources[0] = sourceOfContent(content);
    const reader = new RecordReader();
    reader.begin(content);
    for (let row = 0; row < recordCount; row += 1) reader.read(columns, records, row);
    expect([firstSequence, recordCount]).toEqual([1, stage.shard.sequence]);
    const times = [...records.timeMs.subarray(0, recordCount)];
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(times[recordCount - 1]).toBe(stage.shard.lastTimeMs);
  });

  test('38: all of a message has one time', () => {
    const stage = new EngineStage();
    const found = stage.sendAll(story);
    expect(new Set(found.map(({ timeMs }) => timeMs))).toEqual(new Set([stage.nowMs]));
    const sequences = found.map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual(sequences.map((_, place) => sequences[0] + place));
  });

  test('38: setOperator replaces the policies that it names, from its record on', () => {
    const stage = new EngineStage({ bucketOrder: 'bonusFirst', winNeedsBet: false });
    stage.fund({ cash: 100, bonus: 100 });
    stage.send(bet('a', { amount: 30, round: 'r' }));
    stage.send({ kind: 'setOperator', definition: { bucketOrder: 'cashFirst' } });
    expect(stage.send(bet('b')).moved).toEqual({ cash: -10, bonus: 0 });
    expect(stage.codes(win({}))).toEqual([0]);
    expect(stage.send(rollback('a')).moved).toEqual({ cash: 0, bonus: 30 });
  });
});

describe('39: replay', () => {
  test('39: from nothing, cut after every record: the same state and the same repeats', () => {
    const stage = new EngineStage();
    const first = story.map((draft) => {
      const outcome = stage.send(draft);
      stage.crash();
      return outcome;
    });
    const straight = new EngineStage();
    expect(story.map((draft) => straight.send(draft))).toEqual(first);
    expect([stage.buckets(), stage.buckets('bob')]).toEqual([
      straight.buckets(),
      straight.buckets('bob'),
    ]);
    for (const place of first.keys()) {
      expect(stage.send(story[place])).toEqual({ ...first[place], replay: true });
    }
    stage.nowMs += HOUR_MS;
    expect(stage.advance()).toBe(1);
  });

  test('39: a replay continues the records’ numbers and refuses a block that is not next', () => {
    const stage = new EngineStage();
    stage.send(move('deposit', 1));
    stage.crash();
    const { sequence } = stage.shard;
    expect(stage.send(move('deposit', 1)).sequence).toBe(sequence + 1);
    const [block] = stage.blocks;
    expect(() => stage.shard.applyBlock(block.content, block.recordCount, 1)).toThrow(
      `Cannot replay a block because its first record has number 1 where ${sequence + 2} is next`,
    );
  });
});

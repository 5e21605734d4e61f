// TransactionIndex with its outcome and round rows: what stands under a key is found, told apart by
// type, kept exactly, and taken out again.
import { describe, expect, test } from 'vitest';
import { Decision } from '../../../core/records/decision.ts';
import { KeyColumns } from '../../../core/records/key-columns.ts';
import { RoundCount, RoundState } from '../../../core/tables/round-rows.ts';
import { MarkType, TransactionIndex } from '../../../core/tables/transaction-index.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const TIME_MS = 1_700_000_000_123;

function outcome(key: Int32Array, facts: Partial<Decision> = {}): Decision {
  const decision = new Decision(new KeyColumns(1));
  Object.assign(decision, { kind: 3, timeMs: TIME_MS, sequence: 1, accountRow: 0 }, facts);
  decision.keys.key.set(key);
  return decision;
}

function rowsFound(index: TransactionIndex, key: Int32Array): number[] {
  index.probe(key, 0);
  return [index.outcomeRow, index.openingRow, index.markRow, index.findRound(key, 0)];
}

describe('TransactionIndex', () => {
  test('an outcome, an opening, a mark and a round under one key are told apart', () => {
    const index = new TransactionIndex();
    const key = Int32Array.of(1, 2, 3, 4);
    expect(rowsFound(index, key)).toEqual([-1, -1, -1, -1]);
    for (let filler = 0; filler < 3; filler += 1) index.rounds.add(key, 0, 0, 0, 0);
    const round = index.rounds.add(key, 0, 7, TIME_MS, 5);
    index.insertRound(key, 0, round);
    const mark = index.insertMark(key, 0, MarkType.tombstoneNoop, 6, TIME_MS);
    const outcomeRow = index.outcomes.add(outcome(key));
    index.insertOutcome(key, 0, outcomeRow);
    index.insertOpening(key, 0, 9, 2 ** 40 + 1, TIME_MS);
    expect(rowsFound(index, key)).toEqual([outcomeRow, 0, mark, 3]);
    expect(index.markType(mark)).toBe(MarkType.tombstoneNoop);
    expect(index.openingAccountRow(0)).toBe(9);
    expect([index.openingSequence(0), index.openingTimeMs(0)]).toEqual([2 ** 40 + 1, TIME_MS]);
    expect(index.entryCount).toBe(4);
  });

  test('keys that differ in one bit of any word are different keys', () => {
    const index = new TransactionIndex();
    const key = Int32Array.of(1, 2, 3, 4);
    index.insertOutcome(key, 0, index.outcomes.add(outcome(key)));
    for (let word = 0; word < 4; word += 1) {
      for (let bit = 0; bit < 32; bit += 1) {
        const other = key.slice();
        other[word] ^= 1 << bit;
        expect(rowsFound(index, other)).toEqual([-1, -1, -1, -1]);
      }
    }
  });

  test('what is taken out is gone and nothing else', () => {
    const index = new TransactionIndex();
    const key = Int32Array.of(1, 2, 3, 4);
    const decision = outcome(key);
    const outcomeRow = index.outcomes.add(decision);
    index.insertOutcome(key, 0, outcomeRow);
    const mark = index.insertMark(key, 0, MarkType.reversal, 1, TIME_MS);
    const round = index.rounds.add(key, 0, 0, 0, 0);
    index.insertRound(key, 0, round);
    index.removeMark(key[0], mark);
    expect(rowsFound(index, key)).toEqual([outcomeRow, -1, -1, round]);
    index.removeOutcome(key[0], outcomeRow);
    expect(rowsFound(index, key)).toEqual([-1, -1, -1, round]);
    index.removeRound(key[0], round);
    expect(rowsFound(index, key)).toEqual([-1, -1, -1, -1]);
    expect(index.entryCount).toBe(0);
  });

  test('random entries under few keys agree with a Map', () => {
    const random = new SeededRandom('TransactionIndex');
    const index = new TransactionIndex();
    const expected = new Map<number, { outcome: number; mark: number }>();
    const keyOf = (number: number) => Int32Array.of(number % 7, number, number % 3, number % 5);
    for (let step = 0; step < 30_000; step += 1) {
      const number = random.below(500);
      const key = keyOf(number);
      const entry = expected.get(number) ?? { outcome: -1, mark: -1 };
      expected.set(number, entry);
      if (random.below(2) === 0) {
        if (entry.outcome >= 0) index.removeOutcome(key[0], entry.outcome);
        entry.outcome = entry.outcome >= 0 ? -1 : index.outcomes.add(outcome(key));
        if (entry.outcome >= 0) index.insertOutcome(key, 0, entry.outcome);
      } else {
        if (entry.mark >= 0) index.removeMark(key[0], entry.mark);
        entry.mark = entry.mark >= 0 ? -1 : index.insertMark(key, 0, MarkType.reversal, 1, 1);
      }
      index.probe(key, 0);
      if (index.outcomeRow !== entry.outcome || index.markRow !== entry.mark) {
        expect.fail(`key ${number} at step ${step}`);
      }
    }
    for (const [number, entry] of expected) {
      expect(rowsFound(index, keyOf(number))).toEqual([entry.outcome, -1, entry.mark, -1]);
    }
  });
});

describe('OutcomeRows', () => {
  test.each([
    [1, 1, MAX, -MAX],
    [2 ** 31, 2 ** 31, 0, 0],
    [2 ** 32 - 1, 2 ** 32, -1, 1],
    [2 ** 48 - 1, 2 ** 48 - 1, MAX, MAX],
  ])('keeps sequence %i, time %i and amounts %i, %i exactly', (sequence, timeMs, one, other) => {
    const index = new TransactionIndex();
    const { outcomes } = index;
    const facts = { sequence, timeMs, amountMinor: one, cashMovedMinor: other };
    const balances = { bonusMovedMinor: one, cashMinor: other, bonusMinor: one, heldMinor: other };
    const traits = { code: 49, traits: 15, accountRow: -1, extra: -5, kind: 17 };
    const decision = outcome(Int32Array.of(1, 2, 3, 4), { ...facts, ...balances, ...traits });
    decision.keys.body.set([8, 9]);
    decision.keys.round.set([-1, -2, -3, -4]);
    decision.roundAt = 0;
    const row = outcomes.add(decision);
    expect([outcomes.sequence(row), outcomes.timeMs(row)]).toEqual([sequence, timeMs]);
    expect([outcomes.code(row), outcomes.traits(row), outcomes.accountRow(row)]).toEqual([
      49, 15, -1,
    ]);
    expect(outcomes.extra(row)).toBe(-5);
    const minors = [
      outcomes.amountMinor(row),
      outcomes.cashMovedMinor(row),
      outcomes.bonusMovedMinor(row),
      outcomes.cashMinor(row),
      outcomes.bonusMinor(row),
      outcomes.heldMinor(row),
    ];
    expect(minors).toEqual([one, other, one, other, one, other]);
    expect(outcomes.bodyEquals(row, Int32Array.of(0, 8, 9), 1)).toBe(true);
    expect(outcomes.bodyEquals(row, Int32Array.of(8, 8), 0)).toBe(false);
    const roundKey = new Int32Array(4);
    outcomes.readRoundKey(row, roundKey, 0);
    expect([...roundKey]).toEqual([-1, -2, -3, -4]);
    expect(outcomes.roundEquals(row, roundKey, 0)).toBe(true);
    roundKey[3] += 1;
    expect(outcomes.roundEquals(row, roundKey, 0)).toBe(false);
  });
});

describe('RoundRows', () => {
  test('a new round is open and empty, also in a row that was used before', () => {
    const { rounds } = new TransactionIndex();
    const key = Int32Array.of(1, 2, 3, 4);
    const first = rounds.add(key, 0, 3, TIME_MS, 2 ** 33);
    rounds.addStake(first, MAX, 1);
    rounds.addBet(first, 1, 0);
    rounds.addDeadBet(first);
    rounds.setState(first, RoundState.closedByAge);
    rounds.rows.free(first);
    const row = rounds.add(key, 0, 4, TIME_MS + 1, 2 ** 33 + 1);
    expect(row).toBe(first);
    expect([rounds.cashStakeMinor(row), rounds.bonusStakeMinor(row)]).toEqual([0, 0]);
    const counts = Object.values(RoundCount).map((count) => rounds.count(row, count));
    expect(counts).toEqual([0, 0]);
    expect(rounds.hasBets(row)).toBe(false);
    expect([rounds.state(row), rounds.accountRow(row)]).toEqual([RoundState.open, 4]);
    expect([rounds.openedAtMs(row), rounds.openedSequence(row)]).toEqual([
      TIME_MS + 1,
      2 ** 33 + 1,
    ]);
  });
});

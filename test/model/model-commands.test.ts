// The random commands reach every code that the rules have today, and on all of them the model
// keeps its own laws: sums of zero, sequences without gaps, balances below zero only where a rule
// allows it.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ResultCode, resultCodeName } from '../../core/result-codes.ts';
import { Model } from './model.ts';
import {
  commandSequence,
  firstCommands,
  type ModelCommand,
  transactionsAt,
} from './model-commands.ts';
import type { ModelOutcome } from './model-transaction.ts';

const runCount = 50;
const commandsPerRun = 400;
const dayMs = 86_400_000;
const startMs = 1_700_000_000_000;
const operators = ['o1', 'o2'];
const currencies = ['EUR', 'USD', 'GBP'];

/** Limits come later; 60 and above are answers of a system, not of the rules. */
const unreachable: readonly number[] = [
  ResultCode.limitReached,
  ResultCode.overloaded,
  ResultCode.starting,
  ResultCode.stopping,
  ResultCode.clockUnsure,
  ResultCode.diskReserve,
];

class Count {
  readonly byCode: Map<number, number> = new Map();
  commands = 0;
  replays = 0;
  noops = 0;
  events = 0;

  add(outcome: ModelOutcome): void {
    this.byCode.set(outcome.code, (this.byCode.get(outcome.code) ?? 0) + 1);
    this.replays += outcome.replay ? 1 : 0;
    this.noops += outcome.noop ? 1 : 0;
  }
}

function expectZeroSums(model: Model): void {
  for (const operator of operators) {
    for (const currency of currencies) {
      const sum = Object.values(model.totals(operator, currency)).reduce((a, b) => a + b, 0n);
      expect(sum).toBe(0n);
    }
  }
}

function expectGrowth(outcomes: readonly ModelOutcome[], before: number, after: number): void {
  const fresh = outcomes.filter(({ recorded, replay }) => recorded && !replay);
  expect(fresh.map(({ sequence }) => sequence)).toEqual(
    fresh.map((_, index) => before + index + 1),
  );
  expect(after).toBe(before + fresh.length);
  for (const outcome of outcomes) {
    expect(outcome.timeMs !== undefined).toBe(outcome.recorded);
    expect(outcome.balances === undefined || outcome.balances.held >= 0).toBe(true);
  }
}

function play(commands: readonly ModelCommand[], count: Count): void {
  const model = new Model({ retentionMs: 120 * dayMs });
  let nowMs = startMs;
  for (const command of [...firstCommands(), ...commands]) {
    nowMs += command.stepMs;
    count.events += model.advance(nowMs).length;
    const before = model.sequence;
    const transactions = transactionsAt(command, nowMs);
    const outcomes = command.isAtomic
      ? model.decideAtomic(transactions, nowMs)
      : transactions.map((each) => model.decide(each, nowMs));
    expectGrowth(outcomes, before, model.sequence);
    expectZeroSums(model);
    outcomes.forEach((outcome) => {
      count.add(outcome);
    });
    count.commands += 1;
  }
}

test('20,000 random commands reach every code and always sum to zero', () => {
  const seed = Number(process.env.KASSA_SEED ?? Date.now() % 2 ** 31);
  console.log(`model commands: KASSA_SEED=${seed} repeats this run`);
  const count = new Count();
  fc.assert(
    fc.property(commandSequence(commandsPerRun), (commands) => play(commands, count)),
    { seed, numRuns: runCount },
  );
  const sorted = [...count.byCode].sort(([one], [other]) => one - other);
  console.log(sorted.map(([code, times]) => `${code} ${resultCodeName(code)} ${times}`).join('\n'));
  console.log(`replays ${count.replays}, noops ${count.noops}, time-driven ${count.events}`);
  expect(count.commands).toBeGreaterThanOrEqual(runCount * commandsPerRun);
  const missing = Object.values(ResultCode).filter(
    (code) => !unreachable.includes(code) && !count.byCode.has(code),
  );
  expect(missing).toEqual([]);
  expect(Math.min(count.replays, count.noops, count.events)).toBeGreaterThan(0);
}, 60_000);

// The engine agrees with the model on every outcome, balance and total over random commands, and a
// replay of its log agrees with it on every key (rules 1 to 33, 35, 38, 39).
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commandSequence, type ModelCommand } from '../model/model-commands.ts';
import { Comparison } from './comparison.ts';

const COMMANDS_PER_RUN = 400;
const RUNS = Number(process.env.KASSA_RUNS ?? 260);

/** A counterexample has hundreds of commands; its cause names the one that matters. */
function showFailure(details: fc.RunDetails<[ModelCommand[]]>): void {
  if (details.failed)
    throw new Error(`KASSA_SEED=${details.seed}`, { cause: details.errorInstance });
}

test('100,000 random commands: engine, model and replay agree', () => {
  const seed = Number(process.env.KASSA_SEED ?? Date.now() % 2 ** 31);
  console.log(`engine against model: KASSA_SEED=${seed} repeats this run`);
  let commandCount = 0;
  fc.assert(
    fc.property(commandSequence(COMMANDS_PER_RUN), (commands) => {
      const comparison = new Comparison();
      commandCount += comparison.play(commands);
      comparison.replay();
    }),
    { seed, numRuns: RUNS, endOnFailure: true, reporter: showFailure },
  );
  console.log(`engine against model: ${commandCount} commands`);
  if (process.env.KASSA_RUNS === undefined) expect(commandCount).toBeGreaterThanOrEqual(100_000);
}, 240_000);

// The same messages give the same outcomes and the same bytes, whatever the slices they are decided
// in and whatever the hash seed (rule 39, design law 3).
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { METADATA_BYTES_MAX } from '../../core/limits.ts';
import { commandSequence, firstCommands, transactionsAt } from '../model/model-commands.ts';
import type { ModelOutcome, ModelTransaction } from '../model/model-transaction.ts';
import { setUpProviders } from '../support/engine-set-up.ts';
import { EngineStage, type StageSettings } from '../support/engine-stage.ts';
import { SeededRandom } from '../support/seeded-random.ts';

interface Message {
  readonly nowMs: number;
  readonly isAtomic: boolean;
  readonly transactions: ModelTransaction[];
}

interface Played {
  readonly outcomes: ModelOutcome[];
  readonly contents: string[];
  readonly recordCounts: number[];
}

const START_MS = 1_700_000_000_000;
const VARIANTS: readonly StageSettings[] = [
  { sliceRowCount: 1 },
  { sliceRowCount: 7 },
  { sliceRowCount: 500 },
  { sliceRowCount: 500, seedByte: 99 },
  { sliceRowCount: 7, seedByte: 200 },
];

function play(messages: readonly Message[], settings: StageSettings): Played {
  const stage = new EngineStage({}, settings);
  setUpProviders(stage.shard, ['p1', 'p2'], stage.nowMs, stage.block);
  const outcomes = messages.flatMap(({ nowMs, isAtomic, transactions }) => {
    stage.nowMs = nowMs;
    return isAtomic ? stage.decideAtomic(transactions) : stage.decide(transactions);
  });
  stage.closeBlock();
  const contents = stage.blocks.map(({ content }) => Buffer.from(content).toString('latin1'));
  return { outcomes, contents, recordCounts: stage.blocks.map(({ recordCount }) => recordCount) };
}

function expectAllAlike(messages: readonly Message[]): Played {
  const [first, ...others] = VARIANTS.map((settings) => play(messages, settings));
  for (const [place, other] of others.entries()) {
    expect(other.outcomes, JSON.stringify(VARIANTS[place + 1])).toEqual(first.outcomes);
    expect(other.recordCounts).toEqual(first.recordCounts);
    expect(other.contents.map((content, block) => content === first.contents[block])).toEqual(
      first.contents.map(() => true),
    );
  }
  return first;
}

/** Random commands as messages: those at one time, none of them atomic, come together. */
function randomMessages(seed: number): Message[] {
  const [commands] = fc.sample(commandSequence(700), { seed, numRuns: 1 });
  const messages: Message[] = [];
  let nowMs = START_MS;
  let open: Message | undefined;
  for (const command of [...firstCommands(), ...commands]) {
    nowMs += command.stepMs;
    const transactions = transactionsAt(command, nowMs);
    if (command.isAtomic || command.stepMs !== 0 || open === undefined) {
      open = { nowMs, isAtomic: command.isAtomic, transactions };
      messages.push(open);
      if (command.isAtomic) open = undefined;
    } else {
      open.transactions.push(...transactions);
    }
  }
  return messages.filter(({ transactions }) => transactions.length > 0);
}

describe('slices of 1, 7 and 500 and other hash seeds give the same outcomes and bytes', () => {
  test('over random messages of all kinds, atomic ones between them', () => {
    const random = new SeededRandom('determinism');
    for (let run = 0; run < 3; run += 1) {
      const { outcomes } = expectAllAlike(randomMessages((random.seed + run) | 0));
      expect(outcomes.length).toBeGreaterThan(700);
      expect(new Set(outcomes.map(({ code }) => code)).size).toBeGreaterThan(8);
    }
  });

  test('over messages that fill several blocks', () => {
    const own = { operator: 'op', provider: 'studio', player: 'ann', currency: 'EUR' };
    const transactions = Array.from({ length: 9000 }, (_, n): ModelTransaction => {
      const round = `round-${n >> 1}`;
      const metadata = 'm'.repeat(METADATA_BYTES_MAX);
      const kind = n % 2 === 0 ? 'bet' : 'win';
      return { ...own, kind, transactionId: `t-${n}`, amount: n, round, metadata };
    });
    const deposit = { ...own, kind: 'deposit', transactionId: 'd', amount: 50_000_000 };
    const messages = [
      { nowMs: START_MS, isAtomic: false, transactions: [deposit, ...transactions.slice(0, 7000)] },
      { nowMs: START_MS, isAtomic: true, transactions: transactions.slice(7000, 8000) },
      { nowMs: START_MS + 1, isAtomic: false, transactions: transactions.slice(8000) },
    ];
    const { outcomes, contents } = expectAllAlike(messages);
    expect(contents.length).toBeGreaterThan(2);
    expect(new Set(outcomes.map(({ code }) => code))).toEqual(new Set([0]));
  });
});

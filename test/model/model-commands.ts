// Random sequences of commands for the model and whatever is compared with it (fast-check).
// Players, ids, rounds and amounts come from small pools, so that repeats, conflicts and references
// hit often; a part of the commands follows up an earlier one by name. Used by tests only.

import fc from 'fast-check';
import { type Draft, policyChange, transactionDraft, uniform } from './model-command-drafts.ts';
import { faultyTransaction } from './model-command-faults.ts';
import { alignBatch, type FollowUp, followUp } from './model-command-follow-ups.ts';
import { story } from './model-command-stories.ts';
import type { ModelTransaction } from './model-transaction.ts';

/** One message: time passes, then its transactions are decided, one by one or all or nothing. */
export interface ModelCommand {
  /** Added to the clock first; now and then below zero, as clocks go. */
  readonly stepMs: number;
  readonly isAtomic: boolean;
  /** A single transaction unless atomic; `sentAt` is filled in from `sentAgoMs` when it is sent. */
  readonly transactions: readonly ModelTransaction[];
  /** How long ago the sender says that it was sent; undefined leaves `sentAt` out. */
  readonly sentAgoMs: number | undefined;
}

type RawCommand =
  | { type: 'send'; stepMs: number; sentAgoMs: number | undefined; draft: Draft }
  | { type: 'story'; stepMs: number; isAtomic: boolean; drafts: Draft[] }
  | { type: 'batch'; stepMs: number; drafts: Draft[] }
  | {
      type: 'follow';
      stepMs: number;
      back: number;
      how: FollowUp;
      isOwnId: boolean;
      amount: number;
    };

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const stepMs: fc.Arbitrary<number> = fc.oneof(
  { weight: 60, arbitrary: fc.constant(0) },
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 60_000 }) },
  { weight: 4, arbitrary: fc.integer({ min: hourMs, max: 10 * hourMs }) },
  { weight: 1, arbitrary: fc.integer({ min: dayMs, max: 5 * dayMs }) },
  { weight: 2, arbitrary: fc.integer({ min: -60_000, max: -1 }) },
);

const sentAgoMs: fc.Arbitrary<number | undefined> = fc.oneof(
  { weight: 50, arbitrary: fc.constant(undefined) },
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 118 * dayMs }) },
  { weight: 1, arbitrary: fc.constantFrom(119 * dayMs, 119 * dayMs + 1, 200 * dayMs) },
);

const rawCommand: fc.Arbitrary<RawCommand> = fc.oneof(
  {
    weight: 100,
    arbitrary: fc.record({
      type: fc.constant('send' as const),
      stepMs,
      sentAgoMs,
      draft: transactionDraft,
    }),
  },
  {
    weight: 60,
    arbitrary: fc.record({
      type: fc.constant('follow' as const),
      stepMs,
      back: uniform(1, 12),
      how: fc.constantFrom<FollowUp>('again', 'reversal', 'use', 'use'),
      isOwnId: fc.boolean(),
      amount: uniform(0, 40),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('story' as const),
      stepMs,
      isAtomic: fc.constantFrom(false, false, true),
      drafts: story,
    }),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      type: fc.constant('batch' as const),
      stepMs,
      drafts: fc.array(transactionDraft, { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('send' as const),
      stepMs,
      sentAgoMs,
      draft: faultyTransaction,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('send' as const),
      stepMs,
      sentAgoMs,
      draft: policyChange,
    }),
  },
);

/** Sequences of so many commands (a few less now and then), to be sent after `firstCommands`. */
export function commandSequence(commandCount: number): fc.Arbitrary<ModelCommand[]> {
  return fc
    .array(rawCommand, { minLength: commandCount, maxLength: commandCount, size: 'max' })
    .map((raws) => resolveCommands(raws).slice(0, commandCount));
}

/** What every run starts with: two operators with different policies, accounts, some money. */
export function firstCommands(): ModelCommand[] {
  const common = { provider: 'p1', stepMs: 0 };
  const policies = [
    { operator: 'o1', definition: { currencies: { EUR: 2, USD: 2 } } },
    {
      operator: 'o2',
      definition: {
        currencies: { EUR: 2, USD: 2 },
        bucketOrder: 'bonusFirst' as const,
        unknownBetRollback: 'noop' as const,
        spentWinRollback: 'negative' as const,
      },
    },
  ];
  const commands = policies.map((each) => ({ ...common, ...each, kind: 'setOperator' }));
  const openings = ['o1', 'o2'].flatMap((operator) =>
    ['a1', 'a2', 'a3'].flatMap((player) =>
      ['EUR', 'USD'].map((currency) => ({ ...common, operator, player, currency, kind: 'open' })),
    ),
  );
  const deposits = openings
    .filter(({ player, currency }) => player !== 'a3' && currency === 'EUR')
    .map((opening) => ({ ...opening, kind: 'deposit', amount: 100 }));
  const closings = openings
    .filter(({ player, currency }) => player === 'a3' && currency === 'USD')
    .map((opening) => ({ ...opening, kind: 'setStatus', status: 'closed' as const }));
  return [...commands, ...openings, ...deposits, ...closings].map(
    ({ stepMs: step, ...rest }, index) => ({
      stepMs: step,
      isAtomic: false,
      transactions: [{ ...rest, transactionId: `first-${index}` }],
      sentAgoMs: undefined,
    }),
  );
}

/** The command's transactions as they are sent at this time. */
export function transactionsAt(command: ModelCommand, nowMs: number): ModelTransaction[] {
  const { sentAgoMs: agoMs, transactions } = command;
  return transactions.map((each) =>
    agoMs === undefined ? each : { ...each, sentAt: Math.max(0, nowMs - agoMs) },
  );
}

function resolveCommands(raws: readonly RawCommand[]): ModelCommand[] {
  const commands: ModelCommand[] = [];
  for (const raw of raws) {
    commands.push(...resolveCommand(raw, commands));
  }
  return commands;
}

function resolveCommand(raw: RawCommand, earlier: readonly ModelCommand[]): ModelCommand[] {
  const common = { stepMs: raw.stepMs, sentAgoMs: undefined };
  switch (raw.type) {
    case 'send':
      return [{ ...common, sentAgoMs: raw.sentAgoMs, isAtomic: false, transactions: [raw.draft] }];
    case 'batch':
      return [{ ...common, isAtomic: true, transactions: alignBatch(raw.drafts) }];
    case 'story':
      return raw.isAtomic
        ? [{ ...common, isAtomic: true, transactions: alignBatch(raw.drafts) }]
        : raw.drafts.map((draft) => ({ ...common, isAtomic: false, transactions: [draft] }));
    case 'follow': {
      const target = earlier.at(-raw.back);
      const [first] = target?.transactions ?? [];
      if (target === undefined || first === undefined) {
        return [];
      }
      return raw.how === 'again'
        ? [{ ...common, isAtomic: target.isAtomic, transactions: target.transactions }]
        : [{ ...common, isAtomic: false, transactions: [followUp(first, raw)] }];
    }
  }
}

// Random transactions of every kind, right in form, from small pools (fast-check). Most amounts
// follow from the id, so that the same id often is an exact repeat. Used by tests only.

import fc from 'fast-check';
import type { ModelTransaction } from './model-transaction.ts';

/** A transaction without the sender's time. */
export type Draft = ModelTransaction;

const dayMs = 86_400_000;
const largest = Number.MAX_SAFE_INTEGER;

const operator = fc.oneof(
  { weight: 3, arbitrary: fc.constant('o1') },
  { weight: 2, arbitrary: fc.constant('o2') },
);
const provider = fc.oneof(
  { weight: 8, arbitrary: fc.constant('p1') },
  { weight: 1, arbitrary: fc.constant('p2') },
);
const player = fc.oneof(
  { weight: 20, arbitrary: fc.constant('a1') },
  { weight: 6, arbitrary: fc.constant('a2') },
  { weight: 3, arbitrary: fc.constant('a3') },
  { weight: 1, arbitrary: fc.constant('a4') },
);
const currency = fc.oneof(
  { weight: 5, arbitrary: fc.constant('EUR') },
  { weight: 1, arbitrary: fc.constant('USD') },
);

/**
 * A whole number without fast-check's leaning to the ends, which would make large amounts usual.
 */
export function uniform(least: number, most: number): fc.Arbitrary<number> {
  return fc.noBias(fc.integer({ min: least, max: most }));
}

const idNumber: fc.Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: uniform(1, 5) },
  { weight: 3, arbitrary: uniform(6, 1000) },
);

/** References go to the small ids more often, since those are known sooner. */
const reference: fc.Arbitrary<string> = fc
  .oneof({ weight: 6, arbitrary: uniform(1, 5) }, { weight: 1, arbitrary: idNumber })
  .map((number) => `t${number}`);

/** Absent, or one of the values. */
function maybe<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}

const round = fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6');
const game = fc.constantFrom('g1', 'g2');
const rarely = fc.oneof(
  { weight: 7, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constant(true) },
);
const bucket = fc.constantFrom<'cash' | 'bonus'>('cash', 'bonus');
const status = fc.oneof(
  { weight: 7, arbitrary: fc.constant('active' as const) },
  { weight: 3, arbitrary: fc.constantFrom('betLocked' as const, 'frozen' as const) },
  { weight: 4, arbitrary: fc.constant('closed' as const) },
);
const expiresIn = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 60_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(3_600_000, 7 * dayMs, 30 * dayMs, 30 * dayMs + 1) },
);

/** The fields that name an account and a provider. */
export const playerFields: fc.Arbitrary<{
  operator: string;
  provider: string;
  player: string;
  currency: string;
}> = fc.record({ operator, provider, player, currency });

/** What the fields of a kind are drawn from, besides those that every kind has. */
const extras: Record<string, fc.Arbitrary<Partial<Draft>>> = {
  bet: partial({ round: maybe(round), roundEnd: rarely, game: maybe(game) }),
  win: fc
    .tuple(maybe(round), maybe(reference), rarely, rarely, maybe(game))
    .map(([named, referred, roundEnd, stakeless, played]) =>
      compact({
        round: named,
        reference: referred,
        roundEnd: named === undefined && referred === undefined ? undefined : roundEnd,
        stakeless,
        game: played,
      }),
    ),
  rollback: partial({
    reference,
    of: maybe(fc.constantFrom<'bet' | 'win'>('bet', 'win')),
    round: fc.option(round, { nil: undefined, freq: 3 }),
    game: maybe(game),
  }),
  hold: partial({ expiresIn: maybe(expiresIn) }),
  capture: partial({ reference }),
  release: partial({ reference }),
  transfer: partial({ to: fc.constantFrom('a1', 'a2', 'a3', 'a4') }),
  adjust: partial({ reason: fc.constantFrom('fee', 'gift'), bucket: maybe(bucket) }),
  setStatus: partial({ status, reason: maybe(fc.constant('asked')) }),
};

const kind: fc.Arbitrary<string> = fc.oneof(
  { weight: 30, arbitrary: fc.constant('bet') },
  { weight: 14, arbitrary: fc.constant('win') },
  { weight: 14, arbitrary: fc.constant('rollback') },
  { weight: 14, arbitrary: fc.constantFrom('deposit', 'deposit', 'grant') },
  { weight: 8, arbitrary: fc.constantFrom('withdraw', 'convert', 'forfeit') },
  { weight: 8, arbitrary: fc.constantFrom('hold', 'hold', 'capture', 'release') },
  { weight: 4, arbitrary: fc.constant('transfer') },
  { weight: 4, arbitrary: fc.constant('adjust') },
  { weight: 2, arbitrary: fc.constant('open') },
  { weight: 5, arbitrary: fc.constant('setStatus') },
);

/** A transaction of any kind but setOperator, right in form. */
export const transactionDraft: fc.Arbitrary<Draft> = kind.chain((name) =>
  fc
    .tuple(playerFields, idNumber, extras[name] ?? fc.constant({}), uniform(0, 999))
    .map(([common, id, extra, chance]) =>
      compact({
        ...common,
        kind: name,
        transactionId: `t${id}`,
        amount: amountFor(name, id, chance),
        metadata: chance % 10 === 0 ? `m${chance}` : undefined,
        ...extra,
        ...(extra.to === common.player ? { to: 'a5' } : {}),
      }),
    ),
);

/** A setOperator that changes one or more policies, adds a currency, or names an empty change. */
export const policyChange: fc.Arbitrary<Draft> = fc
  .tuple(
    operator,
    idNumber,
    partial({
      bucketOrder: maybe(fc.constantFrom<'cashFirst' | 'bonusFirst'>('cashFirst', 'bonusFirst')),
      winNeedsBet: maybe(fc.boolean()),
      unknownBetRollback: maybe(
        fc.constantFrom<'refuse' | 'noop' | 'error'>('refuse', 'noop', 'error'),
      ),
      spentWinRollback: maybe(fc.constantFrom<'reject' | 'negative'>('reject', 'negative')),
      roundAgeMs: fc.option(fc.constantFrom(1, 60_000, 3_600_000, 3 * dayMs, 121 * dayMs), {
        nil: undefined,
        freq: 3,
      }),
      holdExpiryMaxMs: maybe(fc.constantFrom(30_000, dayMs, 30 * dayMs, 30 * dayMs, 30 * dayMs)),
      currencies: fc.option(fc.constantFrom({ GBP: 2 }, { EUR: 2 }, { EUR: 3 }), {
        nil: undefined,
        freq: 5,
      }),
    }),
  )
  .filter(([, , definition]) => Object.keys(definition).length > 0)
  .map(([name, id, definition]) => ({
    operator: name,
    provider: '',
    kind: 'setOperator',
    transactionId: `t${id}`,
    definition,
  }));

/** Nine in ten amounts follow from the id; a few are as large as can be. */
function amountFor(name: string, id: number, chance: number): number | undefined {
  if (name === 'open' || name === 'setStatus') {
    return undefined;
  }
  if (name === 'rollback') {
    return chance < 900 ? undefined : (id * 7) % 60;
  }
  if (chance < 4 && ['deposit', 'win', 'grant', 'adjust'].includes(name)) {
    return name === 'adjust' && chance === 0 ? -largest : largest;
  }
  const isPlay = name === 'bet' || name === 'win';
  const usual = chance < 900 ? (id * 7) % 60 : chance % 400;
  const amount = isPlay ? usual : usual + (name === 'deposit' ? 40 : 1);
  return name === 'adjust' && id % 8 === 0 ? -amount : amount;
}

function compact<Thing extends object>(thing: Thing): Defined<Thing> {
  const entries = Object.entries(thing).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<Thing>;
}

type Defined<Thing> = { [Name in keyof Thing]: Exclude<Thing[Name], undefined> };

function partial<Fields extends Record<string, unknown>>(
  arbitraries: {
    [Name in keyof Fields]: fc.Arbitrary<Fields[Name]>;
  },
): fc.Arbitrary<Partial<Defined<Fields>>> {
  return fc.record(arbitraries).map((fields) => compact(fields as Fields));
}

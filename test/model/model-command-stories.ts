// Short stories for the random commands: transactions of one player that lead to answers which
// chance alone rarely reaches, such as a win that is spent before it is rolled back. Used by tests
// only.

import fc from 'fast-check';
import { type Draft, playerFields, uniform } from './model-command-drafts.ts';

type Line = Partial<Draft> & { kind: string };

/** The stories; `id` makes their names differ from others', `amount` lies between 1 and 60. */
const stories: readonly ((id: string, amount: number) => Line[])[] = [
  (id, amount) => [
    { kind: 'bet', transactionId: id, amount: 0 },
    { kind: 'win', transactionId: id, reference: id, amount: 400 + amount },
    { kind: 'withdraw', amount: 300 },
    { kind: 'rollback', of: 'win', reference: id },
    { kind: 'rollback', reference: id },
  ],
  (id, amount) => [
    { kind: 'deposit', amount },
    { kind: 'hold', transactionId: id, amount, expiresIn: 20_000 },
    { kind: 'capture', amount: Math.ceil(amount / 2), reference: id },
    { kind: 'release', amount, reference: id },
    { kind: 'release', amount: Math.max(1, Math.floor(amount / 2)), reference: id },
    { kind: 'capture', amount: 1, reference: id },
  ],
  (id, amount) => [
    { kind: 'rollback', reference: id },
    { kind: 'bet', transactionId: id, amount, round: id, roundEnd: amount % 2 === 0 },
    { kind: 'win', reference: id, amount, stakeless: amount % 3 === 0 },
    { kind: 'bet', amount: 0, round: id },
    { kind: 'rollback', reference: id, amount },
  ],
  (id, amount) => [
    { kind: 'deposit', amount },
    { kind: 'grant', amount },
    { kind: 'bet', transactionId: `${id}-1`, amount: amount + 1, round: id },
    { kind: 'bet', transactionId: `${id}-2`, amount: amount - 1, round: id },
    { kind: 'win', transactionId: id, amount: 3 * amount, round: id },
    { kind: 'rollback', reference: `${id}-2` },
    { kind: 'rollback', of: 'win', reference: id },
    { kind: 'rollback', reference: `${id}-1` },
    { kind: 'win', amount: 0, round: id, roundEnd: true },
    { kind: 'win', amount, reference: `${id}-2` },
  ],
  (id) => [
    { kind: 'bet', amount: 0, round: id },
    { kind: 'win', transactionId: id, amount: Number.MAX_SAFE_INTEGER - 1000, round: id },
    { kind: 'bet', amount: Number.MAX_SAFE_INTEGER - 1000, round: id },
    { kind: 'deposit', amount: 5000 },
    { kind: 'bet', amount: 2000, round: id },
    { kind: 'rollback', of: 'win', reference: id },
  ],
  (id, amount) => [
    { kind: 'setStatus', status: 'betLocked' },
    { kind: 'bet', transactionId: id, amount, round: id },
    { kind: 'setStatus', status: 'active' },
    { kind: 'win', amount, reference: id, round: id },
    { kind: 'rollback', reference: id },
    { kind: 'rollback', reference: id },
  ],
];

/** The transactions of one story, in order. */
export const story: fc.Arbitrary<Draft[]> = fc
  .tuple(playerFields, fc.constantFrom(...stories), uniform(1, 60), uniform(1, 200))
  .map(([common, tell, amount, number]) => {
    const id = `s${number}-${amount}`;
    return tell(id, amount).map((line, index) => ({
      ...common,
      transactionId: `${id}-line-${index}`,
      ...line,
    }));
  });

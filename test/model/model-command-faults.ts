// Random transactions with one or two faults of form (fast-check), so that every answer before the
// key occurs, and with it the order of those answers. Used by tests only.

import fc from 'fast-check';
import { type Draft, transactionDraft } from './model-command-drafts.ts';

const long = 'x'.repeat(65);
const monthMs = 30 * 86_400_000;

/** Each fault overwrites fields of a transaction that was right. */
const faults: readonly ((draft: Draft) => Partial<Draft>)[] = [
  () => ({ kind: 'setLimits' }),
  () => ({ kind: 'roundAged' }),
  () => ({ kind: '' }),
  () => ({ transactionId: '' }),
  () => ({ transactionId: long }),
  () => ({ transactionId: 'a\nb' }),
  () => ({ transactionId: '\udc00' }),
  () => ({ transactionId: 'é'.repeat(32) }),
  () => ({ transactionId: 'é'.repeat(33) }),
  () => ({ player: '' }),
  () => ({ player: long }),
  () => ({ currency: '' }),
  () => ({ currency: 'XXX' }),
  () => ({ operator: 'nobody' }),
  () => ({ amount: -1 }),
  () => ({ amount: 0 }),
  () => ({ amount: 0.5 }),
  () => ({ amount: 2 ** 53 }),
  () => ({ amount: 2 ** 53 - 1 }),
  () => ({ metadata: 'm'.repeat(256) }),
  () => ({ metadata: 'é'.repeat(129) }),
  () => ({ round: long }),
  () => ({ round: 'r1\u007f' }),
  () => ({ round: '', roundEnd: true }),
  () => ({ roundEnd: false, stakeless: false, game: '', to: '' }),
  () => ({ stakeless: true }),
  () => ({ reference: '' }),
  () => ({ reference: long }),
  () => ({ of: 'win' }),
  () => ({ bucket: 'bonus' }),
  () => ({ reason: long }),
  () => ({ reason: '' }),
  () => ({ expiresIn: 1.5 }),
  () => ({ expiresIn: 0 }),
  () => ({ expiresIn: 30 * monthMs }),
  () => ({ status: 'frozen' }),
  () => ({ definition: { winNeedsBet: true } }),
  ({ player }) => (player === undefined ? {} : { kind: 'transfer', to: player }),
];

/** A transaction that was right before one or two of the faults were put in. */
export const faultyTransaction: fc.Arbitrary<Draft> = fc
  .tuple(transactionDraft, fc.array(fc.constantFrom(...faults), { minLength: 1, maxLength: 2 }))
  .map(([draft, chosen]) => {
    const spoiled = { ...draft };
    for (const fault of chosen) {
      Object.assign(spoiled, fault(spoiled));
    }
    return spoiled;
  });

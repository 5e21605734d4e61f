// Random commands that speak of earlier ones: a win on a bet just made, its rollback, a second one,
// a capture of a hold, and batches whose transactions belong together. Used by tests only.

import type { Draft } from './model-command-drafts.ts';

/** What a follow-up does with the earlier command: send it again, take it back, or build on it. */
export type FollowUp = 'again' | 'reversal' | 'use';

/** How a follow-up is to be made; `isOwnId` false takes the earlier transaction's id. */
export interface FollowUpChoice {
  readonly how: FollowUp;
  readonly isOwnId: boolean;
  readonly amount: number;
}

/** The transaction that follows up the earlier one; the same again where nothing else fits. */
export function followUp(target: Draft, choice: FollowUpChoice): Draft {
  const { operator, provider, player, currency, kind, reference } = target;
  if (player === undefined || currency === undefined) {
    return target;
  }
  const transactionId = choice.isOwnId ? `f${choice.amount}-${kind}` : target.transactionId;
  const common = { operator, provider, player, currency, transactionId };
  switch (kind) {
    case 'bet':
      return choice.how === 'reversal'
        ? reversalOf(common, target, choice)
        : winOn(common, target, choice);
    case 'win':
      if (choice.how === 'use' && choice.amount % 2 === 0) {
        return { ...common, kind: 'withdraw', amount: 2 * choice.amount + 1 };
      }
      return choice.how === 'reversal' || reference === undefined
        ? reversalOf(common, target, choice)
        : { ...common, kind: 'rollback', reference };
    case 'rollback':
      return { ...target, transactionId };
    case 'hold':
    case 'capture':
    case 'release':
      return {
        ...common,
        kind: choice.how === 'reversal' ? 'release' : 'capture',
        reference: (kind === 'hold' ? target.transactionId : reference) ?? 'none',
        amount: choice.amount + 1,
      };
    default:
      return target;
  }
}

type Common = Omit<Draft, 'kind'>;

function reversalOf(common: Common, target: Draft, choice: FollowUpChoice): Draft {
  const { kind, amount, transactionId } = target;
  const named = choice.amount < 30 || amount === undefined ? {} : { amount };
  return {
    ...common,
    ...named,
    kind: 'rollback',
    of: kind as 'bet' | 'win',
    reference: transactionId,
  };
}

function winOn(common: Common, bet: Draft, choice: FollowUpChoice): Draft {
  const isByRound = choice.amount % 3 === 0 && bet.round;
  const named = isByRound ? { round: bet.round as string } : { reference: bet.transactionId };
  const ending = choice.amount % 5 === 0 ? { roundEnd: true } : {};
  return { ...common, ...named, ...ending, kind: 'win', amount: choice.amount };
}

/**
 * Makes drafts a batch that has a chance: mostly of one player, mostly without the kinds that no
 * batch may hold, and with references to what stands before them in the batch. The sixth stays as
 * it is.
 */
export function alignBatch(drafts: readonly Draft[]): Draft[] {
  const aligned: Draft[] = [];
  for (const [index, draft] of drafts.entries()) {
    const first = aligned[0] ?? draft;
    if (index === 5) {
      aligned.push(draft);
    } else if (!['transfer', 'open', 'setStatus'].includes(draft.kind) || index === 4) {
      const { operator, player = '' } = first;
      aligned.push(refer({ ...draft, operator, player }, aligned));
    }
  }
  return aligned;
}

/**
 * Lets a win, rollback, capture or release name the last bet, win or hold before it, if there is
 * one.
 */
function refer(draft: Draft, before: readonly Draft[]): Draft {
  const isOfHold = draft.kind === 'capture' || draft.kind === 'release';
  if (!isOfHold && draft.kind !== 'win' && draft.kind !== 'rollback') {
    return draft;
  }
  const targetKind = isOfHold ? 'hold' : (draft.of ?? 'bet');
  const target = before.findLast(({ kind }) => kind === targetKind);
  if (target?.currency === undefined) {
    return draft;
  }
  const { provider, currency, transactionId } = target;
  return { ...draft, provider, currency, reference: transactionId };
}

// What time does by itself: holds expire and open rounds are closed by age, each by a record of its
// own that stands before the next decision (rules 29, 31). Used by tests only.

import { shownBalances } from './model-records.ts';
import type { ModelHold, ModelPlayer, ModelRound, ModelState } from './model-state.ts';
import type { ModelEvent } from './model-transaction.ts';

interface Owned<Thing> {
  readonly player: ModelPlayer;
  readonly thing: Thing;
  readonly dueMs: number;
}

/** Records all that is due: first holds, by expiry and creation, then rounds, by opening. */
export function recordDue(state: ModelState, nowMs: number): ModelEvent[] {
  if (nowMs < state.nothingDueBeforeMs) {
    return [];
  }
  const holds = pendingHolds(state);
  const rounds = openRounds(state);
  const dueHolds = holds.filter(({ dueMs }) => dueMs <= nowMs);
  const dueRounds = rounds.filter(({ dueMs }) => dueMs <= nowMs);
  dueHolds.sort((one, other) => one.dueMs - other.dueMs || one.thing.order - other.thing.order);
  dueRounds.sort((one, other) => one.thing.order - other.thing.order);
  const events = [
    ...dueHolds.flatMap((hold) => expireHold(state, hold, nowMs)),
    ...dueRounds.map((round) => ageRound(state, round, nowMs)),
  ];
  state.nothingDueBeforeMs = [...pendingHolds(state), ...openRounds(state)].reduce(
    (earliestMs, { dueMs }) => Math.min(earliestMs, dueMs),
    Number.POSITIVE_INFINITY,
  );
  return events;
}

function pendingHolds(state: ModelState): Owned<ModelHold>[] {
  const pending: Owned<ModelHold>[] = [];
  for (const player of state.players.values()) {
    for (const hold of player.holds.values()) {
      if (hold.dueMs !== undefined && hold.remaining > 0n) {
        pending.push({ player, thing: hold, dueMs: hold.dueMs });
      }
    }
  }
  return pending;
}

function openRounds(state: ModelState): Owned<ModelRound>[] {
  const open: Owned<ModelRound>[] = [];
  for (const player of state.players.values()) {
    const ageMs = state.operators.get(player.operator)?.roundAgeMs ?? Number.POSITIVE_INFINITY;
    for (const round of player.rounds.values()) {
      if (round.closed === 'no') {
        open.push({ player, thing: round, dueMs: round.openedAtMs + ageMs });
      }
    }
  }
  return open;
}

/** Gives back what is left. */
function expireHold(state: ModelState, owned: Owned<ModelHold>, nowMs: number): ModelEvent[] {
  const { thing: hold, player } = owned;
  const account = player.accounts.get(hold.currency);
  const amount = hold.remaining;
  if (account === undefined) {
    return [];
  }
  account.held -= amount;
  account.cash += amount;
  hold.remaining = 0n;
  return [
    {
      ...newEvent(state, owned, nowMs),
      kind: 'holdExpired',
      transactionId: hold.transactionId,
      round: '',
      amount: Number(amount),
    },
  ];
}

function ageRound(state: ModelState, owned: Owned<ModelRound>, nowMs: number): ModelEvent {
  const { thing: round } = owned;
  round.closed = 'byAge';
  return {
    ...newEvent(state, owned, nowMs),
    kind: 'roundAged',
    transactionId: round.openedBy,
    round: round.name,
    amount: 0,
  };
}

function newEvent(
  state: ModelState,
  owned: Owned<ModelHold | ModelRound>,
  nowMs: number,
): Pick<
  ModelEvent,
  'operator' | 'provider' | 'player' | 'currency' | 'sequence' | 'timeMs' | 'balances'
> {
  const { provider, currency } = owned.thing;
  const account = owned.player.accounts.get(currency);
  state.sequence += 1;
  state.lastTimeMs = nowMs;
  return {
    operator: owned.player.operator,
    provider,
    player: owned.player.id,
    currency,
    sequence: state.sequence,
    timeMs: nowMs,
    balances: account ? shownBalances(account) : { cash: 0, bonus: 0, held: 0 },
  };
}

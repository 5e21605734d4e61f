// Usual records are replayed by code of their own: a shard that was replayed answers whatever comes
// next as one that never stopped.
import { expect, test } from 'vitest';
import type { Draft } from '../../model/model-stage.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { bet, move, rollback, win } from '../rules/drafts.ts';

/** Sends both messages to a shard that goes on and to one that crashed in between. */
function expectSameAfterCrash(before: readonly Draft[], after: readonly Draft[]): void {
  const [live, crashed] = [new EngineStage(), new EngineStage()];
  for (const stage of [live, crashed]) stage.sendAll(before);
  crashed.crash();
  expect(crashed.sendAll(before)).toEqual(live.sendAll(before));
  expect(crashed.sendAll(after)).toEqual(live.sendAll(after));
  for (const player of new Set([...before, ...after].map((draft) => draft.player))) {
    expect(crashed.buckets(player)).toEqual(live.buckets(player));
  }
}

function openRoundsOf(stage: EngineStage): number | undefined {
  return stage.shard.measureTables().find(({ table }) => table === 'open_rounds')?.rowCount;
}

test('accounts that are opened and played in one message, with ids of every length', () => {
  const players = Array.from({ length: 64 }, (_, place) => 'p'.repeat(place + 1));
  const story = players.flatMap((player, place): Draft[] => [
    { kind: 'open', player, transactionId: `open-${place}` },
    move('deposit', 1_000 + place, { player, transactionId: `deposit-${place}` }),
    bet(`bet-${place}`, { player, round: `round-${place}`, game: 'g', roundEnd: place % 3 === 0 }),
    win({ player, transactionId: `win-${place}`, reference: `bet-${place}`, roundEnd: true }),
  ]);
  const after = players.flatMap((player, place): Draft[] => [
    { kind: 'open', player, transactionId: `again-${place}` },
    bet(`late-${place}`, { player, round: `round-${place}` }),
    rollback(`bet-${place}`, { player, transactionId: `rollback-${place}` }),
    bet(`bet-${place}`, { player, round: `round-${place}`, game: 'other' }),
  ]);
  expectSameAfterCrash(story, after);
});

test('wins that join the round of their bet, whichever they name', () => {
  const rounds = [undefined, 'named', 'other'];
  const fund = move('deposit', 100_000, { transactionId: 'fund' });
  const story = rounds.flatMap((ofBet) =>
    rounds.flatMap((ofWin): Draft[] => {
      const id = `${ofBet}-${ofWin}`;
      return [
        bet(`bet-${id}`, { ...(ofBet !== undefined && { round: `${ofBet}-${id}` }) }),
        win({
          transactionId: `win-${id}`,
          reference: `bet-${id}`,
          ...(ofWin !== undefined && { round: `${ofWin}-${id}` }),
        }),
        win({ transactionId: `free-${id}`, stakeless: true, round: `free-${id}` }),
      ];
    }),
  );
  const after = rounds.flatMap((ofBet) =>
    rounds.flatMap((ofWin): Draft[] => {
      const id = `${ofBet}-${ofWin}`;
      return [
        win({ transactionId: `win-${id}`, reference: `bet-${id}`, round: 'a third' }),
        rollback(`bet-${id}`, { transactionId: `first-${id}` }),
        rollback(`win-${id}`, { transactionId: `second-${id}`, of: 'win' }),
        rollback(`bet-${id}`, { transactionId: `third-${id}` }),
        bet(`next-${id}`, { round: `${ofWin}-${id}` }),
      ];
    }),
  );
  expectSameAfterCrash([fund, ...story], after);
});

test('a run of bets in one round, ended by one of them', () => {
  const fund = move('deposit', 100_000, { transactionId: 'fund' });
  const bets = Array.from({ length: 150 }, (_, place) =>
    bet(`bet-${place}`, { round: `round-${place % 5}`, roundEnd: place >= 145 }),
  );
  const wins = Array.from({ length: 20 }, (_, place) =>
    win({ transactionId: `win-${place}`, round: `round-${place % 7}`, amount: place }),
  );
  expectSameAfterCrash(
    [fund, ...bets.slice(0, 140), ...wins, ...bets.slice(140)],
    [
      bet('late', { round: 'round-1' }),
      win({ transactionId: 'late win', round: 'round-2' }),
      rollback('bet-3', { transactionId: 'back' }),
      bet('largest', { amount: 99_000, round: 'round-9' }),
    ],
  );
});

test('rounds that are left open age in their order, each operator and round its own', () => {
  const fund = move('deposit', 100_000, { transactionId: 'fund' });
  const bets = Array.from({ length: 200 }, (_, place) =>
    bet(`bet-${place}`, { round: `round-${place % 90}`, roundEnd: place % 11 === 3 }),
  );
  const wins = Array.from({ length: 60 }, (_, place) =>
    win({ transactionId: `win-${place}`, round: `round-${place}`, roundEnd: place % 4 === 1 }),
  );
  const [live, crashed] = [new EngineStage(), new EngineStage()];
  for (const stage of [live, crashed]) {
    stage.sendAll([fund, ...bets.slice(0, 100)]);
    stage.nowMs += 60 * 3_600_000;
    stage.sendAll([...wins, ...bets.slice(100)]);
  }
  crashed.crash();
  // Twelve hours more and those of the first message age, one by one, some days more and all.
  for (const hours of [12, 1, 80]) {
    const aged = [live, crashed].map((stage) => {
      stage.nowMs += hours * 3_600_000;
      return [stage.advance(), stage.shard.sequence, openRoundsOf(stage)];
    });
    expect(aged[1]).toEqual(aged[0]);
    const late = Array.from({ length: 90 }, (_, round) =>
      bet(`late-${hours}-${round}`, { round: `round-${round}` }),
    );
    expect(crashed.sendAll(late)).toEqual(live.sendAll(late));
  }
  expect(openRoundsOf(live)).toBe(0);
});

test('amounts up to the largest, and of nothing', () => {
  const { MAX_SAFE_INTEGER: most } = Number;
  const story = [
    move('deposit', most - 100, { transactionId: 'most' }),
    bet('all', { amount: most - 100, round: 'r' }),
    bet('nothing', { amount: 0, round: 'r' }),
    win({ transactionId: 'back', amount: most - 200, reference: 'all' }),
    win({ transactionId: 'empty', amount: 0, round: 'r' }),
    bet('some', { amount: 2 ** 49 + 1 }),
    bet('more', { amount: 2 ** 42 - 1 }),
  ];
  expectSameAfterCrash(story, [move('withdraw', 5, { transactionId: 'w' }), bet('last')]);
});

// Whether the reports say what the model says: balances, statuses, trial balances and open rounds,
// newest and as of kept snapshots. Used by tests only.
import type { Client } from 'pg';
import { expect } from 'vitest';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { PlayedBlock, ReportedPlay } from './reported-play.ts';

interface AccountRow {
  readonly operator: string;
  readonly player: string;
  readonly currency: string;
  readonly status: string;
  readonly cash_minor: number;
  readonly bonus_minor: number;
  readonly held_minor: number;
  readonly as_of_position: number;
}

/** The newest accounts with their statuses, open rounds and trial balance, at this position. */
export async function expectNewest(
  client: Client,
  play: ReportedPlay,
  position: number,
): Promise<void> {
  const block = play.blocks[position - 1];
  const { rows } = await client.query<AccountRow>('select * from kassa.accounts');
  expect(rows.every((row) => row.as_of_position === position)).toBe(true);
  expectSame(sorted(rows.map((row) => [...entryOf(row), row.status])), expectedOf(block, true));
  await expectOpenRounds(client, play, position);
  await expectBalanced(client, 'select * from kassa.trial_balance()', { block, values: [] });
}

/** Every kept snapshot is balanced; so many random ones have the model's balances. */
export async function expectHistory(
  client: Client,
  play: ReportedPlay,
  { random, snapshotCount }: { readonly random: SeededRandom; readonly snapshotCount: number },
): Promise<number> {
  const { rows } = await client.query<{ position: number }>(
    'select position from kassa.snapshots order by snapshot_id',
  );
  const positions = rows.map(({ position }) => position);
  for (const position of positions) {
    const block = play.blocks[position - 1];
    const query = 'select * from kassa.trial_balance($1::bigint)';
    await expectBalanced(client, query, { block, values: [position] });
  }
  for (let count = 0; count < snapshotCount; count += 1) {
    await expectBalancesAsOf(client, play, positions[random.below(positions.length)]);
  }
  return positions.length;
}

/** The balances as of a kept snapshot's position. */
export async function expectBalancesAsOf(
  client: Client,
  play: ReportedPlay,
  position: number,
): Promise<void> {
  const { rows } = await client.query<AccountRow>('select * from kassa.balance_as_of($1::bigint)', [
    position,
  ]);
  expect(rows.every((row) => row.as_of_position === position)).toBe(true);
  expectSame(sorted(rows.map(entryOf)), expectedOf(play.blocks[position - 1], false));
}

/** The rounds that are open are the engine's, each under its own name. */
export async function expectOpenRounds(
  client: Client,
  play: ReportedPlay,
  position: number,
): Promise<void> {
  const { rows } = await client.query<{
    opened_sequence: number;
    opened_position: number;
    round_key: string;
    player: string;
  }>(`
    select opened_sequence, unfinished.opened_position, round_key, player
    from kassa.unfinished_rounds as unfinished
    join kassa.account_identities using (account_id)
    order by opened_sequence`);
  const rowOf = new Map(
    play.journal.rows.filter((row) => !row.isReceived).map((row) => [row.sequence, row]),
  );
  const expected = play.blocks[position - 1].openRounds.map((sequence) => {
    const row = rowOf.get(sequence);
    const sort = row?.kind === 3 ? 'b' : 'w';
    const key = row?.round === null ? sort + row.transactionId : `r${row?.round}`;
    return [sequence, play.positionOf(sequence), key, row?.player];
  });
  expectSame(
    rows.map((row) => [row.opened_sequence, row.opened_position, row.round_key, row.player]),
    expected,
  );
}

async function expectBalanced(
  client: Client,
  query: string,
  { block, values }: { readonly block: PlayedBlock; readonly values: number[] },
): Promise<void> {
  const { rows } = await client.query<{ difference_minor: string }>(query, values);
  // The very first blocks have no account yet.
  if (block.accounts.size > 0) expect(rows.length).toBeGreaterThan(0);
  const differences = rows.filter((row) => BigInt(row.difference_minor) !== 0n);
  expectSame(differences, []);
}

/** `expect` shows long lists whole and slowly: it is asked for the first place that differs. */
export function expectSame(found: readonly unknown[], expected: readonly unknown[]): void {
  const place = found.findIndex((one, at) => JSON.stringify(one) !== JSON.stringify(expected[at]));
  if (place >= 0) expect(found[place]).toEqual(expected[place]);
  expect(found.length).toBe(expected.length);
}

function entryOf(row: AccountRow): (string | number)[] {
  const name = `${row.operator}/${row.player}/${row.currency}`;
  return [name, row.cash_minor, row.bonus_minor, row.held_minor];
}

function expectedOf(block: PlayedBlock, withStatus: boolean): (string | number)[][] {
  return sorted(
    [...block.accounts].map(([name, [cash, bonus, held, status]]) =>
      withStatus ? [name, cash, bonus, held, status] : [name, cash, bonus, held],
    ),
  );
}

function sorted(entries: (string | number)[][]): (string | number)[][] {
  return entries.sort((one, other) => (String(one[0]) < String(other[0]) ? -1 : 1));
}

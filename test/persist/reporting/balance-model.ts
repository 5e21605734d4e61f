// What the reporter writes of balances, in small: snapshots of a few pages with changes and images
// as 0001_tables.sql says, and beside it what every account had at each snapshot, kept plainly. The
// test asks Postgres for balances as of each snapshot and compares. Used by tests only.
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { ReportDatabase } from './report-database.ts';

/** One account's balances in minor units. */
export interface Balance {
  readonly cash: number;
  readonly bonus: number;
  readonly held: number;
  readonly changed: number;
}

/** A snapshot, and all accounts that there were at it. */
export interface ModelSnapshot {
  readonly snapshotId: number;
  readonly position: number;
  readonly timeMs: number;
  readonly tier: number;
  readonly balances: ReadonlyMap<number, Balance>;
}

const SLOTS = 64;
const NONE: Balance = { cash: 0, bonus: 0, held: 0, changed: 0 };
const UNITS_MS = [60_000, 3_600_000, 86_400_000];

/** Every account belongs to this operator and has this currency: EUR by its number in ISO 4217. */
export const OWNER = { operator_id: 1, currency_id: 978 };

/** Writes snapshots at the given times; returns what balances were after each. */
export async function writeHistory(
  database: ReportDatabase,
  timesMs: readonly number[],
  random: SeededRandom,
): Promise<ModelSnapshot[]> {
  const balances = new Map<number, Balance>();
  const changedPages: Set<number>[] = UNITS_MS.map(() => new Set());
  const snapshots: ModelSnapshot[] = [];
  for (const [number, timeMs] of timesMs.entries()) {
    const place = { snapshotId: number + 1, position: (number + 1) * 10, timeMs };
    await database.ask(`select kassa.make_partitions($1)`, [new Date(timeMs)]);
    const changed = await change(database, balances, place, random);
    for (const account of changed) {
      for (const pages of changedPages) pages.add(Math.floor(account / SLOTS));
    }
    const tier = tierBefore(timeMs, timesMs[number + 1] ?? timeMs);
    if (tier > 0) {
      const image = { ...place, tier, pages: changedPages[tier - 1] };
      await writeImages(database, balances, image, random);
      for (const pages of changedPages.slice(0, tier)) pages.clear();
    }
    await database.insert('snapshots', [
      {
        snapshot_id: place.snapshotId,
        position: place.position,
        recorded_at: new Date(timeMs),
        tier,
        record_count: 0,
        written_at: new Date(timeMs),
      },
    ]);
    snapshots.push({ ...place, tier, balances: new Map(balances) });
  }
  return snapshots;
}

interface Place {
  readonly snapshotId: number;
  readonly position: number;
  readonly timeMs: number;
}

/** Opens an account now and then and changes a few; returns those that have a new balance. */
async function change(
  database: ReportDatabase,
  balances: Map<number, Balance>,
  { snapshotId, position, timeMs }: Place,
  random: SeededRandom,
): Promise<number[]> {
  const recordedAt = new Date(timeMs);
  const opened = random.below(3) === 0 || balances.size === 0 ? 1 + random.below(40) : 0;
  const first = balances.size;
  await database.insert(
    'account_identities',
    Array.from({ length: opened }, (_, number) => ({
      account_id: first + number,
      page: Math.floor((first + number) / SLOTS),
      ...OWNER,
      player: `player-${first + number}`,
      status: 0,
      opened_at: recordedAt,
      opened_position: position - 5,
      status_position: position - 5,
    })),
  );
  for (let account = first; account < first + opened; account += 1) balances.set(account, NONE);
  const changed = new Set<number>();
  for (let count = random.below(8); count > 0; count -= 1) changed.add(random.below(balances.size));
  for (const account of changed) {
    balances.set(account, {
      cash: random.below(100_000) - 1_000,
      bonus: random.below(2) * random.below(500),
      held: account < SLOTS ? 0 : random.below(50),
      changed: position - random.below(5),
    });
  }
  const pages = new Set([...changed].map((account) => Math.floor(account / SLOTS)));
  await database.insert(
    'balance_changes',
    [...pages].map((page) => {
      const own = [...changed].filter((account) => Math.floor(account / SLOTS) === page);
      own.sort((left, right) => left - right);
      const slots = own.map((account) => account % SLOTS);
      return {
        recorded_at: recordedAt,
        snapshot_id: snapshotId,
        page,
        slots,
        ...columns(balances, own, random),
      };
    }),
  );
  return [...changed];
}

async function writeImages(
  database: ReportDatabase,
  balances: ReadonlyMap<number, Balance>,
  image: Place & { readonly tier: number; readonly pages: ReadonlySet<number> },
  random: SeededRandom,
): Promise<void> {
  await database.insert(
    'balance_images',
    [...image.pages].map((page) => ({
      tier: image.tier,
      recorded_at: new Date(image.timeMs),
      snapshot_id: image.snapshotId,
      page,
      ...columns(
        balances,
        Array.from({ length: SLOTS }, (_, slot) => page * SLOTS + slot),
        random,
      ),
    })),
  );
}

/** Zeros alone are an empty array, or zeros as the first versions wrote them. */
function columns(
  balances: ReadonlyMap<number, Balance>,
  accounts: readonly number[],
  random: SeededRandom,
) {
  const all = accounts.map((account) => balances.get(account) ?? NONE);
  const maybeEmpty = (numbers: number[]): number[] =>
    numbers.every((number) => number === 0) && random.below(2) === 0 ? [] : numbers;
  return {
    cash_minor: all.map(({ cash }) => cash),
    bonus_minor: maybeEmpty(all.map(({ bonus }) => bonus)),
    held_minor: maybeEmpty(all.map(({ held }) => held)),
    changed_position: all.map(({ changed }) => changed),
  };
}

/** What ends between two times of the log. */
function tierBefore(timeMs: number, nextMs: number): number {
  return UNITS_MS.filter((unitMs) => Math.floor(timeMs / unitMs) < Math.floor(nextMs / unitMs))
    .length;
}

// Compares every account: owner, player, status and the three buckets. Postgres' balances as of a
// snapshot are the newest image of each page and the changes behind it, read page by page, so that
// memory does not grow with the number of accounts. Inside the caller's transaction.
import type { ClientBase } from 'pg';
import { ACCOUNTS_PER_SHARD, type ShardAccounts } from './reconcile-accounts.ts';
import { type Differences, NONE } from './reconcile-differences.ts';
import { type LogFacts, ownerNames, type ShardFacts } from './reconcile-records.ts';
import { Tallies } from './reconcile-tallies.ts';

/** Accounts whose balances lie in one row. */
const PAGE_ACCOUNTS = 64;

/** Pages asked for at once: some megabytes of text. */
const PAGES_PER_QUERY = 256;

const BUCKETS: readonly string[] = ['cash_minor', 'bonus_minor', 'held_minor'];
const STATUSES: readonly string[] = ['active', 'betLocked', 'frozen', 'closed'];

/** What is compared, and who wants to know how far it is. */
export interface BalanceComparison {
  readonly client: ClientBase;
  readonly snapshotId: number;
  readonly facts: LogFacts;
  readonly differences: Differences;
  readonly onAccounts: (accountCount: number) => void;
}

/** The players' balances of each operator and currency, on both sides. */
export interface PlayerSums {
  readonly log: Tallies;
  readonly postgres: Tallies;
}

/** Compares all accounts; returns the sums of what was seen. */
export async function compareAccounts(comparison: BalanceComparison): Promise<PlayerSums> {
  const sums: PlayerSums = { log: new Tallies(['sum']), postgres: new Tallies(['sum']) };
  let accountCount = 0;
  for (const shard of comparison.facts.shards) {
    if (shard === undefined) continue;
    const { rowCount } = shard.accounts;
    for (let from = 0; from < rowCount; from += PAGE_ACCOUNTS * PAGES_PER_QUERY) {
      const until = Math.min(from + PAGE_ACCOUNTS * PAGES_PER_QUERY, rowCount);
      await comparePages(comparison, sums, { shard, from, until });
      comparison.onAccounts(accountCount + until);
    }
    accountCount += rowCount;
  }
  await findSurplus(comparison);
  return sums;
}

/** Rows of one shard; `from` begins a page. */
interface Run {
  readonly shard: ShardFacts;
  readonly from: number;
  readonly until: number;
}

async function comparePages(
  comparison: BalanceComparison,
  sums: PlayerSums,
  run: Run,
): Promise<void> {
  await compareIdentities(comparison, run);
  const { shard, from, until } = run;
  const buckets = await readBuckets(comparison, run);
  for (let row = from; row < until; row += 1) {
    const { operator, currency } = ownerNames(shard.directory, shard.accounts.owner(row));
    const key = `${operator} ${currency}`;
    const logRow = sums.log.row(key);
    const postgresRow = sums.postgres.row(key);
    for (const [bucket, field] of BUCKETS.entries()) {
      const expected = shard.accounts.bucketMinor(row, bucket);
      const found = buckets[(row - from) * BUCKETS.length + bucket];
      sums.log.add(logRow, 0, expected);
      sums.postgres.add(postgresRow, 0, Number.isSafeInteger(found) ? found : 0);
      if (expected === found) continue;
      comparison.differences.add({
        ...{ sort: 'balance', subject: accountName(shard, row), field },
        ...{ log: String(expected), postgres: String(found) },
      });
    }
  }
}

/** The three buckets of each row of the run as Postgres has them, 0 where nothing ever changed. */
async function readBuckets(comparison: BalanceComparison, run: Run): Promise<Float64Array> {
  const { client, snapshotId } = comparison;
  const { shard, from, until } = run;
  const buckets = new Float64Array((until - from) * BUCKETS.length);
  const firstPage = (shard.shard * ACCOUNTS_PER_SHARD + from) / PAGE_ACCOUNTS;
  const lastPage = firstPage + Math.ceil((until - from) / PAGE_ACCOUNTS) - 1;
  const images = await client.query<PageRow>({
    rowMode: 'array',
    text: IMAGES,
    values: [firstPage, lastPage, snapshotId],
  });
  const place = { buckets, firstPage };
  const after = new Array<string>(lastPage - firstPage + 1).fill('-1');
  for (const [page, newestId, ...columns] of images.rows) {
    after[page - firstPage] = newestId;
    enter(place, page, EVERY_SLOT, columns);
  }
  const pages = after.map((_, index) => firstPage + index);
  const changes = await client.query<PageRow>({
    rowMode: 'array',
    text: CHANGES,
    values: [pages, after, snapshotId],
  });
  for (const [page, slots, ...columns] of changes.rows) {
    enter(place, page, numbersOf(slots), columns);
  }
  return buckets;
}

/** Page; the image's snapshot or the change's slots; cash, bonus and held as arrays in text. */
type PageRow = [number, string, string, string, string];

const EVERY_SLOT: readonly number[] = Array.from({ length: PAGE_ACCOUNTS }, (_, slot) => slot);

const IMAGES = `
  select p.page, i.snapshot_id::text, i.cash_minor::text, i.bonus_minor::text, i.held_minor::text
  from generate_series($1::integer, $2::integer) as p (page)
  cross join lateral (
    select snapshot_id, cash_minor, bonus_minor, held_minor from kassa.balance_images
    where page = p.page and snapshot_id <= $3::bigint
    order by snapshot_id desc limit 1
  ) i`;

const CHANGES = `
  select p.page, c.slots::text, c.cash_minor::text, c.bonus_minor::text, c.held_minor::text
  from unnest($1::integer[], $2::bigint[]) as p (page, after_id)
  cross join lateral (
    select snapshot_id, slots, cash_minor, bonus_minor, held_minor from kassa.balance_changes
    where page = p.page and snapshot_id > p.after_id and snapshot_id <= $3::bigint
  ) c
  order by p.page, c.snapshot_id`;

function enter(
  { buckets, firstPage }: { readonly buckets: Float64Array; readonly firstPage: number },
  page: number,
  slots: readonly number[],
  columns: readonly string[],
): void {
  const pageAt = (page - firstPage) * PAGE_ACCOUNTS;
  for (const [bucket, text] of columns.entries()) {
    // Bonus and held as an empty array stand for zeros.
    const isZeros = bucket > 0 && text === '{}';
    const values = isZeros ? slots.map(() => 0) : numbersOf(text);
    for (const [place, slot] of slots.entries()) {
      // Beyond the run's last account typed arrays ignore it; findSurplus looks there.
      buckets[(pageAt + slot) * BUCKETS.length + bucket] = values[place];
    }
  }
}

/** The numbers of an array as Postgres writes it; one that a double has not exactly is NaN. */
function numbersOf(text: string): number[] {
  if (text === '{}') return [];
  return text
    .slice(1, -1)
    .split(',')
    .map((digits) => {
      const number = Number(digits);
      return Number.isSafeInteger(number) ? number : Number.NaN;
    });
}

type IdentityRow = [number, number, string | null, string | null, string, number];

async function compareIdentities(comparison: BalanceComparison, run: Run): Promise<void> {
  const { client, differences } = comparison;
  const { shard, from, until } = run;
  const first = shard.shard * ACCOUNTS_PER_SHARD;
  const { rows } = await client.query<IdentityRow>({
    rowMode: 'array',
    text: `
      select i.account_id, i.page, o.name, c.code, i.player, i.status
      from kassa.account_identities i
      left join kassa.operators o using (operator_id)
      left join kassa.currencies c using (currency_id)
      where i.account_id >= $1 and i.account_id < $2 order by i.account_id`,
    values: [first + from, first + until],
  });
  let expected = from;
  for (const [accountId, page, operator, currency, player, status] of rows) {
    const row = accountId - first;
    for (; expected < row; expected += 1) addMissing(differences, shard, expected);
    expected = row + 1;
    const subject = accountName(shard, row);
    const names = ownerNames(shard.directory, shard.accounts.owner(row));
    const compare = (field: string, log: string, postgres: string): void =>
      differences.compare({ sort: 'account', subject, field, log, postgres });
    compare('operator', names.operator, operator ?? NONE);
    compare('currency', names.currency, currency ?? NONE);
    compare('status', statusName(shard.accounts.status(row)), statusName(status));
    compare('page', String(Math.floor(accountId / PAGE_ACCOUNTS)), String(page));
    if (!shard.accounts.isPlayer(row, player)) compare('player', 'another id', player);
  }
  for (; expected < until; expected += 1) addMissing(differences, shard, expected);
}

function addMissing(differences: Differences, shard: ShardFacts, row: number): void {
  const { operator, currency } = ownerNames(shard.directory, shard.accounts.owner(row));
  differences.add({
    ...{ sort: 'account', subject: accountName(shard, row), field: 'account_identities' },
    ...{ log: `${operator} ${currency}`, postgres: NONE },
  });
}

/** Accounts that Postgres has and the log has not: behind the last one of each shard. */
async function findSurplus({ client, facts, differences }: BalanceComparison): Promise<void> {
  const ranges = facts.shards.flatMap((shard, number) => {
    const from = number * ACCOUNTS_PER_SHARD;
    return shard === undefined ? [] : [{ from, until: from + rowCountOf(shard.accounts) }];
  });
  const { rows } = await client.query<{ account_id: number; player: string }>(
    `select account_id, player from kassa.account_identities
     where not exists (
       select from unnest($1::bigint[], $2::bigint[]) as range (from_id, until_id)
       where account_id >= from_id and account_id < until_id)
     order by account_id`,
    [ranges.map(({ from }) => from), ranges.map(({ until }) => until)],
  );
  for (const { account_id: accountId, player } of rows) {
    differences.add({
      ...{ sort: 'account', subject: `account ${accountId}`, field: 'account_identities' },
      ...{ log: NONE, postgres: `player ${player}` },
    });
  }
}

function rowCountOf({ rowCount }: ShardAccounts): number {
  return rowCount;
}

function accountName({ shard }: ShardFacts, row: number): string {
  return `account ${shard * ACCOUNTS_PER_SHARD + row}`;
}

function statusName(status: number): string {
  return STATUSES[status] ?? `status ${status}`;
}

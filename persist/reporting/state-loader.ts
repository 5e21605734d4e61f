// Loads the reporter's memory from Postgres: at its start and after each failure. All of it takes
// some seconds of two cores for a million accounts, which bets on the same cores noticed. So the
// balances that are still right after a failure are kept. Belongs to the reporter's thread; the
// caller holds the reporter's lock, so nothing changes meanwhile.
import type { ClientBase } from 'pg';
import type { LogEnd } from '../log-chain.ts';
import {
  AccountBook,
  accountId,
  PAGE_SLOTS,
  type PageBalances,
  SHARD_ROWS,
  SHARDS_MAX,
} from './account-book.ts';
import { type CopyRow, readRows } from './copy-reader.ts';
import { hashOfRow, type RoundColumns } from './open-round-rows.ts';
import { emptyState, type ReportPosition, type ReportState } from './report-state.ts';

/** Pages that a query names; more of them are loaded with all others. */
const PAGES_NAMED_MAX = 20_000;

const ALL_PAGES = 'select distinct page from kassa.account_identities';

// The newest image of each page, whatever its tier. An empty array stands for zeros.
const newestImages = (pages: string): string => `
  select page.page, image.cash_minor, image.bonus_minor, image.held_minor, image.changed_position
  from (${pages}) as page
  cross join lateral (
    select * from kassa.balance_images where balance_images.page = page.page
    order by snapshot_id desc limit 1) as image`;

// Every page that changed has an image from the end of its minute; later changes have none yet.
const laterChanges = (condition: string): string => `
  select page, slots, cash_minor, bonus_minor, held_minor, changed_position
  from kassa.balance_changes
  where snapshot_id >
    (select coalesce(max(snapshot_id), 0) from kassa.snapshots where tier >= 1) ${condition}
  order by snapshot_id`;

const POSITIONS_OF_TIERS = `
  select max(position) filter (where tier >= 1) as minute,
    max(position) filter (where tier >= 2) as hour, max(position) filter (where tier >= 3) as day
  from kassa.snapshots`;

/** Postgres holds balances that this reporter cannot have written. */
export class DamagedReportError extends Error {
  override readonly name = 'DamagedReportError';
}

/** Where Postgres is; null when nothing was reported yet. */
export async function loadPosition(
  client: ClientBase,
): Promise<(ReportPosition & { readonly folderId: string }) | null> {
  const { rows } = await client.query<PositionRow>('select * from kassa.reporter_position');
  if (rows.length === 0) return null;
  const [row] = rows;
  const end: LogEnd = {
    blockNumber: Number(row.position),
    headerChecksum: Number(row.header_checksum),
    timeMs: Number(row.time_ms),
    sequences: row.sequences.map(Number),
    lastSegment: Number(row.last_segment),
    logBytes: 0,
  };
  return {
    end,
    recordCount: Number(row.record_count),
    contentBytes: Number(row.content_bytes),
    snapshotId: Number(row.snapshot_id),
    journalFrom: row.journal_from === null ? null : Number(row.journal_from),
    folderId: row.folder_id,
  };
}

/**
 * The memory as of a position, at which Postgres has to be. Accounts that were kept from another
 * connection have to have reached it; they are taken back to it, and are of no use if this rejects.
 */
export async function loadState(
  client: ClientBase,
  position: number,
  kept: AccountBook | null,
): Promise<ReportState> {
  const state = { ...emptyState(), accounts: kept ?? new AccountBook() };
  await loadDirectory(client, state);
  if (kept === null) {
    await loadAccounts(client, state);
    await loadBalances(client, state, null);
  } else {
    const pages = kept.rewind(position, await loadRowCounts(client));
    if (pages.length > 0) await loadBalances(client, state, pages);
  }
  await markTiers(client, state);
  await loadSystem(client, state);
  const { rows } = await client.query<RoundColumns>(
    'select account_id, provider_id, round_key from kassa.unfinished_rounds',
  );
  for (const row of rows) state.openRounds.add(hashOfRow(row));
  return state;
}

async function loadDirectory(client: ClientBase, { directory }: ReportState): Promise<void> {
  const currencies = new Map<number, ReturnType<typeof directory.loadCurrency>>();
  const all = await client.query<{ currency_id: number; code: string; exponent: number }>(
    'select currency_id, code, exponent from kassa.currencies',
  );
  for (const { currency_id, code, exponent } of all.rows) {
    currencies.set(
      currency_id,
      directory.loadCurrency({ code, exponent, currencyId: currency_id }),
    );
  }
  const operators = await client.query<OperatorRow>(
    'select * from kassa.operators order by operator_id',
  );
  for (const row of operators.rows) {
    directory.operators.push({
      operatorId: row.operator_id,
      name: row.name,
      policies: row.policies,
      changedPosition: Number(row.changed_position),
      currencies: [],
    });
  }
  const named = await client.query<{ operator_id: number; currency_id: number }>(
    'select operator_id, currency_id from kassa.operator_currencies order by operator_id, number',
  );
  for (const { operator_id, currency_id } of named.rows) {
    const currency = currencies.get(currency_id);
    if (currency !== undefined) directory.operators[operator_id - 1].currencies.push(currency);
  }
  for (const [table, column, numbers] of [
    ['providers', 'provider_id', directory.providers],
    ['games', 'game_id', directory.games],
  ] as const) {
    const { rows } = await client.query<{ number: number; name: string }>(
      `select ${column} as number, name from kassa.${table}`,
    );
    for (const { number, name } of rows) numbers.load(number, name);
  }
}

async function loadAccounts(client: ClientBase, { accounts }: ReportState): Promise<void> {
  const query = `
    select account_id, known.operator_id * 256 + named.number
    from kassa.account_identities as known
    join kassa.operator_currencies as named using (operator_id, currency_id)`;
  await readRows(client, query, (row) => {
    const accountId = row.integer();
    accounts.add(accountId, row.integer());
  });
}

/** How many accounts Postgres has of each shard: their rows go from 0 up without gaps. */
async function loadRowCounts(client: ClientBase): Promise<(shard: number) => number> {
  const counts: number[] = [];
  for (let shard = 0; shard < SHARDS_MAX; shard += 1) {
    const { rows } = await client.query<{ last: number | null }>(
      `select max(account_id) as last from kassa.account_identities
       where account_id between $1 and $2`,
      [accountId(shard, 0), accountId(shard, SHARD_ROWS - 1)],
    );
    const last = rows[0]?.last ?? null;
    counts.push(last === null ? 0 : last - accountId(shard, 0) + 1);
  }
  return (shard) => counts[shard] ?? 0;
}

/** Of the given pages, or of all. */
async function loadBalances(
  client: ClientBase,
  { accounts }: ReportState,
  pages: readonly number[] | null,
): Promise<void> {
  const list = pages !== null && pages.length <= PAGES_NAMED_MAX ? `'{${pages.join()}}'` : null;
  const image = emptyPage();
  for (let slot = 0; slot < PAGE_SLOTS; slot += 1) image.slots[slot] = slot;
  const images = newestImages(
    list === null ? ALL_PAGES : `select unnest(${list}::integer[]) as page`,
  );
  await readRows(client, images, (row) => {
    const page = row.integer();
    readColumns(row, page, PAGE_SLOTS, image);
    accounts.load(page, PAGE_SLOTS, image);
  });
  const changes = emptyPage();
  const later = laterChanges(list === null ? '' : `and page = any(${list}::integer[])`);
  await readRows(client, later, (row) => {
    const page = row.integer();
    const count = row.numbers(changes.slots);
    readColumns(row, page, count, changes);
    accounts.load(page, count, changes);
  });
}

/** A page needs an image of a tier if it changed since the last snapshot of that tier. */
async function markTiers(client: ClientBase, { accounts }: ReportState): Promise<void> {
  const { rows } =
    await client.query<Record<'minute' | 'hour' | 'day', string | null>>(POSITIONS_OF_TIERS);
  const [{ minute, hour, day }] = rows;
  accounts.markTiers([minute, hour, day].map(Number));
}

function emptyPage(): PageBalances {
  const column = (): Float64Array => new Float64Array(PAGE_SLOTS);
  return {
    slots: column(),
    cash: column(),
    bonus: column(),
    held: column(),
    changed: column(),
  };
}

/** Reads the columns of a page; only bonus and held may be empty, for zeros. */
function readColumns(row: CopyRow, page: number, count: number, into: PageBalances): void {
  const { cash, bonus, held, changed } = into;
  for (const column of [cash, bonus, held, changed]) {
    const length = row.numbers(column);
    if (length === count && count <= PAGE_SLOTS) continue;
    const mayBeEmpty = column === bonus || column === held;
    if (length !== 0 || !mayBeEmpty) {
      throw new DamagedReportError(
        `Cannot load the balances of page ${page} because a column has ${length} values instead ` +
          `of ${count}`,
      );
    }
    column.fill(0);
  }
}

async function loadSystem(client: ClientBase, { system, directory }: ReportState): Promise<void> {
  const { rows } = await client.query<Record<string, string | number>>(`
    select distinct on (operator_id, currency_id) *
    from kassa.system_balances order by operator_id, currency_id, snapshot_id desc`);
  for (const row of rows) {
    const operatorId = Number(row.operator_id);
    const { currencies } = directory.operators[operatorId - 1];
    const number = currencies.findIndex(({ currencyId }) => currencyId === row.currency_id);
    const names = ['house', 'cashier', 'bonus_fund', 'adjustments', 'transit'];
    system.load(
      operatorId * 256 + number,
      names.map((name) => BigInt(row[`${name}_minor`])),
    );
  }
}

interface PositionRow {
  readonly folder_id: string;
  readonly position: string;
  readonly header_checksum: string;
  readonly time_ms: string;
  readonly sequences: readonly string[];
  readonly last_segment: string;
  readonly record_count: string;
  readonly content_bytes: string;
  readonly snapshot_id: string;
  readonly journal_from: string | null;
}

interface OperatorRow {
  readonly operator_id: number;
  readonly name: string;
  readonly policies: Readonly<Record<string, unknown>>;
  readonly changed_position: string;
}

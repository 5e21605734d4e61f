// Loads the reporter's memory from Postgres: at its start and after each failure. Reads only what
// the newest snapshot needs, so it takes about a second for a million accounts. Belongs to the
// reporter's thread; the caller holds the reporter's lock, so nothing changes meanwhile.
import type { ClientBase } from 'pg';
import type { LogEnd } from '../log-chain.ts';
import { PAGE_SLOTS, type PageBalances } from './account-book.ts';
import { type CopyRow, readRows } from './copy-reader.ts';
import { hashOfRow, type RoundColumns } from './open-round-rows.ts';
import { emptyState, type ReportPosition, type ReportState } from './report-state.ts';

/** Bits of AccountBook.markPage. */
const MINUTE = 0b001;
const HOUR = 0b010;
const DAY = 0b100;

// The newest image of each page, whatever its tier. An empty array stands for zeros.
const NEWEST_IMAGES = `
  select page.page, image.cash_minor, image.bonus_minor, image.held_minor, image.changed_position
  from (select distinct page from kassa.account_identities) as page
  cross join lateral (
    select * from kassa.balance_images where balance_images.page = page.page
    order by snapshot_id desc limit 1) as image`;

// Every page that changed has an image from the end of its minute; later changes have none yet.
const LAST_OF_TIER = (tier: number): string =>
  `(select coalesce(max(snapshot_id), 0) from kassa.snapshots where tier >= ${tier})`;

const LATER_CHANGES = `
  select page, slots, cash_minor, bonus_minor, held_minor, changed_position
  from kassa.balance_changes where snapshot_id > ${LAST_OF_TIER(1)}
  order by snapshot_id`;

const PAGES_OF_HOUR = `
  select distinct page from kassa.balance_images
  where tier = 1 and snapshot_id > ${LAST_OF_TIER(2)}`;

const PAGES_OF_DAY = `
  select distinct page from kassa.balance_images
  where tier = 2 and snapshot_id > ${LAST_OF_TIER(3)}`;

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

/** The memory as of that position. */
export async function loadState(client: ClientBase): Promise<ReportState> {
  const state = emptyState();
  await loadDirectory(client, state);
  await loadAccounts(client, state);
  await loadBalances(client, state);
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

async function loadBalances(client: ClientBase, { accounts }: ReportState): Promise<void> {
  const image = emptyPage();
  for (let slot = 0; slot < PAGE_SLOTS; slot += 1) image.slots[slot] = slot;
  await readRows(client, NEWEST_IMAGES, (row) => {
    const page = row.integer();
    readColumns(row, page, PAGE_SLOTS, image);
    accounts.load(page, PAGE_SLOTS, image);
  });
  const changes = emptyPage();
  await readRows(client, LATER_CHANGES, (row) => {
    const page = row.integer();
    const count = row.numbers(changes.slots);
    readColumns(row, page, count, changes);
    accounts.load(page, count, changes);
    accounts.markPage(page, MINUTE | HOUR | DAY);
  });
  await readRows(client, PAGES_OF_HOUR, (row) => accounts.markPage(row.integer(), HOUR | DAY));
  await readRows(client, PAGES_OF_DAY, (row) => accounts.markPage(row.integer(), DAY));
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

// Compares what is summed: the position's own counts, operators and their currencies, turnover, the
// journal, the system accounts, and whether all of it adds up to zero (rule 35). Inside the
// caller's transaction.
import type { ClientBase } from 'pg';
import { kindName } from '../../core/kinds.ts';
import type { ReportedPosition } from '../reporting/read-position.ts';
import type { PlayerSums } from './reconcile-balances.ts';
import { type Differences, NONE } from './reconcile-differences.ts';
import { journalKey, type LogFacts } from './reconcile-records.ts';
import { compareTallies, type ForeignSums } from './reconcile-tallies.ts';

/** Both sides, and where differences go. */
export interface SumComparison {
  readonly client: ClientBase;
  readonly reported: ReportedPosition;
  readonly facts: LogFacts;
  readonly differences: Differences;
}

/** Whether the reporter's own row fits the log at its position. */
export function comparePosition({ reported, facts, differences }: SumComparison): void {
  const compare = (field: string, log: unknown, postgres: unknown): void =>
    differences.compare({
      ...{ sort: 'position', subject: `position ${reported.position}`, field },
      ...{ log: String(log), postgres: String(postgres) },
    });
  compare('record_count', facts.recordCount, reported.recordCount);
  compare('content_bytes', facts.contentBytes, reported.contentBytes);
  compare('time_ms', facts.timeMs, reported.timeMs);
  const shardCount = Math.max(facts.shards.length, reported.sequences.length);
  for (let shard = 0; shard < shardCount; shard += 1) {
    const sequence = facts.shards[shard]?.sequence ?? 0;
    compare(`sequence of shard ${shard}`, sequence, reported.sequences[shard] ?? 0);
  }
}

/** Operators with their currencies, in the order of their numbers. */
export async function compareDirectory(comparison: SumComparison): Promise<void> {
  const { client, facts, differences } = comparison;
  const { rows } = await client.query<{ name: string; list: string | null }>(`
    select o.name, string_agg(c.code || ' ' || c.exponent, ', ' order by n.number) as list
    from kassa.operators o
    left join kassa.operator_currencies n using (operator_id)
    left join kassa.currencies c using (currency_id)
    group by o.operator_id, o.name`);
  const found = new Map(rows.map(({ name, list }) => [name, list ?? '']));
  const expected = new Map<string, string>();
  for (const shard of facts.shards) {
    for (const { name, currencies } of shard?.directory.operators ?? []) {
      expected.set(name, currencies.map(({ code, exponent }) => `${code} ${exponent}`).join(', '));
    }
  }
  for (const name of new Set([...expected.keys(), ...found.keys()])) {
    differences.compare({
      ...{ sort: 'directory', subject: `operator ${name}`, field: 'currencies' },
      ...{ log: expected.get(name) ?? NONE, postgres: found.get(name) ?? NONE },
    });
  }
}

/** Turnover by day, operator, currency and kind, over all games and providers. */
export async function compareTurnover(comparison: SumComparison): Promise<void> {
  const { client, facts, differences } = comparison;
  const postgres = await readSums(
    client,
    `select t.day, coalesce(o.name, 'operator ' || t.operator_id),
       coalesce(c.code, 'currency ' || t.currency_id), t.kind, t.of_win, t.sums
     from (
       select to_char(minute at time zone 'UTC', 'YYYY-MM-DD') as day,
         operator_id, currency_id, kind, of_win,
         array[sum(accepted_count), sum(refused_count), sum(cash_moved_minor),
           sum(bonus_moved_minor), sum(held_moved_minor)]::text[] as sums
       from kassa.turnover group by 1, 2, 3, 4, 5
     ) t
     left join kassa.operators o using (operator_id)
     left join kassa.currencies c using (currency_id)`,
    ([day, operator, currency, kind, ofWin]) =>
      `${day} ${operator} ${currency} ${kindName(Number(kind))}${ofWin === true ? ' of win' : ''}`,
  );
  compareTallies({ sort: 'turnover', tallies: facts.turnover, postgres }, differences);
}

/** The system accounts, and the sum over all accounts of each currency on both sides. */
export async function compareSystem(comparison: SumComparison, players: PlayerSums): Promise<void> {
  const { client, facts, differences, reported } = comparison;
  const postgres = await readSums(
    client,
    `select o.name, c.code, s.sums
     from kassa.operator_currencies n
     join kassa.operators o using (operator_id)
     join kassa.currencies c using (currency_id)
     cross join lateral (
       select array[house_minor, cashier_minor, bonus_fund_minor, adjustments_minor,
         transit_minor]::text[] as sums
       from kassa.system_balances b
       where b.operator_id = n.operator_id and b.currency_id = n.currency_id
         and b.snapshot_id <= $1
       order by b.snapshot_id desc limit 1
     ) s`,
    ([operator, currency]) => `${operator} ${currency}`,
    [reported.snapshotId],
  );
  compareTallies({ sort: 'systemBalance', tallies: facts.system, postgres }, differences);
  for (const [key, row] of players.log.entries()) {
    const logSystem = facts.system.row(key);
    const ofLog = facts.system.fields.map((_, field) => facts.system.total(logSystem, field));
    const ofPostgres = (postgres.get(key) ?? []).map(BigInt);
    const postgresRow = players.postgres.row(key);
    const log = sumOf([players.log.total(row, 0), ...ofLog]);
    const found = sumOf([players.postgres.total(postgresRow, 0), ...ofPostgres]);
    if (log === 0n && found === 0n) continue;
    differences.add({
      ...{ sort: 'zeroSum', subject: key, field: 'sum over all accounts (must be 0)' },
      ...{ log: String(log), postgres: String(found) },
    });
  }
}

/** Counts and sums of the journal by day and kind; names missing rows of days that differ. */
export async function compareJournal(
  comparison: SumComparison,
  isCompared: (day: string) => boolean,
): Promise<void> {
  const { client, facts, differences, reported } = comparison;
  const postgres = await readSums(
    client,
    `select to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD'), kind, (flags & 128) <> 0,
       array[count(*), count(*) filter (where code <> 0), sum(cash_moved_minor),
         sum(bonus_moved_minor), sum(held_moved_minor), sum(cash_minor), sum(sequence)]::text[]
     from kassa.transactions where position > $1 group by 1, 2, 3`,
    ([day, kind, isReceiver]) => journalKey(String(day), Number(kind), isReceiver === true),
    [reported.journalFrom],
  );
  const before = differences.counts.get('journal') ?? 0;
  const isKeyCompared = (key: string): boolean => isCompared(key.slice(0, 10));
  compareTallies(
    { sort: 'journal', tallies: facts.journal, postgres, isCompared: isKeyCompared },
    differences,
  );
  if ((differences.counts.get('journal') ?? 0) > before) await nameMissing(comparison, isCompared);
}

/** Gaps named at most: the counts have told how many rows there are. */
const GAPS_MAX = 100;

const GAPS = `
  select sequence + 1 as from_sequence, next_sequence - 1 as until_sequence
  from (
    select sequence, lead(sequence) over (order by sequence) as next_sequence
    from (
      select sequence from kassa.transactions
      where shard = $1 and position > $2 and (flags & 128) = 0
        and recorded_at >= $3::timestamptz and recorded_at < $3::timestamptz + interval '1 day'
      union all values ($4::bigint - 1), ($5::bigint + 1)
    ) s
  ) n
  where next_sequence > sequence + 1 order by sequence limit ${GAPS_MAX}`;

/** A shard's sequences have no gaps: what is missing between the first and last of a day. */
async function nameMissing(
  { client, facts, differences, reported }: SumComparison,
  isCompared: (day: string) => boolean,
): Promise<void> {
  for (const shard of facts.shards) {
    for (const [day, { first, last }] of shard?.journalDays ?? []) {
      if (shard === undefined || !isCompared(day)) continue;
      const { rows } = await client.query<{ from_sequence: string; until_sequence: string }>(GAPS, [
        ...[shard.shard, reported.journalFrom, `${day}T00:00:00Z`, first, last],
      ]);
      for (const { from_sequence: from, until_sequence: until } of rows) {
        differences.add({
          ...{ sort: 'journal', subject: `${day} shard ${shard.shard}`, field: 'sequence' },
          ...{ log: from === until ? from : `${from} to ${until}`, postgres: NONE },
        });
      }
    }
  }
}

/** Runs a query whose last column is an array of sums; the columns before make the key. */
async function readSums(
  client: ClientBase,
  text: string,
  keyOf: (columns: readonly unknown[]) => string,
  values: readonly unknown[] = [],
): Promise<ForeignSums> {
  const { rows } = await client.query<unknown[]>({ rowMode: 'array', text, values: [...values] });
  return new Map(
    rows.map((row) => {
      const sums: unknown = row.at(-1);
      return [keyOf(row.slice(0, -1)), Array.isArray(sums) ? sums.map(String) : []];
    }),
  );
}

function sumOf(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

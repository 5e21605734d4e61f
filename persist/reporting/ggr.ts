// Gross gaming revenue of a range of time, from the turnover by minute: what players bet less what
// they won, each without what was rolled back. Cash and bonus together. Changes nothing.
import type { ClientBase } from 'pg';
import { assert } from '../../core/assert.ts';
import { inOneMoment, readReportedPosition } from './read-position.ts';

/** Which turnover is summed: minutes from `from` to before `to`. */
export interface GgrOptions {
  readonly client: ClientBase;
  /** Both at the start of a minute. */
  readonly from: Date;
  readonly to: Date;
  /** Undefined for all operators. */
  readonly operator: string | undefined;
}

/** One operator and currency; sums in minor units of the exponent. */
export interface GgrRow {
  readonly operator: string;
  readonly currency: string;
  readonly exponent: number;
  readonly betsMinor: bigint;
  readonly rolledBackBetsMinor: bigint;
  readonly winsMinor: bigint;
  readonly rolledBackWinsMinor: bigint;
}

/** The rows, and the moment that they are true at. */
export interface GgrReport {
  readonly position: number;
  readonly recordedAt: Date | null;
  readonly rows: readonly GgrRow[];
}

/** The operator that was asked for is not known. */
export class UnknownNameError extends Error {
  override readonly name = 'UnknownNameError';
}

const MINUTE_MS = 60_000;

// What bets and wins are is defined in one place, the schema's: its views show the same.
const QUERY = `
  select operator, currency, exponent, sum(bets_minor)::text as bets,
    sum(rolled_back_bets_minor)::text as rolled_back_bets, sum(wins_minor)::text as wins,
    sum(rolled_back_wins_minor)::text as rolled_back_wins
  from kassa.play_sums($1, $2)
  where $3::text is null or operator = $3
  group by operator, currency, exponent order by operator, currency, exponent`;

interface QueryRow {
  readonly operator: string;
  readonly currency: string;
  readonly exponent: number;
  readonly bets: string;
  readonly rolled_back_bets: string;
  readonly wins: string;
  readonly rolled_back_wins: string;
}

/** Sums the range; throws UnknownNameError and NothingReportedError. */
export async function readGgr(options: GgrOptions): Promise<GgrReport> {
  const { client, from, to, operator } = options;
  assert(from.getTime() % MINUTE_MS === 0, 'a range begins with a minute');
  assert(to.getTime() % MINUTE_MS === 0, 'a range ends with a minute');
  return inOneMoment(client, async () => {
    const { position, recordedAt } = await readReportedPosition(client);
    if (operator !== undefined) await findOperator(client, operator);
    const values = [from.toISOString(), to.toISOString(), operator ?? null];
    const { rows } = await client.query<QueryRow>(QUERY, values);
    return { position, recordedAt, rows: rows.map(rowOf) };
  });
}

/** The operator's number; throws UnknownNameError. */
export async function findOperator(client: ClientBase, name: string): Promise<number> {
  const { rows } = await client.query<{ operator_id: number; name: string }>(
    'select operator_id, name from kassa.operators order by name limit 4096',
  );
  const known = rows.find((row) => row.name === name);
  if (known !== undefined) return known.operator_id;
  const names = rows.slice(0, 20).map((row) => row.name);
  throw new UnknownNameError(
    `Cannot report on an operator that no record names: "${name}". ` +
      (names.length === 0 ? 'There is none yet.' : `Known: ${names.join(', ')}.`),
  );
}

/** Bets less wins, without what was rolled back. */
export function ggrMinor(row: GgrRow): bigint {
  return netBetsMinor(row) - netWinsMinor(row);
}

/** Wins of bets in hundredths of a percent, rounded half up; undefined without bets. */
export function rtpBasisPoints(row: GgrRow): bigint | undefined {
  const bets = netBetsMinor(row);
  if (bets <= 0n) return undefined;
  const doubled = netWinsMinor(row) * 20_000n + bets;
  const quotient = doubled / (bets * 2n);
  const isBelow = doubled < 0n && doubled % (bets * 2n) !== 0n;
  return isBelow ? quotient - 1n : quotient;
}

function netBetsMinor({ betsMinor, rolledBackBetsMinor }: GgrRow): bigint {
  return betsMinor - rolledBackBetsMinor;
}

function netWinsMinor({ winsMinor, rolledBackWinsMinor }: GgrRow): bigint {
  return winsMinor - rolledBackWinsMinor;
}

function rowOf(row: QueryRow): GgrRow {
  return {
    operator: row.operator,
    currency: row.currency,
    exponent: row.exponent,
    betsMinor: BigInt(row.bets),
    rolledBackBetsMinor: BigInt(row.rolled_back_bets),
    winsMinor: BigInt(row.wins),
    rolledBackWinsMinor: BigInt(row.rolled_back_wins),
  };
}

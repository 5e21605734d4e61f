// The differences between a provider's list and the journal as a reader gets them: fetched in
// portions from the table that the comparison filled, with amounts and codes in words.
import type { ClientBase } from 'pg';
import { kindName } from '../../core/kinds.ts';
import { resultCodeName } from '../../core/result-codes.ts';
import { formatDecimalAmount } from './decimal-amount.ts';
import type { ProviderSort } from './provider-comparison.ts';

/** One difference; amounts in major units. */
export interface ProviderDifference {
  readonly sort: ProviderSort;
  readonly round: string | null;
  /** Of the list; null for one of ours. */
  readonly line: number | null;
  readonly operator: string | null;
  readonly player: string | null;
  readonly transactionId: string;
  readonly kind: string;
  /** Of a different one: amount, currency, round or state. */
  readonly field: string | null;
  readonly theirs: string | null;
  readonly ours: string | null;
}

/** Exponents of currencies by code; undefined where operators disagree about it. */
export type Exponents = ReadonlyMap<string, number | undefined>;

const READ_RESULT = `
  declare provider_rows cursor for select * from provider_result
  order by round nulls last, line nulls last, transaction_id, field`;

const ROWS_PER_FETCH = 1_000;
const STATE_NAMES: readonly string[] = ['accepted', 'rejected', 'rolled_back'];

interface ResultRow {
  readonly sort: ProviderSort;
  readonly line: string | null;
  readonly operator: string | null;
  readonly player: string | null;
  readonly round: string | null;
  readonly transaction_id: string;
  readonly kind: number;
  readonly of_win: boolean;
  readonly field: string | null;
  readonly their_amount: string | null;
  readonly their_currency: string | null;
  readonly their_state: number | null;
  readonly their_text: string | null;
  readonly our_amount: string | null;
  readonly our_currency: string | null;
  readonly our_state: number | null;
  readonly our_code: number | null;
  readonly our_text: string | null;
}

/** Every difference, round by round; inside the transaction of the comparison, once. */
export async function* readDifferences(
  client: ClientBase,
  exponents: Exponents,
): AsyncGenerator<ProviderDifference> {
  await client.query(READ_RESULT);
  for (;;) {
    const { rows } = await client.query<ResultRow>(`fetch ${ROWS_PER_FETCH} from provider_rows`);
    if (rows.length === 0) break;
    for (const row of rows) yield differenceOf(row, exponents);
  }
  await client.query('close provider_rows');
}

function differenceOf(row: ResultRow, exponents: Exponents): ProviderDifference {
  const amount = (minor: string | null, currency: string | null): string | null => {
    if (minor === null || currency === null) return null;
    const exponent = exponents.get(currency);
    // Operators that disagree about a currency: minor units are all that can be said.
    if (exponent === undefined) return `${minor} minor units of ${currency}`;
    return `${formatDecimalAmount(BigInt(minor), exponent)} ${currency}`;
  };
  const ourState = stateText(row.our_state, row.our_code);
  const theirs: readonly (string | null)[] = [
    ...[amount(row.their_amount, row.their_currency), row.their_currency],
    ...[row.their_text, stateText(row.their_state, null)],
  ];
  const ours: readonly (string | null)[] = [
    ...[amount(row.our_amount, row.our_currency), row.our_currency, row.our_text, ourState],
  ];
  return {
    ...{ sort: row.sort, round: row.round, operator: row.operator, player: row.player },
    line: row.line === null ? null : Number(row.line),
    transactionId: row.transaction_id,
    kind: row.of_win ? `${kindName(row.kind)} of win` : kindName(row.kind),
    field: row.field,
    theirs: shownValue(row.field, theirs),
    ours: shownValue(row.field, ours),
  };
}

/** The value of one field, or of a whole row its amount and state. */
function shownValue(field: string | null, values: readonly (string | null)[]): string | null {
  const [amount, currency, round, state] = values;
  if (field === 'amount') return amount;
  if (field === 'currency') return currency;
  if (field === 'round') return round;
  if (field === 'state') return state;
  const whole = [amount, state].filter((value) => value !== null);
  return whole.length === 0 ? null : whole.join(' ');
}

function stateText(state: number | null, code: number | null): string | null {
  if (state === null) return null;
  const name = STATE_NAMES[state] ?? `state ${state}`;
  return code === null || code === 0 ? name : `${name} (${resultCodeName(code)})`;
}

// A provider's own list of transactions, read from CSV line by line, in bounded memory. Amounts are
// taken exactly. A line that cannot be read is named and the rest is read on; a list without the
// columns that are needed is refused. Any thread.
//
// The first line names the columns, in any order; upper and lower case, spaces and hyphens do not
// matter. Other columns are ignored.
//
//   column          also called                                        holds
//   transaction_id  transaction, transactionid, tx_id, txid, id        as it was sent
//   kind            type, transaction_type, action                     see KINDS
//   round           round_id, roundid, game_round                      may be empty
//   amount                                                             decimal, no grouping
//   currency        currency_code, ccy                                 the operator's code
//   state           status, result                                     see STATES
//   player          player_id, playerid, user, user_id                 may be missing
import type { Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import { Kind, kindNumber } from '../../core/kinds.ts';
import { ID_BYTES_MAX } from '../../core/limits.ts';
import { parseDecimalAmount } from './decimal-amount.ts';

/** How a list's amounts and currencies are read. */
export interface ListOptions {
  /** Exponents of the currencies that the operators have; undefined where they differ. */
  readonly exponents: ReadonlyMap<string, number | undefined>;
  /** Whether amounts are in minor units already. */
  readonly isMinor: boolean;
  /** One character between columns. */
  readonly delimiter: string;
}

/** What became of a transaction, as the provider sees it. */
export const ListState = { accepted: 0, rejected: 1, rolledBack: 2 } as const;

/** One line of the list. */
export interface ListRow {
  readonly transactionId: string;
  readonly kind: number;
  readonly ofWin: boolean;
  /** Undefined where the list has no such column, or nothing in it. */
  readonly player: string | undefined;
  readonly round: string | undefined;
  readonly amountMinor: bigint;
  readonly currency: string;
  /** One of ListState. */
  readonly state: number;
}

/** A line that was read, or why it could not be; lines are numbered from 1, the header's. */
export type ListLine =
  | { readonly line: number; readonly row: ListRow }
  | { readonly line: number; readonly problem: string };

/** The file is no list that can be compared. */
export class ProviderListError extends Error {
  override readonly name = 'ProviderListError';
}

const SYNONYMS: ReadonlyMap<string, string> = namesOf({
  transaction_id: ['transaction_id', 'transaction', 'transactionid', 'tx_id', 'txid', 'id'],
  kind: ['kind', 'type', 'transaction_type', 'action'],
  round: ['round', 'round_id', 'roundid', 'game_round'],
  amount: ['amount'],
  currency: ['currency', 'currency_code', 'ccy'],
  state: ['state', 'status', 'result'],
  player: ['player', 'player_id', 'playerid', 'user', 'user_id'],
});
const REQUIRED = ['transaction_id', 'kind', 'round', 'amount', 'currency', 'state'];

/** Beside these, every kind by its own name, such as `grant`. */
const KINDS: ReadonlyMap<string, string> = namesOf({
  bet: ['bet', 'debit', 'stake', 'wager'],
  win: ['win', 'credit', 'payout'],
  rollback: ['rollback', 'refund', 'cancel', 'void', 'rollback_bet', 'bet_rollback'],
  rollbackOfWin: ['rollback_win', 'win_rollback', 'cancel_win'],
});

const STATES: ReadonlyMap<string, number> = new Map([
  ...['accepted', 'ok', 'completed', 'success'].map((name) => [name, 0] as const),
  ...['rejected', 'failed', 'refused', 'declined'].map((name) => [name, 1] as const),
  ...['rolled_back', 'cancelled', 'canceled', 'refunded'].map((name) => [name, 2] as const),
]);

/** More than any line of such a list has: what is longer is no CSV, or has an open quote. */
const RECORD_CHARACTERS_MAX = 65_536;

/** An open quote takes the lines behind it for one field: what follows cannot be trusted. */
const BREAKING: ReadonlySet<string> = new Set(['CSV_QUOTE_NOT_CLOSED', 'CSV_MAX_RECORD_SIZE']);

/** Reads a list; throws ProviderListError for a list that cannot be read on. */
export async function* readProviderList(
  source: Readable,
  options: ListOptions,
): AsyncGenerator<ListLine> {
  const skipped: ListLine[] = [];
  let broken: Error | undefined;
  const parser = parse({
    ...{ bom: true, info: true, trim: true, skip_empty_lines: true, relax_column_count: true },
    ...{ delimiter: options.delimiter, max_record_size: RECORD_CHARACTERS_MAX },
    skip_records_with_error: true,
    on_skip: (error: CsvError | undefined) => {
      if (BREAKING.has(String(error?.code))) broken ??= error;
      skipped.push({ line: Number(error?.lines ?? 0), problem: error?.message ?? 'not CSV' });
      return undefined;
    },
  });
  source.on('error', (error) => parser.destroy(error));
  let columns: ReadonlyMap<string, number> | undefined;
  try {
    for await (const entry of source.pipe(parser)) {
      if (broken !== undefined) break;
      const { record, info } = entry as { record: string[]; info: { lines: number } };
      yield* skipped.splice(0);
      if (columns === undefined) columns = columnsOf(record);
      else yield readLine(record, info.lines, { ...options, columns });
    }
  } catch (cause) {
    throw readingError(cause);
  }
  if (broken !== undefined) throw readingError(broken);
  yield* skipped;
  if (columns === undefined) throw new ProviderListError('Cannot compare an empty list.');
}

function readingError(cause: unknown): Error {
  const isOfFile = cause instanceof Error && 'syscall' in cause;
  if (cause instanceof ProviderListError || isOfFile) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ProviderListError(
    `Cannot compare the list because it is no CSV: ${reason}. Correct that line.`,
    { cause },
  );
}

/** Place of each column in a line. */
function columnsOf(header: readonly string[]): ReadonlyMap<string, number> {
  const columns = new Map<string, number>();
  for (const [place, text] of header.entries()) {
    const name = SYNONYMS.get(wordOf(text));
    if (name === undefined) continue;
    if (columns.has(name)) {
      throw new ProviderListError(
        `Cannot compare a list with two columns for ${name}: "${header.join(', ')}". Remove one.`,
      );
    }
    columns.set(name, place);
  }
  const missing = REQUIRED.filter((name) => !columns.has(name));
  if (missing.length === 0) return columns;
  throw new ProviderListError(
    `Cannot compare a list without the columns ${missing.join(', ')}: its first line is ` +
      `"${header.join(', ').slice(0, 200)}". Name them there; see --help for other names.`,
  );
}

function readLine(
  record: readonly string[],
  line: number,
  options: ListOptions & { readonly columns: ReadonlyMap<string, number> },
): ListLine {
  const field = (name: string): string => record[options.columns.get(name) ?? -1] ?? '';
  const transactionId = field('transaction_id');
  const play = playOf(field('kind'));
  const currency = field('currency');
  const state = STATES.get(wordOf(field('state')));
  const ids = [transactionId, field('round'), field('player')];
  const refuse = (problem: string): ListLine => ({ line, problem });
  if (transactionId === '') return refuse('no transaction_id');
  if (ids.some((id) => !isId(id))) return refuse(`an id that Kassa never takes: "${ids.join()}"`);
  if (play === undefined) return refuse(`unknown kind: "${field('kind')}"`);
  if (state === undefined) return refuse(`unknown state: "${field('state')}"`);
  if (!options.exponents.has(currency)) return refuse(`unknown currency: "${currency}"`);
  const exponent = options.exponents.get(currency);
  if (exponent === undefined) {
    return refuse(`${currency} has several exponents among the operators: name --operator`);
  }
  const reading = parseDecimalAmount(field('amount'), options.isMinor ? 0 : exponent);
  if (reading.kind === 'problem') return refuse(`amount is ${reading.problem}`);
  const isTaken = play.kind === Kind.bet || play.ofWin;
  if (reading.amountMinor < 0n && !isTaken && play.kind !== Kind.adjust) {
    return refuse(`a negative amount gives a player nothing: "${field('amount')}"`);
  }
  // What takes from the player is often listed with a minus: its kind says the direction.
  const amountMinor =
    isTaken && reading.amountMinor < 0n ? -reading.amountMinor : reading.amountMinor;
  const player = field('player') === '' ? undefined : field('player');
  const round = field('round') === '' ? undefined : field('round');
  return { line, row: { transactionId, ...play, player, round, amountMinor, currency, state } };
}

function playOf(text: string): { readonly kind: number; readonly ofWin: boolean } | undefined {
  const word = wordOf(text);
  const name = KINDS.get(word) ?? text;
  if (name === 'rollbackOfWin') return { kind: Kind.rollback, ofWin: true };
  const kind = kindNumber(name);
  return kind >= Kind.deposit && kind <= Kind.adjust ? { kind, ofWin: false } : undefined;
}

function isId(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what an id may not have
  return Buffer.byteLength(text) <= ID_BYTES_MAX && !/[\u0000-\u001f\u007f]/.test(text);
}

function wordOf(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');
}

function namesOf(names: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(names).flatMap(([name, others]) =>
      others.map((other): [string, string] => [other, name]),
    ),
  );
}

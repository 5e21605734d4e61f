// Compares a provider's own list of transactions with the journal: what is missing, what is extra,
// what differs. The list is copied into a temporary table and compared there, so memory is bounded
// whatever its length. Leaves nothing behind; one thread with a connection of its own.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { findOperator, UnknownNameError } from '../reporting/ggr.ts';
import { inOneMoment, readReportedPosition } from '../reporting/read-position.ts';
import {
  type ComparisonCounts,
  compareWithJournal,
  LIST_COLUMNS,
  makeListTable,
} from './provider-comparison.ts';
import {
  type ListLine,
  type ListRow,
  ProviderListError,
  readProviderList,
} from './provider-list.ts';
import { type Exponents, type ProviderDifference, readDifferences } from './provider-result.ts';

/** What is compared. */
export interface ProviderOptions {
  /** Connected, outside a transaction, used by nobody else meanwhile. */
  readonly client: ClientBase;
  /** The list: CSV, see provider-list.ts. */
  readonly list: Readable;
  readonly provider: string;
  /** Undefined for all operators. */
  readonly operator: string | undefined;
  /** Range of time in which ours are looked for in the list; undefined: that of the matches. */
  readonly range: { readonly from: Date; readonly to: Date } | undefined;
  readonly isMinor: boolean;
  readonly delimiter: string;
  readonly onProgress?: (lineCount: number) => void;
}

/** What was compared, in numbers. */
export interface ProviderSummary extends ComparisonCounts {
  readonly position: number;
  readonly recordedAt: string | null;
  readonly journalFrom: number;
  /** Lines that could be read, and those that could not. */
  readonly lineCount: number;
  readonly badLineCount: number;
  /** The first of the bad lines. */
  readonly badLines: readonly { readonly line: number; readonly problem: string }[];
}

/** Gets the summary first, then the differences, round by round; both inside one transaction. */
export type ProviderReader<T> = (
  summary: ProviderSummary,
  differences: AsyncIterable<ProviderDifference>,
) => Promise<T>;

const BAD_LINES_KEPT = 1_000;
const COPY_CHUNK_CHARACTERS = 65_536;

/** Compares and hands the result on; throws ProviderListError, UnknownNameError and others. */
export async function reconcileProvider<T>(
  options: ProviderOptions,
  read: ProviderReader<T>,
): Promise<T> {
  const { client } = options;
  return inOneMoment(
    client,
    async () => {
      const reported = await readReportedPosition(client);
      const { journalFrom } = reported;
      if (journalFrom === null) {
        throw new ProviderListError(
          'Cannot compare a list because the journal is turned off. Start the server with ' +
            'KASSA_REPORTING_JOURNAL=on; what was played before needs: kassa report rebuild',
        );
      }
      const providerId = await findProvider(client, options.provider);
      const operatorId =
        options.operator === undefined ? null : await findOperator(client, options.operator);
      const exponents = await readExponents(client, operatorId);
      const lines = await copyList(options, exponents);
      const { range } = options;
      const found = await compareWithJournal(client, { providerId, operatorId, range });
      const summary: ProviderSummary = {
        position: reported.position,
        recordedAt: reported.recordedAt?.toISOString() ?? null,
        ...{ journalFrom, ...lines, ...found },
      };
      return read(summary, readDifferences(client, exponents));
    },
    'read write',
  );
}

/** By code; undefined where operators disagree about it. */
async function readExponents(client: ClientBase, operatorId: number | null): Promise<Exponents> {
  const { rows } = await client.query<{ code: string; exponents: number[] }>(
    `select c.code, array_agg(distinct c.exponent::integer) as exponents
     from kassa.operator_currencies n join kassa.currencies c using (currency_id)
     where $1::integer is null or n.operator_id = $1 group by c.code`,
    [operatorId],
  );
  return new Map(
    rows.map(({ code, exponents }) => [code, exponents.length === 1 ? exponents[0] : undefined]),
  );
}

async function copyList(
  options: ProviderOptions,
  exponents: Exponents,
): Promise<Pick<ProviderSummary, 'lineCount' | 'badLineCount' | 'badLines'>> {
  const { client, list, isMinor, delimiter, onProgress = () => undefined } = options;
  const badLines: { line: number; problem: string }[] = [];
  let badLineCount = 0;
  let lineCount = 0;
  async function* text(): AsyncGenerator<string> {
    let chunk = '';
    for await (const entry of readProviderList(list, { exponents, isMinor, delimiter })) {
      if ('problem' in entry) {
        badLineCount += 1;
        if (badLines.length < BAD_LINES_KEPT) badLines.push(entry);
        continue;
      }
      lineCount += 1;
      chunk += copyLine(entry);
      if (chunk.length < COPY_CHUNK_CHARACTERS) continue;
      onProgress(lineCount);
      yield chunk;
      chunk = '';
    }
    onProgress(lineCount);
    if (chunk !== '') yield chunk;
  }
  await makeListTable(client);
  const copy = client.query(copyFrom(`copy provider_list (${LIST_COLUMNS}) from stdin`));
  await pipeline(Readable.from(text()), copy);
  return { lineCount, badLineCount, badLines };
}

/** A line in the text format of COPY. */
function copyLine({ line, row }: Extract<ListLine, { row: ListRow }>): string {
  const text = (value: string | undefined): string =>
    value === undefined ? '\\N' : value.replaceAll('\\', '\\\\');
  // Control characters were refused, so a backslash is all there is to escape.
  const fields = [
    ...[line, text(row.transactionId), row.kind, row.ofWin ? 't' : 'f', text(row.player)],
    ...[text(row.round), row.amountMinor, text(row.currency), row.state],
  ];
  return `${fields.join('\t')}\n`;
}

async function findProvider(client: ClientBase, name: string): Promise<number> {
  const { rows } = await client.query<{ provider_id: number; name: string }>(
    'select provider_id, name from kassa.providers where provider_id > 0 order by name',
  );
  const known = rows.find((row) => row.name === name);
  if (known !== undefined) return known.provider_id;
  const names = rows.slice(0, 20).map((row) => row.name);
  throw new UnknownNameError(
    `Cannot compare with a provider that no record names: "${name}". ` +
      (names.length === 0 ? 'There is none yet.' : `Known: ${names.join(', ')}.`),
  );
}

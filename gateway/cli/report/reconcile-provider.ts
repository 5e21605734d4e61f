// `kassa report reconcile-provider`: compares a provider's own list with the journal.
import type { ReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { stringify } from 'csv-stringify/sync';
import {
  type ProviderSummary,
  reconcileProvider,
} from '../../../persist/reconciliation/provider-reconciliation.ts';
import type { ProviderDifference } from '../../../persist/reconciliation/provider-result.ts';
import { readConfiguration } from '../../configuration-source.ts';
import {
  type CommandCall,
  CommandExit,
  type Invocation,
  print,
  UsageError,
} from '../invocation.ts';
import { openProgress } from '../progress.ts';
import { withReportClient } from './database.ts';
import { grouped, positionText, tableText } from './result-text.ts';
import { parseTime, TIME_HELP, type TimeRange, timeRange } from './time-range.ts';

interface ProviderArguments {
  readonly provider: string;
  readonly operator?: string;
  readonly from?: Date;
  readonly to?: Date;
  readonly minor?: boolean;
  readonly delimiter: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

const HELP = `
The file is CSV in UTF-8 with a first line that names the columns, in any order and in upper or
lower case; other columns are ignored:
  transaction_id  (transaction, transactionid, tx_id, txid, id)  as it was sent
  kind            (type, transaction_type, action)  bet (debit, stake, wager), win (credit, payout),
                  rollback (refund, cancel, void), rollback_win, or a kind of Kassa's
  round           (round_id, roundid, game_round)  may be empty
  amount          decimal with a point, in major units unless --minor; exact, never rounded
  currency        (currency_code, ccy)
  state           (status, result)  accepted (ok, completed, success), rejected (failed, refused,
                  declined), rolled_back (cancelled, canceled, refunded)
  player          (player_id, playerid, user, user_id)  may be missing; needed where the provider
                  uses an id for several players

Listed, round by round: missing (theirs, not ours), extra (ours in the range, not theirs), different
(which field) and duplicate lines. Lines that cannot be read are named and count as differences.
Without --from and --to the range is that of the transactions that both have. A list without any
rejected line is taken to leave refusals out; one without rollbacks, to show them as rolled_back.
A rejected line that we have not is fine: some refusals leave no record. So is a rolled back bet
that never came, if its rollback did.

${TIME_HELP}
Exits with 2 when there are differences: the first 20 of each sort are shown, all with --csv or
--json.

Examples:
  npm run kassa -- report reconcile-provider january.csv --provider studio
  npm run kassa -- report reconcile-provider day.csv --provider studio --operator casino \\
    --from 2026-01-31 --to 2026-02-01 --csv > differences.csv
  npm run kassa -- report reconcile-provider cents.csv --provider studio --minor --delimiter ';'`;

const SHOWN_PER_SORT = 20;
const COLUMNS = [
  ...['sort', 'round', 'line', 'operator', 'player', 'transactionId', 'kind', 'field'],
  ...['theirs', 'ours'],
] as const;
const HEAD = ['round', 'line', 'transaction', 'kind', 'player', 'field', 'theirs', 'ours'];

/** Adds the command. */
export function addReconcileProvider(group: Command, { invocation, finish }: CommandCall): void {
  group
    .command('reconcile-provider')
    .argument('<file>', "the provider's list, CSV")
    .description("Compares a provider's own list of transactions with the journal.")
    .requiredOption('--provider <name>', 'whose list it is')
    .option('--operator <name>', 'only transactions of this operator')
    .option('--from <time>', 'first moment of the range in which ours have to be listed', parseTime)
    .option('--to <time>', 'end of the range, not included', parseTime)
    .option('--minor', 'amounts are in minor units')
    .option('--delimiter <character>', 'between columns', parseDelimiter, ',')
    .addOption(new Option('--csv', 'print all differences as CSV').conflicts('json'))
    .option('--json', 'print all differences as JSON')
    .addHelpText('after', HELP)
    .action(async (file: string, options: ProviderArguments) => {
      finish(await runProvider(invocation, file, options));
    });
}

async function runProvider(
  invocation: Invocation,
  file: string,
  options: ProviderArguments,
): Promise<number> {
  const range = rangeOf(options);
  const configuration = readConfiguration(invocation.environment);
  const progress = openProgress(invocation, { title: 'list', unit: 'lines' });
  const list = await openList(file);
  try {
    return await withReportClient({ invocation, configuration }, (client) =>
      reconcileProvider(
        {
          ...{ client, list, range, provider: options.provider, operator: options.operator },
          ...{ isMinor: options.minor === true, delimiter: options.delimiter },
          onProgress: (lineCount) => progress.update(lineCount, lineCount),
        },
        async (summary, differences) => {
          progress.stop();
          await printResult(invocation, { options, summary, differences });
          const { missing, extra, different, duplicate } = summary.counts;
          const count = missing + extra + different + duplicate + summary.badLineCount;
          return count === 0 ? CommandExit.fine : CommandExit.differences;
        },
      ),
    );
  } finally {
    progress.stop();
    list.destroy();
  }
}

interface ProviderResult {
  readonly options: ProviderArguments;
  readonly summary: ProviderSummary;
  readonly differences: AsyncIterable<ProviderDifference>;
}

async function printResult(invocation: Invocation, result: ProviderResult): Promise<void> {
  const { options, summary } = result;
  if (options.json === true) await printJson(invocation, result);
  else if (options.csv === true) await printCsv(invocation, result);
  else await printTables(invocation, result);
  if (options.json === true) return;
  const stream = options.csv === true ? invocation.errorOutput : invocation.output;
  await print(invocation, stream, summaryText(summary));
}

/** One object; its rounds are written one by one, so a million differences take no memory. */
async function printJson(invocation: Invocation, result: ProviderResult): Promise<void> {
  const { output } = invocation;
  const summary = JSON.stringify(result.summary, null, 2);
  await print(invocation, output, `${summary.slice(0, -2)},\n  "rounds": [`);
  let isFirst = true;
  for await (const { round, rows } of byRound(result.differences)) {
    const text = JSON.stringify({ round, differences: rows });
    await print(invocation, output, `${isFirst ? '' : ','}\n    ${text}`);
    isFirst = false;
  }
  await print(invocation, output, `${isFirst ? '' : '\n  '}]\n}\n`);
}

async function printCsv(invocation: Invocation, { differences }: ProviderResult): Promise<void> {
  const columns = [...COLUMNS];
  await print(invocation, invocation.output, stringify([], { header: true, columns }));
  for await (const { rows } of byRound(differences)) {
    await print(invocation, invocation.output, stringify([...rows], { columns }));
  }
}

async function printTables(
  invocation: Invocation,
  { summary, differences }: ProviderResult,
): Promise<void> {
  const shown = new Map<string, ProviderDifference[]>();
  for await (const difference of differences) {
    const rows = shown.get(difference.sort) ?? [];
    if (rows.length < SHOWN_PER_SORT) rows.push(difference);
    shown.set(difference.sort, rows);
  }
  for (const [sort, rows] of shown) {
    const count = summary.counts[rows[0].sort];
    const more = count > rows.length ? `, the first ${rows.length} of ${grouped(count)}` : '';
    const cells = rows.map((row, place) => [
      ...[row.round === rows[place - 1]?.round ? '' : (row.round ?? '–'), String(row.line ?? '–')],
      ...[row.transactionId, row.kind, row.player ?? '–', row.field ?? '–'],
      ...[row.theirs ?? '–', row.ours ?? '–'],
    ]);
    await print(invocation, invocation.output, `${sort}${more}:\n${tableText(HEAD, cells)}`);
  }
}

/** Rows come in the order of their rounds; a round's rows are held together. */
async function* byRound(
  differences: AsyncIterable<ProviderDifference>,
): AsyncGenerator<{ readonly round: string | null; readonly rows: readonly ProviderDifference[] }> {
  let rows: ProviderDifference[] = [];
  for await (const difference of differences) {
    const isSame = rows.length === 0 || rows[0].round === difference.round;
    // Those without a round may be all: they are handed out in portions.
    if (!isSame || rows.length === 1_000) {
      yield { round: rows[0].round, rows };
      rows = [];
    }
    rows.push(difference);
  }
  if (rows.length > 0) yield { round: rows[0].round, rows };
}

function summaryText(summary: ProviderSummary): string {
  const { badLines, badLineCount, counts } = summary;
  const bad = badLines
    .slice(0, SHOWN_PER_SORT)
    .map(({ line, problem }) => `line ${line}: ${problem}\n`)
    .join('');
  const badText =
    badLineCount === 0 ? '' : `${grouped(badLineCount)} lines cannot be read:\n${bad}`;
  const range =
    summary.from === null ? 'no range' : `extra ones from ${summary.from} to before ${summary.to}`;
  const journal =
    summary.journalFrom === 0
      ? ''
      : `The journal begins behind position ${summary.journalFrom}: older ones look missing.\n`;
  return (
    `${badText}${journal}${grouped(summary.lineCount)} lines: ` +
    `${grouped(summary.matchedCount)} matched, ${grouped(summary.unrecordedCount)} leave no ` +
    `record, ${grouped(counts.missing)} missing, ${grouped(counts.extra)} extra, ` +
    `${grouped(counts.different)} fields differ, ${grouped(counts.duplicate)} listed again ` +
    `(${range}).\nTrue ${positionText(summary.position, summary.recordedAt)}.\n`
  );
}

function rangeOf({ from, to }: ProviderArguments): TimeRange | undefined {
  if (from === undefined && to === undefined) return undefined;
  if (from !== undefined && to !== undefined) return timeRange(from, to);
  throw new UsageError(
    'Cannot compare a range with one end because both are needed: give --from and --to, or none.',
  );
}

async function openList(file: string): Promise<ReadStream> {
  const refuse = (reason: string): UsageError =>
    new UsageError(`Cannot compare the list because it cannot be read: ${reason}.`);
  let handle: FileHandle;
  try {
    handle = await open(file);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  if (!(await handle.stat()).isDirectory()) return handle.createReadStream();
  await handle.close();
  throw refuse(`${file} is a folder`);
}

function parseDelimiter(text: string): string {
  if (text.length === 1 && !/[\w."\n\r]/.test(text)) return text;
  if (text === '\\t' || text === 'tab') return '\t';
  throw new InvalidArgumentError('Give one character such as , or ; (tab for a tabulator).');
}

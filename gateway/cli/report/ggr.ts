// `kassa report ggr`: gross gaming revenue of a range of time by operator and currency.
import { type Command, Option } from 'commander';
import { stringify } from 'csv-stringify/sync';
import { formatDecimalAmount } from '../../../persist/reconciliation/decimal-amount.ts';
import {
  type GgrReport,
  type GgrRow,
  ggrMinor,
  readGgr,
  rtpBasisPoints,
} from '../../../persist/reporting/ggr.ts';
import { readConfiguration } from '../../configuration-source.ts';
import { type CommandCall, type Invocation, print, UsageError } from '../invocation.ts';
import { withReportClient } from './database.ts';
import { positionText, tableText } from './result-text.ts';
import { parseTime, TIME_HELP, timeRange } from './time-range.ts';

interface GgrArguments {
  readonly from: Date;
  readonly to: Date;
  readonly operator?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

const HELP = `
${TIME_HELP} Turnover is kept by the minute, so
both have to be whole minutes. Amounts are in major units, cash and bonus together. GGR is bets less
wins, each without what was rolled back; a rollback counts in the minute in which it came. RTP is
wins of bets in percent, on the same terms.

Examples:
  npm run kassa -- report ggr --from 2026-01-01 --to 2026-02-01
  npm run kassa -- report ggr --from 2026-01-31T18:00 --to 2026-01-31T19:00 --operator casino
  npm run kassa -- report ggr --from 2026-01-01 --to 2026-02-01 --csv > january.csv`;

const MINUTE_MS = 60_000;

const COLUMNS = [
  ...['operator', 'currency', 'bets', 'rolledBackBets', 'wins', 'rolledBackWins', 'ggr', 'rtp'],
] as const;
const HEAD = [
  ...['operator', 'currency', 'bets', 'rolled-back bets', 'wins', 'rolled-back wins', 'GGR'],
  'RTP %',
];
const FIRST_NUMBER_COLUMN = 2;

/** Adds the command. */
export function addGgr(group: Command, { invocation }: CommandCall): void {
  group
    .command('ggr')
    .description('Sums bets, wins and gross gaming revenue by operator and currency.')
    .requiredOption('--from <time>', 'first moment of the range', parseTime)
    .requiredOption('--to <time>', 'end of the range, not included', parseTime)
    .option('--operator <name>', 'only this operator')
    .addOption(new Option('--csv', 'print CSV').conflicts('json'))
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action((options: GgrArguments) => printGgr(invocation, options));
}

async function printGgr(invocation: Invocation, options: GgrArguments): Promise<void> {
  const { from, to } = timeRange(options.from, options.to);
  for (const time of [from, to]) {
    if (time.getTime() % MINUTE_MS === 0) continue;
    throw new UsageError(
      `Cannot sum a part of a minute because turnover is kept by the minute: ` +
        `${time.toISOString()}. Give whole minutes.`,
    );
  }
  const configuration = readConfiguration(invocation.environment);
  const report = await withReportClient({ invocation, configuration }, (client) =>
    readGgr({ client, from, to, operator: options.operator }),
  );
  const { output, errorOutput } = invocation;
  const recordedAt = report.recordedAt?.toISOString() ?? null;
  const truth = `True ${positionText(report.position, recordedAt)}.\n`;
  if (options.json === true) {
    const range = { from: from.toISOString(), to: to.toISOString() };
    const rows = report.rows.map(fieldsOf);
    const result = { position: report.position, recordedAt, ...range, rows };
    await print(invocation, output, `${JSON.stringify(result, null, 2)}\n`);
  } else if (options.csv === true) {
    const rows = report.rows.map(fieldsOf);
    await print(invocation, output, stringify(rows, { header: true, columns: [...COLUMNS] }));
    await print(invocation, errorOutput, truth);
  } else {
    await print(invocation, output, ggrTable(report) + truth);
  }
}

function ggrTable({ rows }: GgrReport): string {
  if (rows.length === 0) return 'No bets or wins in this range.\n';
  const cells = rows.map((row) => {
    const fields = fieldsOf(row);
    return COLUMNS.map((column) => fields[column] ?? '–');
  });
  return tableText(HEAD, cells, FIRST_NUMBER_COLUMN);
}

/** Amounts in major units; RTP in percent with two decimals, null without bets. */
function fieldsOf(row: GgrRow): Readonly<Record<(typeof COLUMNS)[number], string | null>> {
  const amount = (minor: bigint): string => formatDecimalAmount(minor, row.exponent);
  const rtp = rtpBasisPoints(row);
  return {
    operator: row.operator,
    currency: row.currency,
    bets: amount(row.betsMinor),
    rolledBackBets: amount(row.rolledBackBetsMinor),
    wins: amount(row.winsMinor),
    rolledBackWins: amount(row.rolledBackWinsMinor),
    ggr: amount(ggrMinor(row)),
    rtp: rtp === undefined ? null : formatDecimalAmount(rtp, 2),
  };
}

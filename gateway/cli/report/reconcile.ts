// `kassa report reconcile`: compares Postgres with the log at one position.
import type { Command } from 'commander';
import {
  type ReconcileProgress,
  type Reconciliation,
  reconcile,
} from '../../../persist/reconciliation/reconcile.ts';
import { readConfiguration } from '../../configuration-source.ts';
import { type CommandCall, CommandExit, type Invocation, print } from '../invocation.ts';
import { openProgress } from '../progress.ts';
import { withReportClient } from './database.ts';
import { grouped, positionText, tableText } from './result-text.ts';
import { requireDataFolder } from './used-folder.ts';

const HELP = `
Reads the log from its start to the position that Postgres has reached, and compares every balance,
owner and status, the turnover by day, operator, currency and kind, the journal's counts and sums by
day and kind, the system accounts, and that all of it adds up to zero. Server and reporter may run
meanwhile; nothing is changed. Takes memory for every account (50 bytes each).

Exits with 2 when there are differences: the first 20 of each sort are shown, all with --json.

Examples:
  npm run kassa -- report reconcile
  npm run kassa -- report reconcile --json > differences.json
  KASSA_POSTGRES_URL=postgres://reader@reports/kassa npm run kassa -- report reconcile`;

const SHOWN_PER_SORT = 20;

/** What --json keeps of each sort: a bound on memory, not on what is counted. */
const KEPT_PER_SORT = 1_000_000;

/** Adds the command. */
export function addReconcile(group: Command, { invocation, finish }: CommandCall): void {
  group
    .command('reconcile')
    .description('Compares the reports with the log at one position.')
    .option('--json', 'print one JSON object with all differences')
    .addHelpText('after', HELP)
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      finish(await runReconcile(invocation, json));
    });
}

async function runReconcile(invocation: Invocation, isJson: boolean): Promise<number> {
  const configuration = readConfiguration(invocation.environment);
  const { dataFolder } = configuration;
  requireDataFolder(dataFolder);
  const progress = openSteps(invocation);
  let result: Reconciliation;
  try {
    result = await withReportClient({ invocation, configuration }, (client) =>
      reconcile({
        ...{ client, dataFolder, signal: invocation.signal },
        keptPerSortMax: isJson ? KEPT_PER_SORT : SHOWN_PER_SORT,
        onProgress: progress.update,
      }),
    );
  } finally {
    progress.stop();
  }
  const text = isJson ? `${JSON.stringify(result, null, 2)}\n` : resultText(result);
  await print(invocation, invocation.output, text);
  return result.differenceCount === 0 ? CommandExit.fine : CommandExit.differences;
}

/** A bar for the records, then one for the accounts. */
function openSteps(invocation: Invocation): {
  readonly update: (progress: ReconcileProgress) => void;
  readonly stop: () => void;
} {
  const bars = {
    records: openProgress(invocation, { title: 'log     ', unit: 'records' }),
    accounts: openProgress(invocation, { title: 'balances', unit: 'accounts' }),
  };
  const stop = (): void => {
    bars.records.stop();
    bars.accounts.stop();
  };
  const update = ({ step, doneCount, totalCount }: ReconcileProgress): void => {
    if (step !== 'records') bars.records.stop();
    if (step === 'sums') stop();
    else bars[step].update(doneCount, totalCount);
  };
  return { update, stop };
}

function resultText(result: Reconciliation): string {
  const { recordCount, accountCount, notes, differenceCount } = result;
  const place = positionText(result.position, result.recordedAt);
  const compared = `${grouped(recordCount)} records, ${grouped(accountCount)} accounts`;
  const verdict =
    differenceCount === 0
      ? `Postgres agrees with the log ${place}: ${compared}.\n`
      : `Postgres differs from the log ${place} in ${grouped(differenceCount)} values; ` +
        `compared: ${compared}.\n`;
  return tablesText(result) + notes.map((note) => `${note}\n`).join('') + verdict;
}

function tablesText({ differences, differenceCounts }: Reconciliation): string {
  let text = '';
  for (const [sort, count] of Object.entries(differenceCounts)) {
    const shown = differences.filter((difference) => difference.sort === sort);
    const rows = shown.map(({ subject, field, log, postgres }) => [subject, field, log, postgres]);
    const more = count > shown.length ? `, the first ${shown.length} of ${grouped(count)}` : '';
    text += `${sort}${more}:\n`;
    text += tableText(['what', 'field', 'log', 'Postgres'], rows);
  }
  return text;
}

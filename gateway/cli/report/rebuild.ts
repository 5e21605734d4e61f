// `kassa report rebuild`: drops the schema and writes it again from the log. Beside a running
// server only the first half is done here: the server's own reporter finds its tables gone, makes
// them and begins with the log's first block.
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { countBlocks } from '../../../persist/block-count.ts';
import { findRunningCluster } from '../../../persist/postgres/find-cluster.ts';
import { reportToEnd } from '../../../persist/reporting/report-to-end.ts';
import type { Configuration } from '../../configuration.ts';
import { readConfiguration } from '../../configuration-source.ts';
import { type CommandCall, type Invocation, print, UsageError } from '../invocation.ts';
import { openProgress } from '../progress.ts';
import {
  ownServer,
  PostgresError,
  type ReportDatabase,
  useClient,
  withEmbedded,
  withReportClient,
} from './database.ts';
import { dropSchema, waitForPosition } from './rebuild-steps.ts';
import { grouped } from './result-text.ts';
import { requireDataFolder, tryLockFolder } from './used-folder.ts';

const HELP = `
Drops the schema "kassa" in Postgres with all it holds, days taken out of the journal included, and
writes it again from the log. Balances of past moments are kept again only as far as the log's times
allow. Reports have nothing to show until it is done. The log itself is not touched.

While the server runs, its own reporter writes the schema again, with the server's settings, and
this command shows how far it is; transactions go on. While it does not, this command does it, with
KASSA_REPORTING_JOURNAL as it is set here.

Examples:
  npm run kassa -- report rebuild
  npm run kassa -- report rebuild --yes`;

/** Adds the command. */
export function addRebuild(group: Command, { invocation }: CommandCall): void {
  group
    .command('rebuild')
    .description('Drops the reports and writes them again from the log.')
    .option('--yes', 'do not ask')
    .addHelpText('after', HELP)
    .action(({ yes = false }: { readonly yes?: boolean }) => runRebuild(invocation, yes));
}

interface Rebuild {
  readonly invocation: Invocation;
  readonly configuration: Configuration;
}

async function runRebuild(invocation: Invocation, isSure: boolean): Promise<void> {
  const configuration = readConfiguration(invocation.environment);
  const { dataFolder, postgresUrl } = configuration;
  requireDataFolder(dataFolder);
  if (!isSure) await confirm(invocation, configuration);
  const rebuild = { invocation, configuration };
  const lock = tryLockFolder(dataFolder);
  if (lock === undefined) {
    await rebuildBesideServer(rebuild);
    return;
  }
  try {
    if (postgresUrl !== undefined) await rebuildHere(rebuild, ownServer(postgresUrl));
    else await withEmbedded(rebuild, (database) => rebuildHere(rebuild, database));
  } finally {
    lock.release();
  }
}

/** Refuses without a terminal: a job that is scheduled by mistake must not drop anything. */
async function confirm(invocation: Invocation, configuration: Configuration): Promise<void> {
  const { input, errorOutput, signal } = invocation;
  if (input.isTTY !== true || errorOutput.isTTY !== true) {
    throw new UsageError(
      'Cannot ask whether to drop the reports because this is no terminal. Give --yes to go on.',
    );
  }
  const { postgresUrl, dataFolder } = configuration;
  const place =
    postgresUrl === undefined
      ? `the embedded Postgres of ${dataFolder}`
      : ownServer(postgresUrl).place;
  const questions = createInterface({ input, output: errorOutput });
  try {
    const answer = await questions.question(
      `This drops the schema "kassa" in ${place} and writes it again from the log, which may ` +
        'take long. Reports are empty until then. Go on? [y/N] ',
      { signal },
    );
    if (/^y(es)?$/i.test(answer.trim())) return;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    questions.close();
  }
  throw new UsageError('Cannot go on without a yes: nothing was changed.');
}

async function rebuildBesideServer({ invocation, configuration }: Rebuild): Promise<void> {
  const { dataFolder, postgresUrl } = configuration;
  if (postgresUrl === undefined && findRunningCluster(dataFolder) === undefined) {
    throw new PostgresError(
      `Cannot rebuild because the server that holds ${dataFolder} runs no Postgres: ` +
        'KASSA_REPORTING is off, or it is still starting. Nothing was changed. Stop the server ' +
        'and run this again.',
    );
  }
  const target = countBlocks(dataFolder, true);
  const progress = openProgress(invocation, { title: 'rebuild', unit: 'blocks' });
  try {
    await withReportClient({ invocation, configuration }, async (client) => {
      await dropSchema(client);
      await waitForPosition(client, {
        target,
        signal: invocation.signal,
        onProgress: (position) => progress.update(Math.min(position, target), target),
      });
    });
  } finally {
    progress.stop();
  }
  await printDone(invocation, target);
}

async function rebuildHere(rebuild: Rebuild, database: ReportDatabase): Promise<void> {
  const { invocation, configuration } = rebuild;
  const { dataFolder, journal, snapshotIntervalMs, segmentBytes } = configuration;
  const { connection } = database;
  await useClient(rebuild, database, dropSchema);
  const progress = openProgress(invocation, { title: 'rebuild', unit: 'blocks' });
  let reached = 0;
  try {
    await reportToEnd({
      ...{ dataFolder, connection, journal, snapshotIntervalMs, segmentBytesMax: segmentBytes },
      signal: invocation.signal,
      onProgress: ({ position, logPosition }) => {
        reached = position;
        progress.update(position, logPosition);
      },
    });
    // It ends without an error when it is stopped: what it has written stays, and can be gone on.
    invocation.signal.throwIfAborted();
  } finally {
    progress.stop();
  }
  await printDone(invocation, reached);
}

async function printDone(invocation: Invocation, position: number): Promise<void> {
  const text = `The reports are rebuilt up to position ${grouped(position)}.\n`;
  await print(invocation, invocation.output, text);
}

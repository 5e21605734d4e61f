// The group `kassa report`: what looks after the reports in Postgres.
import type { Command } from 'commander';
import type { CommandCall } from '../invocation.ts';
import { addGgr } from './ggr.ts';
import { addRebuild } from './rebuild.ts';
import { addReconcile } from './reconcile.ts';
import { addReconcileProvider } from './reconcile-provider.ts';

const HELP = `
Reports are read from KASSA_POSTGRES_URL; without it from the embedded Postgres of the data folder
KASSA_DATA, which is started for the time of the command unless the server runs it.

Examples:
  npm run kassa -- report reconcile --json
  npm run kassa -- report rebuild --yes
  npm run kassa -- report ggr --from 2026-01-01 --to 2026-02-01 --csv
  npm run kassa -- report reconcile-provider january.csv --provider studio`;

/** Adds the group. */
export function addReportGroup(program: Command, call: CommandCall): void {
  const group = program
    .command('report')
    .description('Reports in Postgres: compares them with the log, rebuilds them, sums them up.')
    .addHelpText('after', HELP);
  addReconcile(group, call);
  addRebuild(group, call);
  addGgr(group, call);
  addReconcileProvider(group, call);
}

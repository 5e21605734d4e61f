// The command line `npm run kassa -- …`: its groups, its help, its errors and exit codes. A group
// of commands is one folder; its file adds it to the program and has to be named in GROUPS.
import { Command, CommanderError } from 'commander';
import { UnknownNameError } from '../../persist/reporting/ggr.ts';
import { ConfigurationError } from '../configuration-source.ts';
import { readManifest, refuseNode } from '../supervision/pinned-node.ts';
import {
  type CommandCall,
  CommandExit,
  InterruptedError,
  type Invocation,
  UsageError,
} from './invocation.ts';
import { addReportGroup } from './report/report-group.ts';

/** Adds commands to the program. */
type CommandGroup = (program: Command, call: CommandCall) => void;

const GROUPS: readonly CommandGroup[] = [addReportGroup];

const EXAMPLES = `
Examples:
  npm run kassa -- report reconcile
  npm run kassa -- report ggr --from 2026-01-01 --to 2026-02-01
  npm run kassa -- report --help`;

const EXIT_CODES = `
Exit codes: 0 fine; 2 a comparison found differences; 10 wrong usage or settings; 1 anything else;
128 and more: stopped by a signal.

Settings are the server's: KASSA_DATA, KASSA_POSTGRES_URL and so on, from the environment or the
file named by KASSA_CONFIG; npm start -- --help lists them.`;

/** Runs one call to its end; returns the exit code. Never throws. */
export async function runCommandLine(invocation: Invocation): Promise<number> {
  let exitCode: number = CommandExit.fine;
  const finish = (code: number): void => {
    exitCode = code;
  };
  try {
    const { version, pinnedNode } = readManifest();
    const refusal = refuseNode(process.version, pinnedNode);
    if (refusal !== '') throw new Error(refusal);
    const program = makeProgram(version, { invocation, finish });
    await program.parseAsync([...invocation.arguments], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version are no failures; their text and that of a wrong usage is out already.
      return error.exitCode === 0 ? CommandExit.fine : CommandExit.usage;
    }
    invocation.errorOutput.write(`${describe(error)}\n`);
    return exitCodeOf(error);
  }
}

function makeProgram(version: string, call: CommandCall): Command {
  const { output, errorOutput } = call.invocation;
  const program = new Command('kassa')
    .usage('<group> <command> [options]')
    .description('Looks after the data of Kassa, beside the running server or without it.')
    .version(version)
    .addHelpText('after', EXAMPLES)
    .addHelpText('afterAll', EXIT_CODES)
    .exitOverride()
    .configureHelp({ helpWidth: 100, showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => output.write(text),
      writeErr: (text) => errorOutput.write(text),
    });
  // Set before: a command takes over how its parent exits and prints when it is added.
  for (const add of GROUPS) add(program, call);
  return program;
}

/** Errors that are meant for a person begin as style demands; others carry their stack. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigurationError) return error.message;
  if (error instanceof InterruptedError || error.message.startsWith('Cannot ')) {
    return error.message;
  }
  return error.stack ?? error.message;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof InterruptedError) return error.exitCode;
  const isUsage =
    error instanceof UsageError ||
    error instanceof ConfigurationError ||
    error instanceof UnknownNameError;
  return isUsage ? CommandExit.usage : CommandExit.failed;
}

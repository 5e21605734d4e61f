// The process: arguments, configuration, signals, what a person reads, and the exit. Everything
// else is in server.ts. Standard output carries only the text for a person; the log goes to
// standard error.
import { ExitCode } from '../persist/exit-codes.ts';
import type { Configuration } from './configuration.ts';
import {
  ConfigurationError,
  configurationHelp,
  readConfiguration,
} from './configuration-source.ts';
import { clientAddress, demoText } from './demo/demo-text.ts';
import { type RunningServer, startServer } from './server.ts';
import { readManifest } from './supervision/pinned-node.ts';
import type { ServerEnd } from './supervision/supervisor.ts';

// Ctrl-C reaches the process twice, from the terminal and from `npm start` which hands it on:
// signals this close together are one. A later one ends the process at once.
const SAME_SIGNAL_MS = 500;

const cancel = new AbortController();
let running: RunningServer | undefined;
let firstSignalAtMs = 0;

const [argument, ...others] = process.argv.slice(2);
if (argument === undefined) await serve();
else if (argument === '--help' && others.length === 0) process.stdout.write(configurationHelp());
else if (argument === '--version' && others.length === 0) {
  process.stdout.write(`${readManifest().version}\n`);
} else refuseStart(`Cannot start because only --help and --version may be given: ${argument}`);

async function serve(): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
  process.on('uncaughtException', onUnexpected);
  process.on('unhandledRejection', onUnexpected);
  try {
    const configuration = readConfiguration(process.env);
    running = await startServer(configuration, { cancel: cancel.signal });
    void running.exited.then(endProcess);
    if (cancel.signal.aborted) await running.stop();
    else printStart(configuration, running);
  } catch (error) {
    refuseStart(error);
  }
}

function printStart({ host }: Configuration, { demo, port }: RunningServer): void {
  const address = clientAddress(host, port);
  process.stdout.write(
    demo === undefined ? `\nKassa listens on http://${address}.\n\n` : demoText(demo, address),
  );
}

function onSignal(): void {
  const nowMs = performance.now();
  if (firstSignalAtMs === 0) {
    firstSignalAtMs = nowMs;
    cancel.abort();
    void running?.stop();
  } else if (nowMs - firstSignalAtMs > SAME_SIGNAL_MS) killProcess();
}

function onUnexpected(error: unknown): void {
  if (running === undefined) refuseStart(error);
  else running.fail('main', error);
}

function endProcess({ exitCode, isHung }: ServerEnd): void {
  if (isHung) killProcess();
  else process.exit(exitCode);
}

/** A start that was not possible: the reason in words for the person, the code for a supervisor. */
function refuseStart(error: unknown): void {
  const exitCode = exitCodeOf(error);
  if (exitCode !== ExitCode.clean) {
    const isExpected = !(error instanceof Error) || 'exitCode' in error || 'problems' in error;
    const text = error instanceof Error ? (isExpected ? error.message : error.stack) : error;
    process.stderr.write(`${String(text)}\n`);
  }
  process.exit(exitCode);
}

function exitCodeOf(error: unknown): number {
  if (typeof error === 'string' || error instanceof ConfigurationError)
    return ExitCode.configuration;
  const exitCode: unknown = error instanceof Error ? Reflect.get(error, 'exitCode') : undefined;
  return typeof exitCode === 'number' ? exitCode : ExitCode.unexpected;
}

/** An exit in the middle of work would run clean-up of lmdb and sockets; SIGKILL asks nobody. */
function killProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}

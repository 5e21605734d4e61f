// The command line's process: arguments, signals, exit. Everything else is in program.ts.
// `npm run kassa -- --help` shows what there is.
import { constants } from 'node:os';
import { flushed, InterruptedError } from './invocation.ts';
import { runCommandLine } from './program.ts';

// Ctrl-C reaches the process twice, from the terminal and from `npm run` which hands it on: signals
// this close together are one. A later one ends the process at once.
const SAME_SIGNAL_MS = 500;

/** What is still open after the end of a command may take this long. */
const LEFTOVERS_MS = 2_000;

const cancel = new AbortController();
let firstSignalAtMs = 0;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => onSignal(signal));
}
// A reader that has seen enough (`| head`) ends the command as it would end any other program.
process.stdout.on('error', () => interrupt('SIGPIPE'));
process.stderr.on('error', () => interrupt('SIGPIPE'));

process.exitCode = await runCommandLine({
  arguments: process.argv.slice(2),
  environment: process.env,
  input: process.stdin,
  output: process.stdout,
  errorOutput: process.stderr,
  signal: cancel.signal,
});
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
setTimeout(() => process.exit(), LEFTOVERS_MS).unref();

function onSignal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
  const nowMs = performance.now();
  if (firstSignalAtMs === 0) {
    firstSignalAtMs = nowMs;
    interrupt(signal);
  } else if (nowMs - firstSignalAtMs > SAME_SIGNAL_MS) {
    // An orderly exit could hang on what the first signal was meant to end.
    process.kill(process.pid, 'SIGKILL');
  }
}

function interrupt(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE'): void {
  cancel.abort(new InterruptedError(signal, constants.signals[signal]));
}

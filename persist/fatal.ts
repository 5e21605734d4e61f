// The way out when going on would be a guess (design law 7). Any thread may call it. It does not
// end the process: it tells the reason, then every thread that watches the stop signal ends, and
// main exits with the code. A crash in between leaves the message, or nothing but the exit.
import { writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { ExitCodeValue } from './exit-codes.ts';
import { isStopping, raiseStop } from './stop-signal.ts';

const STANDARD_ERROR = 2;

/** A reason to stop and where to tell it. */
export interface FatalReason {
  readonly code: ExitCodeValue;
  /** Which thread and what it did, for example "log writer: commit of block 12". */
  readonly where: string;
  readonly error: unknown;
  readonly dataFolder: string;
  readonly stop: SharedArrayBuffer;
}

/**
 * Writes the reason to standard error and `last-error` in the data folder, at once and without
 * waiting for anything, then raises the stop signal. The caller does nothing more but end.
 */
export function stopProcess(reason: FatalReason): void {
  const text =
    `${new Date().toISOString()} stopped with exit code ${reason.code}: ` +
    `${reason.where}: ${describe(reason.error)}\n`;
  writeToStandardError(text);
  // The first reason is the cause; what follows from it goes to standard error only.
  if (!isStopping(reason.stop)) {
    try {
      writeFileSync(join(reason.dataFolder, 'last-error'), text, { mode: 0o600 });
    } catch (error) {
      writeToStandardError(`last-error could not be written: ${describe(error)}\n`);
    }
  }
  raiseStop(reason.stop, reason.code);
}

function writeToStandardError(text: string): void {
  try {
    writeSync(STANDARD_ERROR, text);
  } catch (error) {
    // A full or closed pipe: the file and the exit code still tell. Node prints the rest if it can.
    process.emitWarning(`standard error cannot be written: ${String(error)}`);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

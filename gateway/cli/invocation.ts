// What a command of the command line works with: where it reads and writes, and what ends it
// early. Handed in, so that tests run commands without a process of their own.
import { finished } from 'node:stream';
import type { Environment } from '../configuration-source.ts';

/** One call of the command line. */
export interface Invocation {
  readonly arguments: readonly string[];
  readonly environment: Environment;
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
  /** Progress and errors; progress only where it is a terminal. */
  readonly errorOutput: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Aborted with an InterruptedError: stop, close everything, change nothing more. */
  readonly signal: AbortSignal;
}

/** What a command's action is given by the program. */
export interface CommandCall {
  readonly invocation: Invocation;
  /** Sets the exit code: `differences`, or `fine`, which is set already. */
  finish(exitCode: number): void;
}

/** The exit codes of the command line; every help text lists them. */
export const CommandExit = { fine: 0, failed: 1, differences: 2, usage: 10 } as const;

/** The person asked for what cannot be done as asked; the exit code is `usage`. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command was ended from outside; the exit code is 128 and the signal's number. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly exitCode: number;

  constructor(signal: string, signalNumber: number) {
    super(`Stopped by ${signal}.`);
    this.exitCode = 128 + signalNumber;
  }
}

/** Writes text; resolves when there is room for more. Rejects when the command is ended. */
export async function print(
  { signal }: Pick<Invocation, 'signal'>,
  stream: NodeJS.WritableStream,
  text: string,
): Promise<void> {
  signal.throwIfAborted();
  if (stream.write(text)) return;
  await untilAborted(signal, new Promise<void>((resolve) => stream.once('drain', resolve)));
}

/** Settles as the promise does, but rejects with the signal's reason as soon as it is aborted. */
export async function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const onAbort = (): void => ended.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, ended.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Resolves when all that was written to the stream has left it, or the stream is gone. */
export async function flushed(stream: NodeJS.WritableStream): Promise<void> {
  if (!stream.writable) return;
  await new Promise<void>((resolve) => {
    const stop = finished(stream, () => resolve());
    stream.write('', () => {
      stop();
      resolve();
    });
  });
}

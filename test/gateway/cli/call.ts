// Runs the command line in the test's process and keeps what it prints. Used by tests only.
import { PassThrough, Writable } from 'node:stream';
import type { Invocation } from '../../../gateway/cli/invocation.ts';
import { runCommandLine } from '../../../gateway/cli/program.ts';

/** What a call printed and ended with. */
export interface CallResult {
  readonly exitCode: number;
  readonly output: string;
  readonly errorOutput: string;
}

/** How a call differs from one without settings in a scheduled job. */
export interface CallSettings {
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** A terminal, on which this is typed. */
  readonly typed?: string;
}

/** Runs one call to its end. */
export async function call(
  arguments_: readonly string[],
  settings: CallSettings = {},
): Promise<CallResult> {
  const printed = { output: '', errorOutput: '' };
  const keep = (name: keyof typeof printed): Writable =>
    new Writable({
      write(chunk: unknown, _encoding, done) {
        printed[name] += String(chunk);
        done();
      },
    });
  const isTTY = settings.typed !== undefined;
  const input = new PassThrough();
  if (settings.typed !== undefined) input.write(settings.typed);
  const invocation: Invocation = {
    arguments: arguments_,
    environment: settings.environment ?? {},
    input: Object.assign(input, { isTTY }),
    output: keep('output'),
    errorOutput: Object.assign(keep('errorOutput'), { isTTY }),
    signal: settings.signal ?? new AbortController().signal,
  };
  const exitCode = await runCommandLine(invocation);
  return { exitCode, ...printed };
}

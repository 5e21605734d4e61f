// The reasons for which main itself refuses a start, before anything is served. The text is for the
// person who has to act on it.

/** A start that cannot be; `exitCode` is what the process ends with. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

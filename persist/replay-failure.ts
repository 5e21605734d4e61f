// An error on its way between two threads. Copying between threads keeps an error's message and
// loses its class and most of its fields, so it goes as plain data and is made anew on the other
// side: whoever catches it there sees what he would have seen in one thread.
import { InvariantError } from '../core/assert.ts';
import { ReplayError } from '../core/decisions/replay-error.ts';
import { type Damage, DamagedLogError, UnknownVersionError } from './log-errors.ts';

/** An error as plain data. */
export interface PlainFailure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly damage: Damage | null;
  readonly unknown: {
    readonly part: string;
    readonly known: number;
    readonly found: string;
  } | null;
  /** Fields of a system error: code, errno, syscall, path. */
  readonly fields: Readonly<Record<string, string | number>>;
  readonly cause: PlainFailure | null;
}

const FIELDS = ['code', 'errno', 'syscall', 'path', 'exitCode'];

/** The error as data that can be posted. */
export function packFailure(error: unknown): PlainFailure {
  const thrown = error instanceof Error ? error : new Error(String(error));
  const fields: Record<string, string | number> = {};
  for (const name of FIELDS) {
    const value: unknown = Reflect.get(thrown, name);
    if (typeof value === 'string' || typeof value === 'number') fields[name] = value;
  }
  return {
    name: thrown.name,
    message: thrown.message,
    stack: thrown.stack ?? '',
    damage: thrown instanceof DamagedLogError ? thrown.damage : null,
    unknown: thrown instanceof UnknownVersionError ? thrown.unknown : null,
    fields,
    cause: thrown.cause === undefined ? null : packFailure(thrown.cause),
  };
}

/** The error again: its class, where it is one that callers tell apart, message, fields, cause. */
export function unpackFailure(failure: PlainFailure): Error {
  const cause = failure.cause === null ? undefined : unpackFailure(failure.cause);
  const error = makeError(failure, cause);
  for (const [name, value] of Object.entries(failure.fields)) {
    if (!Object.hasOwn(error, name)) Reflect.set(error, name, value);
  }
  // Where it was thrown says more than where it was made anew.
  error.stack = failure.stack;
  return error;
}

function makeError(failure: PlainFailure, cause: Error | undefined): Error {
  const { name, message, damage, unknown } = failure;
  if (damage !== null) return new DamagedLogError(damage, cause);
  if (unknown !== null) return new UnknownVersionError(unknown.part, unknown);
  const options = cause === undefined ? undefined : { cause };
  if (name === 'ReplayError') return new ReplayError(message, options);
  if (name === 'InvariantError') return new InvariantError(message, options);
  if (name === 'RangeError') return new RangeError(message, options);
  if (name === 'TypeError') return new TypeError(message, options);
  const error = new Error(message, options);
  if (name !== 'Error') error.name = name;
  return error;
}

// Times and ranges of time as a person gives them on the command line. UTC unless an offset is
// given, since the log, its days and its minutes are UTC.
import { InvalidArgumentError } from 'commander';
import { UsageError } from '../invocation.ts';

/** From a moment to before another one. */
export interface TimeRange {
  readonly from: Date;
  readonly to: Date;
}

/** What the help says of times. */
export const TIME_HELP: string =
  'Times are UTC: 2026-01-31, 2026-01-31T18:30, or with an offset 2026-01-31T18:30+02:00. A\n' +
  'date is its first moment; --to itself is not included.';

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d))?(Z|[+-]\d\d:\d\d)?)?$/;

/** Reads a time; throws commander's InvalidArgumentError. */
export function parseTime(text: string): Date {
  const match = TIME.exec(text);
  if (match !== null) {
    const [, date, minutes = '00:00', seconds = '00', offset = 'Z'] = match;
    const time = new Date(`${date}T${minutes}:${seconds}${offset}`);
    // JavaScript takes February 30 for a day in March.
    const isDate = new Date(`${date}T00:00:00Z`).toJSON()?.startsWith(date) === true;
    if (isDate && !Number.isNaN(time.getTime())) return time;
  }
  throw new InvalidArgumentError('Give a date or time such as 2026-01-31 or 2026-01-31T18:30.');
}

/** The range of two times; throws a UsageError for an empty one. */
export function timeRange(from: Date, to: Date): TimeRange {
  if (from.getTime() < to.getTime()) return { from, to };
  throw new UsageError(
    `Cannot report on a range that ends before it begins: ${from.toISOString()} to ` +
      `${to.toISOString()}. --to is not included, so it has to be later than --from.`,
  );
}

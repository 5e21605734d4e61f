// The process's log: pino on standard error, so that standard output holds only what is meant for a
// person. JSON lines for machines; on a terminal the same lines in a form that reads well.
import { type DestinationStream, type Logger, pino } from 'pino';

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** The log at this level. Lines are written before the call returns: a crash loses none. */
export function openProcessLog(level: string, isTerminal: boolean): Logger {
  const standardError = pino.destination({ dest: 2, sync: true });
  const destination: DestinationStream = isTerminal
    ? { write: (line) => void standardError.write(readableLine(line)) }
    : standardError;
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** One JSON line as a person reads it: time, level, message, then the fields. */
export function readableLine(line: string): string {
  const { time, level, msg, ...fields } = Object.fromEntries(Object.entries(JSON.parse(line)));
  const clock = String(time).slice(11, 23);
  const fieldTexts = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`);
  const levelName = LEVEL_NAMES[Number(level)] ?? String(level);
  return `${[clock, levelName.padEnd(5), String(msg), ...fieldTexts].join(' ')}\n`;
}

function shown(value: unknown): string {
  return typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value);
}

// Turns an answer of kassa.v1 into the JSON that HTTP clients get. The answer is our own, so what
// does not fit is a programmer's error. Any thread; no state.
import { Unpackr } from 'msgpackr';
import { assert } from '../../core/assert.ts';
import { OutcomeFlag } from '../../core/outcome-columns.ts';
import { ResultCode, resultCodeName } from '../../core/result-codes.ts';
import { STATUS_NAMES } from '../wire/option-reader.ts';

/** An answer, read: a list with its position, or the refusal of the whole request. */
export interface ReadAnswer {
  readonly position: number;
  readonly elements: readonly unknown[];
  readonly refusal?: { readonly code: number; readonly text: string };
}

const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });

/** Reads one answer of type 1, 3, 4 or 9. */
export function readAnswer(answer: Uint8Array): ReadAnswer {
  const parts: unknown = unpackr.unpack(answer);
  assert(Array.isArray(parts), 'an answer is an array');
  const [type, , third, fourth] = parts;
  if (type === 9) {
    return { position: 0, elements: [], refusal: { code: Number(third), text: String(fourth) } };
  }
  return { position: Number(third), elements: Array.isArray(fourth) ? fourth : [] };
}

/** The result code of one element of an answer's list. */
export function codeOf(element: unknown): number {
  const code: unknown = Array.isArray(element) ? element[0] : element;
  assert(typeof code === 'number', 'an element is or begins with its code');
  return code;
}

/** One outcome by named fields; balances and the like only where the outcome is a record. */
export function jsonOutcome(element: unknown): Record<string, unknown> {
  const code = codeOf(element);
  const name = resultCodeName(code);
  if (!Array.isArray(element)) return { code, name, recorded: false };
  const [, flags, sequence, time, cash, bonus, held, cashMoved, bonusMoved, previous] = element;
  return {
    code,
    name,
    recorded: true,
    replay: (flags & OutcomeFlag.replay) !== 0,
    noop: (flags & OutcomeFlag.noop) !== 0,
    made: (flags & OutcomeFlag.made) !== 0,
    sequence,
    time,
    balances: { cash, bonus, held },
    moved: { cash: cashMoved, bonus: bonusMoved },
    ...(previous === undefined ? {} : { previousStatus: STATUS_NAMES[previous] }),
  };
}

/** The balances of one element of an answer to a read, which is no code. */
export function jsonBalance(element: unknown): Record<string, unknown> {
  assert(Array.isArray(element) && element[0] === ResultCode.ok, 'a balance was read');
  const [, cash, bonus, held, status] = element;
  return { status: STATUS_NAMES[status], balances: { cash, bonus, held } };
}

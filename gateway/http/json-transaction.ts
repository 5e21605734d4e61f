// Turns transactions of named JSON fields into the request frame that a WebSocket client would
// send, so that both are decoded, judged and answered by the same code. What has the wrong type
// goes into the frame as it is and is found there; here only names are judged. Any thread; no
// state.
import { Packr } from 'msgpackr';
import { kindNumber } from '../../core/kinds.ts';
import { OPTION_NAMES } from '../wire/option-reader.ts';
import { RequestType } from '../wire/request-head.ts';

/** A request made of a JSON body. */
export interface JsonRequest {
  readonly frame: Uint8Array;
  /** Whether the body was one transaction: it gets one outcome, and its status. */
  readonly isSingle: boolean;
}

const packr = new Packr({ useRecords: false, variableMapSize: true });

// Fields by their place in the positional array; those without a place are options.
const POSITIONS: ReadonlyMap<string, number> = new Map([
  ['kind', 0],
  ['transactionId', 1],
  ['player', 2],
  ['currency', 3],
  ['amount', 4],
  ['round', 5],
  ['reference', 7],
  ['game', 8],
  ['metadata', 9],
  ['sentAt', 10],
]);
const FLAG_BITS: ReadonlyMap<string, number> = new Map([
  ['roundEnd', 1],
  ['stakeless', 2],
]);
const OPTIONS: ReadonlySet<string> = new Set(OPTION_NAMES);
const ELEMENT_COUNT = 12;
const FLAGS_AT = 6;
const OPTIONS_AT = 11;
/** Stands for a value of a wrong type: no element of a transaction is true or false. */
const WRONG = true;

/** The request of a parsed body, or undefined when the body is no request. */
export function requestOfJson(body: unknown): JsonRequest | undefined {
  if (!isFields(body)) return undefined;
  const { transactions, atomic, ...rest } = body;
  if (transactions === undefined && atomic === undefined) {
    return { frame: packr.pack([RequestType.transactions, 0, [elementsOf(body)]]), isSingle: true };
  }
  const isBatch =
    Array.isArray(transactions) && [true, false, undefined].some((one) => one === atomic);
  if (!isBatch || Object.keys(rest).length > 0) return undefined;
  const type = atomic === true ? RequestType.atomicBatch : RequestType.transactions;
  return { frame: packr.pack([type, 0, transactions.map(elementsOf)]), isSingle: false };
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function elementsOf(transaction: unknown): unknown {
  if (!isFields(transaction)) return WRONG;
  const elements: unknown[] = new Array(ELEMENT_COUNT).fill(null);
  const options: Record<string, unknown> = {};
  let flags: number | boolean = 0;
  for (const [name, value] of Object.entries(transaction)) {
    if (value === null) continue;
    const position = POSITIONS.get(name);
    const bit = FLAG_BITS.get(name);
    if (name === 'kind') elements[0] = typeof value === 'string' ? kindNumber(value) : WRONG;
    else if (position !== undefined) elements[position] = plainValue(value);
    else if (bit === undefined) options[name] = optionValue(name, value);
    else if (typeof value !== 'boolean' || typeof flags !== 'number') flags = WRONG;
    else if (value) flags |= bit;
  }
  elements[FLAGS_AT] = flags;
  const names = Object.keys(options);
  // Beyond the known number of options the decoder stops looking; a name it lacks is malformed.
  if (names.length > 0) elements[OPTIONS_AT] = names.every(isOption) ? options : WRONG;
  return elements;
}

function isOption(name: string): boolean {
  return OPTIONS.has(name);
}

// A definition is an object in JSON and its text on the wire.
function optionValue(name: string, value: unknown): unknown {
  if (name !== 'definition') return plainValue(value);
  return isFields(value) ? JSON.stringify(value) : WRONG;
}

// Text that UTF-8 cannot hold (a lone surrogate) must not be repaired in silence: it is an id.
function plainValue(value: unknown): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : WRONG;
  return typeof value === 'number' ? value : WRONG;
}

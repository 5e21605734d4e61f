// Answers as typed objects. The wire's forms are in gateway/PROTOCOL.md, "Answers". Decoding throws
// a KassaClientError of code `protocol` when a server sends what the protocol does not have.
import { OutcomeFlag } from '../../core/outcome-columns.ts';
import { resultCodeName } from '../../core/result-codes.ts';
import { KassaClientError } from './client-error.ts';
import type { AccountStatus } from './transaction.ts';

/** What Kassa decided on one transaction. Amounts are whole numbers of the minor unit. */
export interface Outcome {
  /** 0 is ok; the other numbers stand in PROTOCOL.md, "Codes". */
  readonly code: number;
  /** The code's name, such as `insufficient_funds`. */
  readonly name: string;
  /** Whether it is in the log and burnt the key; only then balances, moved and sequence are set. */
  readonly recorded: boolean;
  /** This is the first outcome of an earlier sending. */
  readonly replay: boolean;
  readonly noop: boolean;
  /** An `open` that made the account. */
  readonly made: boolean;
  readonly sequence: number;
  readonly timeMs: number;
  /** After the transaction; null if not recorded. */
  readonly balances: Balances | null;
  /** Signed change of the buckets; null if not recorded. */
  readonly moved: { readonly cash: number; readonly bonus: number } | null;
  /** The log position that holds everything this outcome was decided on. */
  readonly position: number;
  /** Only of a setStatus. */
  readonly previousStatus: AccountStatus | null;
  /** For codes 60 to 64: when the same transaction may be sent again; else null. */
  readonly retryAfterMs: number | null;
}

/** The three buckets of an account in minor units. */
export interface Balances {
  readonly cash: number;
  readonly bonus: number;
  readonly held: number;
}

/** A read of one account; `balances` and `status` are null unless the code is 0. */
export interface AccountBalance {
  readonly code: number;
  readonly name: string;
  readonly balances: Balances | null;
  readonly status: AccountStatus | null;
  readonly position: number;
}

/** The server's greeting after the upgrade. */
export interface Hello {
  readonly protocol: string;
  readonly version: string;
  readonly client: string;
  readonly operator: string;
  readonly provider: string;
  readonly permissions: readonly string[];
  readonly lanes: number;
  readonly limits: {
    readonly batchTransactions: number;
    readonly atomicTransactions: number;
    readonly frameBytes: number;
    readonly unansweredTransactions: number;
  };
}

/** When to send again what was refused for a moment and the server named no delay. */
export const RETRY_AFTER_MS_DEFAULT = 1_000;

const STATUSES: readonly AccountStatus[] = ['active', 'betLocked', 'frozen', 'closed'];
const RECORDED_ELEMENTS = 9;

/** One element of an answer's list of outcomes, decoded. */
export function decodeOutcome(value: unknown, position: number): Outcome {
  if (typeof value === 'number') return unrecordedOutcome(value, position, null);
  if (!Array.isArray(value) || value.length < RECORDED_ELEMENTS) throw notUnderstood(value);
  const numbers = value.map(wholeNumber);
  const [code, flags, sequence, timeMs, cash, bonus, held, cashMoved, bonusMoved] = numbers;
  return {
    code,
    name: resultCodeName(code),
    recorded: true,
    replay: (flags & OutcomeFlag.replay) !== 0,
    noop: (flags & OutcomeFlag.noop) !== 0,
    made: (flags & OutcomeFlag.made) !== 0,
    sequence,
    timeMs,
    balances: { cash, bonus, held },
    moved: { cash: cashMoved, bonus: bonusMoved },
    position,
    previousStatus: numbers.length > RECORDED_ELEMENTS ? STATUSES[numbers[9]] : null,
    retryAfterMs: null,
  };
}

/** An outcome that is no record: refused before a decision, or the named thing does not exist. */
export function unrecordedOutcome(
  code: number,
  position: number,
  retryAfterMs: number | null,
): Outcome {
  return {
    code,
    name: resultCodeName(code),
    recorded: false,
    replay: false,
    noop: false,
    made: false,
    sequence: 0,
    timeMs: 0,
    balances: null,
    moved: null,
    position,
    previousStatus: null,
    retryAfterMs: code >= 60 ? (retryAfterMs ?? RETRY_AFTER_MS_DEFAULT) : null,
  };
}

/** One element of a read's list, decoded. */
export function decodeBalance(value: unknown, position: number): AccountBalance {
  if (typeof value === 'number') {
    return { code: value, name: resultCodeName(value), balances: null, status: null, position };
  }
  if (!Array.isArray(value) || value.length < 5) throw notUnderstood(value);
  const [code, cash, bonus, held, status] = value.map(wholeNumber);
  return {
    code,
    name: resultCodeName(code),
    balances: { cash, bonus, held },
    status: STATUSES[status],
    position,
  };
}

/** A whole number from any msgpack encoding of one, or an error. */
export function wholeNumber(value: unknown): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw notUnderstood(value);
  return number;
}

/** The error for an answer that the protocol does not have. */
export function notUnderstood(value: unknown): KassaClientError {
  const text = JSON.stringify(value, (_, inner) =>
    typeof inner === 'bigint' ? String(inner) : inner,
  );
  return new KassaClientError(
    'protocol',
    `Cannot read an answer because kassa.v1 has no such form: ${text?.slice(0, 120)}. ` +
      'Compare the versions of client and server.',
  );
}

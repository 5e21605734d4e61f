// What a game server may send, as typed objects, and the positional array that goes on the wire
// (gateway/PROTOCOL.md, "Transaction"). Judges nothing: the server's answer is the only judge.
import { kindNumber } from '../../core/kinds.ts';

/** Fields that each transaction of an account has. Ids are 1 to 64 bytes of UTF-8. */
interface AccountFields {
  /** Names the transaction for good: sent again with the same id it is a repeat. */
  readonly transactionId: string;
  readonly player: string;
  readonly currency: string;
  /** At most 256 bytes, kept in the log, no part of the body that repeats are compared by. */
  readonly metadata?: string | Uint8Array;
  /** The sender's time in ms since 1970; refused as `too_old` beyond the retention. */
  readonly sentAt?: number;
  /** Only for a client that is bound to no provider. */
  readonly provider?: string;
  /** Only for a platform client. */
  readonly operator?: string;
}

/** Amounts are whole numbers of the currency's minor unit, 0 to 2^53 − 1. */
interface Amount {
  readonly amount: number;
}

interface Play {
  readonly round?: string;
  readonly game?: string;
}

/** Each kind's own fields beside those of its account. */
interface KindFields {
  deposit: Amount;
  withdraw: Amount;
  bet: Amount & Play & { readonly roundEnd?: boolean };
  win: Amount &
    Play & {
      readonly roundEnd?: boolean;
      /** The bet's transaction id. */
      readonly reference?: string;
      readonly stakeless?: boolean;
    };
  rollback: Partial<Amount> & Play & { readonly reference: string; readonly of?: 'bet' | 'win' };
  hold: Amount & { readonly expiresIn?: number };
  capture: Amount & { readonly reference: string };
  release: Amount & { readonly reference: string };
  transfer: Amount & { readonly to: string };
  grant: Amount;
  convert: Amount;
  forfeit: Amount;
  adjust: Amount & { readonly reason: string; readonly bucket?: 'cash' | 'bonus' };
  open: unknown;
  setStatus: { readonly status: AccountStatus; readonly reason?: string };
}

/** An account's status (wallet rule 32). */
export type AccountStatus = 'active' | 'betLocked' | 'frozen' | 'closed';

/** The fields of one kind without its name, as the client's method of that name takes them. */
export type FieldsOf<Name extends keyof KindFields> = AccountFields & KindFields[Name];

interface Definition {
  readonly transactionId: string;
  readonly operator?: string;
  /** The operator's or the client's definition (PROTOCOL.md, "Administration"). */
  readonly definition: object;
  readonly sentAt?: number;
  readonly metadata?: string | Uint8Array;
}

/** A transaction to send: `kind` and the fields of that kind. */
export type Transaction =
  | { [Name in keyof KindFields]: { readonly kind: Name } & FieldsOf<Name> }[keyof KindFields]
  | ({ readonly kind: 'setOperator' | 'setClient' } & Definition);

const ROUND_END = 1;
const STAKELESS = 2;
const OPTION_NAMES = [
  'of',
  'to',
  'bucket',
  'reason',
  'expiresIn',
  'status',
  'provider',
  'operator',
] as const;

/** The transaction as the wire's positional array, without trailing absent elements. */
export function encodeTransaction(transaction: Transaction): unknown[] {
  const fields: Readonly<Record<string, unknown>> = { ...transaction };
  const flags =
    (fields.roundEnd === true ? ROUND_END : 0) | (fields.stakeless === true ? STAKELESS : 0);
  const elements = [
    kindNumber(transaction.kind),
    fields.transactionId,
    fields.player ?? null,
    fields.currency ?? null,
    fields.amount ?? null,
    fields.round ?? null,
    flags === 0 ? null : flags,
    fields.reference ?? null,
    fields.game ?? null,
    fields.metadata ?? null,
    fields.sentAt ?? null,
    encodeOptions(fields),
  ];
  let count = elements.length;
  while (elements[count - 1] === null) count -= 1;
  elements.length = count;
  return elements;
}

function encodeOptions(fields: Readonly<Record<string, unknown>>): object | null {
  let options: Record<string, unknown> | null = null;
  for (const name of OPTION_NAMES) {
    const value = fields[name];
    if (value === undefined) continue;
    options ??= {};
    options[name] = value;
  }
  if (fields.definition === undefined) return options;
  return { ...options, definition: JSON.stringify(fields.definition) };
}

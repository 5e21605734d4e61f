// What an operator's definition may say: the JSON text of a `setOperator`, checked field by field.
// Policies named replace the present ones, from that record on (rule 38).
import { CURRENCIES_PER_OPERATOR_MAX, CURRENCY_BYTES_MAX, DAY_MS } from '../limits.ts';
import { isOneOf, isWholeNumber, type JsonFields, parseFields } from './definition-text.ts';

/** The choices that the wallet's rules leave to an operator, with the rule of each. */
export interface OperatorPolicies {
  /** Which bucket a bet draws first (rule 14). */
  readonly bucketOrder: 'cashFirst' | 'bonusFirst';
  /** Whether a win needs a known bet (rule 16). */
  readonly winNeedsBet: boolean;
  /** What a rollback of an unknown bet does (rule 24). */
  readonly unknownBetRollback: 'refuse' | 'noop' | 'error';
  /** What a rollback of a win does when its money is spent (rule 25). */
  readonly spentWinRollback: 'reject' | 'negative';
  /** Age in ms at which an open round is closed (rule 29). */
  readonly roundAgeMs: number;
  /** The largest `expiresIn` of a hold in ms (rule 7). */
  readonly holdExpiryMaxMs: number;
}

/** A checked definition: only what the sender named. */
export interface OperatorDefinition extends Partial<OperatorPolicies> {
  /** Exponents by currency code: 2 for EUR. */
  readonly currencies?: Readonly<Record<string, number>>;
}

/** What holds until an operator names something else. */
export const DEFAULT_POLICIES: OperatorPolicies = {
  bucketOrder: 'cashFirst',
  winNeedsBet: true,
  unknownBetRollback: 'refuse',
  spentWinRollback: 'reject',
  roundAgeMs: 3 * DAY_MS,
  holdExpiryMaxMs: 30 * DAY_MS,
};

const EXPONENT_MAX = 18;
const CURRENCY_CODE = new RegExp(`^[A-Za-z0-9]{1,${CURRENCY_BYTES_MAX}}$`);

type Check = (value: unknown, retentionMs: number) => boolean;

const CHECKS: Readonly<Record<string, Check>> = {
  currencies: areCurrencies,
  bucketOrder: (value) => isOneOf(value, ['cashFirst', 'bonusFirst']),
  winNeedsBet: (value) => typeof value === 'boolean',
  unknownBetRollback: (value) => isOneOf(value, ['refuse', 'noop', 'error']),
  spentWinRollback: (value) => isOneOf(value, ['reject', 'negative']),
  roundAgeMs: (value, retentionMs) => isWholeNumber(value, 1, retentionMs),
  holdExpiryMaxMs: (value, retentionMs) => isWholeNumber(value, 1, retentionMs),
};

/**
 * The definition in a JSON text, or undefined where a name is unknown or a value is not allowed.
 * Ages may not pass the retention of keys (rule 7).
 */
export function parseOperatorDefinition(
  text: string,
  retentionMs: number,
): OperatorDefinition | undefined {
  const fields: JsonFields | undefined = parseFields(text);
  if (fields === undefined) return undefined;
  for (const [name, value] of Object.entries(fields)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
    if (check === undefined || !check(value, retentionMs)) return undefined;
  }
  // Each field was checked against its type just above.
  return fields as OperatorDefinition;
}

function areCurrencies(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= CURRENCIES_PER_OPERATOR_MAX &&
    entries.every(([code, exponent]) => {
      return CURRENCY_CODE.test(code) && isWholeNumber(exponent, 0, EXPONENT_MAX);
    })
  );
}

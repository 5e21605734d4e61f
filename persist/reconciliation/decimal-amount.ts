// Amounts as people write them (12.50) and as the log has them (1250 minor units): exact, by digits
// alone, never through a floating-point number. Pure; any thread.
import { assert } from '../../core/assert.ts';
import { AMOUNT_MINOR_MAX } from '../../core/limits.ts';

/** An amount in minor units, or why the text is none. */
export type AmountReading =
  | { readonly kind: 'amount'; readonly amountMinor: bigint }
  | { readonly kind: 'problem'; readonly problem: string };

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?$/;

/** More digits than any amount has, so that a hostile text is not turned into a number. */
const TEXT_LENGTH_MAX = 64;

/**
 * Reads decimal text as whole minor units of a currency with this exponent (2 for EUR; 0 where the
 * text is in minor units already). A sign may lead; thousands are not grouped; the decimal mark is
 * a point. Digits beyond the exponent must be zeros.
 */
export function parseDecimalAmount(text: string, exponent: number): AmountReading {
  assert(Number.isInteger(exponent) && exponent >= 0, 'an exponent counts decimals');
  const match = text.length <= TEXT_LENGTH_MAX ? DECIMAL.exec(text) : null;
  const [, sign = '', whole = '', decimals = ''] = match ?? [];
  if (match === null || whole + decimals === '') return refuse(`not a decimal number: "${text}"`);
  if (/[1-9]/.test(decimals.slice(exponent))) {
    return refuse(`more decimals than the currency's ${exponent}: "${text}"`);
  }
  const digits = whole + decimals.slice(0, exponent).padEnd(exponent, '0');
  const magnitude = BigInt(digits === '' ? '0' : digits);
  if (magnitude > BigInt(AMOUNT_MINOR_MAX)) {
    return refuse(`beyond ${AMOUNT_MINOR_MAX} minor units: "${text}"`);
  }
  return { kind: 'amount', amountMinor: sign === '-' ? -magnitude : magnitude };
}

/** Writes minor units as decimal text in major units, with all decimals: 1250 as "12.50". */
export function formatDecimalAmount(amountMinor: bigint, exponent: number): string {
  assert(Number.isInteger(exponent) && exponent >= 0, 'an exponent counts decimals');
  const sign = amountMinor < 0n ? '-' : '';
  const digits = String(amountMinor < 0n ? -amountMinor : amountMinor).padStart(exponent + 1, '0');
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

function refuse(problem: string): AmountReading {
  return { kind: 'problem', problem };
}

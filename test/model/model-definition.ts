// Operators' policies: which definitions are right, what one replaces, what the defaults are
// (rules 7, 11, 38). Used by tests only.

import type { ModelOperator, ModelState } from './model-state.ts';
import type { ModelTransaction, OperatorDefinition } from './model-transaction.ts';

const hourMs = 3_600_000;
const exponentMax = 18;

/** What a new operator starts with; its currencies must be named. */
export function newOperator(): ModelOperator {
  return {
    currencies: new Map(),
    bucketOrder: 'cashFirst',
    winNeedsBet: true,
    unknownBetRollback: 'refuse',
    spentWinRollback: 'reject',
    roundAgeMs: 72 * hourMs,
    holdExpiryMaxMs: 30 * 24 * hourMs,
  };
}

/** Whether each named setting is one, and currencies are only added to what the operator has. */
export function isDefinitionRight(transaction: ModelTransaction, state: ModelState): boolean {
  const { operator, definition } = transaction;
  if (typeof definition !== 'object' || definition === null) {
    return false;
  }
  const settings = Object.entries(definition).filter(([, value]) => value !== undefined);
  return (
    settings.every(([name, value]) => isSettingRight(name, value, state.retentionMs)) &&
    areCurrenciesRight(definition.currencies ?? {}, state.operators.get(operator))
  );
}

function isSettingRight(name: string, value: unknown, retentionMs: number): boolean {
  switch (name) {
    case 'currencies':
      return typeof value === 'object' && value !== null;
    case 'bucketOrder':
      return value === 'cashFirst' || value === 'bonusFirst';
    case 'winNeedsBet':
      return typeof value === 'boolean';
    case 'unknownBetRollback':
      return value === 'refuse' || value === 'noop' || value === 'error';
    case 'spentWinRollback':
      return value === 'reject' || value === 'negative';
    case 'roundAgeMs':
    case 'holdExpiryMaxMs':
      return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= retentionMs;
    default:
      return false;
  }
}

function areCurrenciesRight(
  currencies: Record<string, number>,
  known: ModelOperator | undefined,
): boolean {
  const entries = Object.entries(currencies);
  if (known === undefined && entries.length === 0) {
    return false;
  }
  return entries.every(
    ([currency, exponent]) =>
      currency !== '' &&
      Number.isInteger(exponent) &&
      exponent >= 0 &&
      exponent <= exponentMax &&
      (known?.currencies.get(currency) ?? exponent) === exponent,
  );
}

/** Makes the operator or replaces the settings that the transaction names; adds currencies. */
export function applyDefinition(transaction: ModelTransaction, state: ModelState): void {
  const { currencies = {}, ...settings } = transaction.definition ?? {};
  const before = state.operators.get(transaction.operator) ?? newOperator();
  const named = Object.entries(settings).filter(([, value]) => value !== undefined);
  state.operators.set(transaction.operator, {
    ...before,
    ...Object.fromEntries(named),
    currencies: new Map([...before.currencies, ...Object.entries(currencies)]),
  });
  state.nothingDueBeforeMs = 0;
}

/** The definition as text that is equal for equal definitions, whatever the order of its names. */
export function definitionText(definition: OperatorDefinition | undefined): string {
  const { currencies = {}, ...settings } = definition ?? {};
  const named = Object.entries(settings).filter(([, value]) => value !== undefined);
  return JSON.stringify([named.sort(byName), Object.entries(currencies).sort(byName)]);
}

function byName(one: readonly [string, unknown], other: readonly [string, unknown]): number {
  return one[0] < other[0] ? -1 : 1;
}

// The names behind the log's numbers: operators with their currencies and policies, providers and
// games. The first two are numbered as the shards do it (LOG-FORMAT.md), in the order of the
// administrative records that first name them. Belongs to the reporter's thread; loaded from
// Postgres at each start of it.
import { assert } from '../../core/assert.ts';
import { parseClientDefinition } from '../../core/policies/client-definition.ts';
import {
  DEFAULT_POLICIES,
  parseOperatorDefinition,
} from '../../core/policies/operator-definition.ts';
import { TextNumbers } from './text-numbers.ts';

/** A currency as an operator configured it. */
export interface OperatorCurrency {
  readonly code: string;
  readonly exponent: number;
  readonly currencyId: number;
}

/** An operator; `currencies` in the order of the log's numbers. */
export interface ReportedOperator {
  readonly operatorId: number;
  readonly name: string;
  policies: Readonly<Record<string, unknown>>;
  changedPosition: number;
  readonly currencies: OperatorCurrency[];
}

/** Numbers above those of ISO 4217 are for what operators bring. */
const OWN_CURRENCIES_FROM = 1_001;

/** Operators, currencies, providers and games. */
export class ReportDirectory {
  readonly operators: ReportedOperator[] = [];
  readonly providers: TextNumbers = new TextNumbers();
  readonly games: TextNumbers = new TextNumbers();
  readonly #changed = new Set<ReportedOperator>();
  readonly #currencies = new Map<string, OperatorCurrency>();
  #freshCurrencies: OperatorCurrency[] = [];
  #lastCurrencyId = OWN_CURRENCIES_FROM - 1;

  /** Takes over a currency that Postgres has. */
  loadCurrency(currency: OperatorCurrency): OperatorCurrency {
    this.#currencies.set(`${currency.code}/${currency.exponent}`, currency);
    this.#lastCurrencyId = Math.max(this.#lastCurrencyId, currency.currencyId);
    return currency;
  }

  /** Currencies that were brought since the last call. */
  takeFreshCurrencies(): OperatorCurrency[] {
    const fresh = this.#freshCurrencies;
    this.#freshCurrencies = [];
    return fresh;
  }

  /** Applies an accepted setOperator; returns the operator's number. */
  applyOperator(name: string, definitionText: string, position: number): number {
    // Ages were checked against the retention when the record was decided.
    const definition = parseOperatorDefinition(definitionText, Number.POSITIVE_INFINITY);
    assert(definition !== undefined, 'a recorded definition of an operator is fit');
    const { currencies = {}, ...policies } = definition;
    let operator = this.operators.find((one) => one.name === name);
    if (operator === undefined) {
      const operatorId = this.operators.length + 1;
      const start = { policies: { ...DEFAULT_POLICIES }, changedPosition: position };
      operator = { operatorId, name, currencies: [], ...start };
      this.operators.push(operator);
    }
    operator.policies = { ...operator.policies, ...policies };
    operator.changedPosition = position;
    for (const [code, exponent] of Object.entries(currencies)) {
      if (operator.currencies.some((one) => one.code === code)) continue;
      operator.currencies.push(this.#currencyFor(code, exponent));
    }
    this.#changed.add(operator);
    return operator.operatorId;
  }

  /** Applies an accepted setClient, of which only the provider's number matters here. */
  applyClient(definitionText: string): void {
    const definition = parseClientDefinition(definitionText);
    assert(definition !== undefined, 'a recorded definition of a client is fit');
    if (definition.provider !== '') this.providers.numberOfText(definition.provider);
  }

  /** The currency of an owner (operator × 256 + currency's number). */
  currencyOf(owner: number): OperatorCurrency {
    const currency = this.operators[(owner >>> 8) - 1]?.currencies[owner & 0xff];
    assert(currency !== undefined, 'an account is of a currency that its operator has');
    return currency;
  }

  /** Operators that were made or changed since the last call. */
  takeChanged(): ReportedOperator[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  #currencyFor(code: string, exponent: number): OperatorCurrency {
    const known = this.#currencies.get(`${code}/${exponent}`);
    if (known !== undefined) return known;
    const currencyId = this.#lastCurrencyId + 1;
    const currency = this.loadCurrency({ code, exponent, currencyId });
    this.#freshCurrencies.push(currency);
    return currency;
  }
}

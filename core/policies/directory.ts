// The few things that transactions name by number: operators with their currencies and policies,
// providers, and clients. Plain objects and Maps: they are looked up once a connection or request.
// All of it comes from the log's administrative records. Owned by the shard's thread.
import { assert } from '../assert.ts';
import {
  CLIENTS_MAX,
  CURRENCIES_PER_OPERATOR_MAX,
  OPERATORS_MAX,
  PROVIDERS_MAX,
} from '../limits.ts';
import type { FrameSource } from '../transaction-columns.ts';
import { type ClientDefinition, kindsAllowedBy } from './client-definition.ts';
import {
  DEFAULT_POLICIES,
  type OperatorDefinition,
  type OperatorPolicies,
} from './operator-definition.ts';

interface Currency {
  readonly code: string;
  readonly exponent: number;
  readonly bytes: Uint8Array;
}

/** A tenant. `currencies` only grows, so a currency's place in it is its number for good. */
export interface Operator {
  readonly number: number;
  readonly name: string;
  readonly currencies: Currency[];
  policies: OperatorPolicies;
}

/** A credential as the gateway needs it. */
export interface Client extends ClientDefinition {
  readonly id: string;
  /** 0 for a platform client. */
  readonly operatorNumber: number;
  readonly providerNumber: number;
  /** Bit k says that kind k is allowed. */
  readonly kindsAllowed: number;
  /** Whether it may read balances. */
  readonly mayRead: boolean;
}

/** Operators, providers and clients of a shard. */
export class Directory {
  /** Indexed by number − 1. */
  readonly operators: Operator[] = [];
  readonly #operatorNumbers = new Map<string, number>();
  readonly #providers: string[] = [''];
  readonly #providerNumbers = new Map<string, number>([['', 0]]);
  readonly #clients = new Map<string, Client>();

  /** The operator's number from 1, or 0 for an unknown one. */
  operatorNumber(name: string): number {
    return this.#operatorNumbers.get(name) ?? 0;
  }

  /** The operator of a number ≥ 1. */
  operator(number: number): Operator {
    return this.operators[number - 1];
  }

  /** The provider's number, 0 for '' (none) and −1 for an unknown one. */
  providerNumber(name: string): number {
    return this.#providerNumbers.get(name) ?? -1;
  }

  /** The provider of a number. */
  providerName(number: number): string {
    return this.#providers[number];
  }

  /** The client of an id, or undefined. */
  client(id: string): Client | undefined {
    return this.#clients.get(id);
  }

  /** The number of a currency of the operator by its code's bytes, or −1. */
  currencyNumber(operator: number, source: FrameSource, at: number, byteCount: number): number {
    const { currencies } = this.operators[operator - 1];
    for (let number = 0; number < currencies.length; number += 1) {
      if (bytesEqual(currencies[number].bytes, source.bytes, at, byteCount)) return number;
    }
    return -1;
  }

  /** Whether the definition can be applied to the operator of this name, new or known (rule 11). */
  acceptsOperator(name: string, definition: OperatorDefinition): boolean {
    const known = this.operators[this.operatorNumber(name) - 1];
    const named = Object.entries(definition.currencies ?? {});
    if (known === undefined) return named.length > 0 && this.operators.length < OPERATORS_MAX;
    const added = named.filter(([code]) => !known.currencies.some((one) => one.code === code));
    const agree = named.every(([code, exponent]) => {
      return known.currencies.every((one) => one.code !== code || one.exponent === exponent);
    });
    return agree && known.currencies.length + added.length <= CURRENCIES_PER_OPERATOR_MAX;
  }

  /** Makes or changes an operator; returns its number. */
  applyOperator(name: string, definition: OperatorDefinition): number {
    assert(this.acceptsOperator(name, definition), 'an applied definition was accepted');
    const { currencies, ...policies } = definition;
    let operator = this.operators[this.operatorNumber(name) - 1];
    if (operator === undefined) {
      const number = this.operators.length + 1;
      operator = { number, name, currencies: [], policies: DEFAULT_POLICIES };
      this.operators.push(operator);
      this.#operatorNumbers.set(name, number);
    }
    operator.policies = { ...operator.policies, ...policies };
    for (const [code, exponent] of Object.entries(currencies ?? {})) {
      if (operator.currencies.some((one) => one.code === code)) continue;
      operator.currencies.push({ code, exponent, bytes: new TextEncoder().encode(code) });
    }
    return operator.number;
  }

  /** Whether the definition can be applied: a known operator, and room for what is new. */
  acceptsClient(definition: ClientDefinition): boolean {
    const { client, operator, provider } = definition;
    if (operator !== '' && this.operatorNumber(operator) === 0) return false;
    if (!this.#clients.has(client) && this.#clients.size >= CLIENTS_MAX) return false;
    return this.#providerNumbers.has(provider) || this.#providers.length < PROVIDERS_MAX;
  }

  /** Makes or replaces a client, and numbers its provider where that is new. */
  applyClient(definition: ClientDefinition): void {
    assert(this.acceptsClient(definition), 'an applied client was accepted');
    let providerNumber = this.providerNumber(definition.provider);
    if (providerNumber < 0) {
      providerNumber = this.#providers.length;
      this.#providers.push(definition.provider);
      this.#providerNumbers.set(definition.provider, providerNumber);
    }
    const { permissions } = definition;
    this.#clients.set(definition.client, {
      ...definition,
      id: definition.client,
      operatorNumber: this.operatorNumber(definition.operator),
      providerNumber,
      kindsAllowed: kindsAllowedBy(permissions),
      mayRead: permissions.includes('read') || permissions.includes('play'),
    });
  }
}

function bytesEqual(
  expected: Uint8Array,
  bytes: Uint8Array,
  at: number,
  byteCount: number,
): boolean {
  if (expected.length !== byteCount) return false;
  for (let offset = 0; offset < byteCount; offset += 1) {
    if (expected[offset] !== bytes[at + offset]) return false;
  }
  return true;
}

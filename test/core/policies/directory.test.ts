// What definitions of operators and clients may say, and the directory that they make.
import { describe, expect, test } from 'vitest';
import { Kind } from '../../../core/kinds.ts';
import { CLIENTS_MAX, PROVIDERS_MAX } from '../../../core/limits.ts';
import {
  type ClientDefinition,
  kindsAllowedBy,
  parseClientDefinition,
} from '../../../core/policies/client-definition.ts';
import { Directory } from '../../../core/policies/directory.ts';
import {
  DEFAULT_POLICIES,
  parseOperatorDefinition,
} from '../../../core/policies/operator-definition.ts';
import { sourceOfText } from '../../support/text-source.ts';

const RETENTION_MS = 1000;
const CLIENT = {
  client: 'c',
  operator: '',
  provider: '',
  permissions: ['play'],
  secretSha256: 'a'.repeat(64),
  revoked: false,
};

const client = (fields: Partial<ClientDefinition>): ClientDefinition => ({ ...CLIENT, ...fields });

describe('definitions of operators', () => {
  const fit = [
    {},
    { currencies: { EUR: 0, usd1: 18 } },
    { bucketOrder: 'bonusFirst', winNeedsBet: false, unknownBetRollback: 'noop' },
    { spentWinRollback: 'negative', roundAgeMs: 1, holdExpiryMaxMs: RETENTION_MS },
  ];
  test.each(fit)('%o is fit', (definition) => {
    expect(parseOperatorDefinition(JSON.stringify(definition), RETENTION_MS)).toEqual(definition);
  });

  const unfit = [
    ...['', '{', 'null', '[]', '5', '"x"', '{"other":1}', '{"toString":1}', '{"__proto__":1}'],
    ...['{"currencies":[]}', '{"currencies":null}', '{"currencies":{"":2}}'],
    ...['{"currencies":{"E R":2}}', '{"currencies":{"EUR":-1}}', '{"currencies":{"EUR":19}}'],
    ...['{"currencies":{"EUR":1.5}}', '{"currencies":{"EUR":"2"}}', '{"bucketOrder":"heldFirst"}'],
    ...['{"winNeedsBet":1}', '{"unknownBetRollback":"take"}', '{"spentWinRollback":true}'],
    ...['{"roundAgeMs":0}', '{"roundAgeMs":1001}', '{"roundAgeMs":"5"}', '{"roundAgeMs":1.5}'],
    ...['{"holdExpiryMaxMs":1001}', '{"holdExpiryMaxMs":null}'],
  ];
  test.each(unfit)('%s is refused', (text) => {
    expect(parseOperatorDefinition(text, RETENTION_MS)).toBeUndefined();
  });
});

describe('definitions of clients', () => {
  test('a whole one is fit, and revoked may be left out', () => {
    const { revoked: _, ...others } = CLIENT;
    expect(parseClientDefinition(JSON.stringify(CLIENT))).toEqual(CLIENT);
    expect(parseClientDefinition(JSON.stringify(others))).toEqual(CLIENT);
  });

  const unfit: readonly object[] = [
    ...[{ client: '' }, { client: 'a.b' }, { client: 'a b' }, { client: 'x'.repeat(65) }],
    ...[{ operator: 5 }, { provider: 'é' }, { permissions: 'play' }, { permissions: ['fly'] }],
    ...[{ secretSha256: 'A'.repeat(64) }, { secretSha256: 'a'.repeat(63) }, { revoked: 1 }],
    ...[{ other: 1 }],
  ];
  test.each(unfit)('with %o it is refused', (fields) => {
    expect(parseClientDefinition(JSON.stringify({ ...CLIENT, ...fields }))).toBeUndefined();
  });

  test('permissions allow the kinds of their row and no others', () => {
    const allows = (permission: string) => {
      const kinds = kindsAllowedBy([permission]);
      return Object.entries(Kind)
        .filter(([, kind]) => kind < 32 && ((kinds >>> kind) & 1) === 1)
        .map(([name]) => name);
    };
    expect(allows('play')).toEqual(['bet', 'win', 'rollback']);
    expect(allows('cashier')).toEqual([
      ...['deposit', 'withdraw', 'hold', 'capture', 'release', 'transfer', 'open', 'setStatus'],
    ]);
    expect(allows('bonus')).toEqual(['grant', 'convert', 'forfeit']);
    expect(allows('adjust')).toEqual(['adjust']);
    expect(allows('read')).toEqual([]);
    expect(allows('admin')).toEqual(['setOperator', 'setClient']);
  });
});

describe('the directory', () => {
  test('numbers operators from 1, currencies from 0 and providers from 1, for good', () => {
    const directory = new Directory();
    expect(directory.applyOperator('one', { currencies: { EUR: 2 } })).toBe(1);
    expect(directory.applyOperator('two', { currencies: { USD: 2, EUR: 2 } })).toBe(2);
    expect(directory.applyOperator('one', { currencies: { GBP: 2 }, winNeedsBet: false })).toBe(1);
    const currency = (operator: number, code: string) =>
      directory.currencyNumber(operator, sourceOfText(`.${code}`), 1, code.length);
    expect([currency(1, 'EUR'), currency(1, 'GBP'), currency(2, 'EUR')]).toEqual([0, 1, 1]);
    expect([currency(1, 'USD'), currency(1, 'EU'), currency(1, 'EURO')]).toEqual([-1, -1, -1]);
    expect(directory.operator(1).policies).toEqual({ ...DEFAULT_POLICIES, winNeedsBet: false });
    expect(directory.operator(2).policies).toEqual(DEFAULT_POLICIES);
    directory.applyClient(client({ client: 'a', provider: 'p', operator: 'two' }));
    directory.applyClient(client({ client: 'b', provider: 'q' }));
    directory.applyClient(client({ client: 'c', provider: 'p' }));
    expect(['', 'p', 'q', 'r'].map((name) => directory.providerNumber(name))).toEqual([
      0, 1, 2, -1,
    ]);
    expect(directory.client('a')).toMatchObject({ operatorNumber: 2, providerNumber: 1 });
    expect(directory.client('b')).toMatchObject({ operatorNumber: 0, providerNumber: 2 });
    expect(directory.operatorNumber('three')).toBe(0);
  });

  test('a client’s definition replaces the one before as a whole', () => {
    const directory = new Directory();
    directory.applyClient(client({ permissions: ['play', 'read'] }));
    directory.applyClient(client({ permissions: ['adjust'], revoked: true }));
    const changed = directory.client('c');
    expect(changed).toMatchObject({ permissions: ['adjust'], revoked: true, mayRead: false });
    expect(changed?.kindsAllowed).toBe(1 << Kind.adjust);
  });

  test('a client of an unknown operator, an operator without currencies: not accepted', () => {
    const directory = new Directory();
    expect(directory.acceptsClient(client({ operator: 'nobody' }))).toBe(false);
    expect(directory.acceptsOperator('new', {})).toBe(false);
    expect(() => directory.applyOperator('new', {})).toThrow('was accepted');
  });

  test('clients and providers: as many as the bounds; known ones can be revoked', () => {
    const directory = new Directory();
    for (let n = 1; n < PROVIDERS_MAX; n += 1) {
      directory.applyClient(client({ client: `c${n}`, provider: `p${n}` }));
    }
    expect(directory.acceptsClient(client({ client: 'last', provider: 'new' }))).toBe(false);
    for (let n = PROVIDERS_MAX; n <= CLIENTS_MAX; n += 1) {
      const last = client({ client: `c${n}`, provider: 'p1' });
      expect(directory.acceptsClient(last)).toBe(true);
      directory.applyClient(last);
    }
    expect(directory.acceptsClient(client({ client: 'one more', provider: 'p1' }))).toBe(false);
    const revoked = client({ client: 'c5', provider: 'p5', revoked: true });
    expect(directory.acceptsClient(revoked)).toBe(true);
    directory.applyClient(revoked);
    expect(directory.client('c5')?.revoked).toBe(true);
    expect(directory.providerName(directory.providerNumber(`p${PROVIDERS_MAX - 1}`))).toBe(
      'p65534',
    );
  });
});

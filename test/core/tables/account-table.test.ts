// AccountTable: accounts are found by owner and id whatever their hashes, and rows keep facts.
import { describe, expect, test } from 'vitest';
import { AccountTable } from '../../../core/tables/account-table.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { sourceOfText } from '../../support/text-source.ts';

/** A table in which hashes are chosen by the test; by default all accounts share one. */
class TestAccounts {
  readonly table: AccountTable = new AccountTable();
  readonly #hash: (player: string) => Int32Array;

  constructor(hash: (player: string) => Int32Array = () => Int32Array.of(0, 0)) {
    this.#hash = hash;
  }

  add(owner: number, player: string): number {
    const source = sourceOfText(player);
    return this.table.add(this.#hash(player), 0, owner, source, 0, source.bytes.length);
  }

  find(owner: number, player: string): number {
    const source = sourceOfText(player);
    return this.table.find(this.#hash(player), 0, owner, source, 0, source.bytes.length);
  }
}

describe('AccountTable', () => {
  test('accounts whose hashes collide are told apart by owner and id', () => {
    const accounts = new TestAccounts();
    const owners = [256, 257, 511, 4_096 * 256, 4_096 * 256 + 255];
    const players = ['a', 'b', 'ab', 'x'.repeat(64)];
    const rows = owners.flatMap((owner) => players.map((player) => accounts.add(owner, player)));
    expect(rows).toEqual(rows.map((_, place) => place));
    const found = owners.flatMap((owner) => players.map((player) => accounts.find(owner, player)));
    expect(found).toEqual(rows);
    expect(accounts.find(256, 'c')).toBe(-1);
    expect(accounts.find(258, 'a')).toBe(-1);
  });

  test('a row keeps operator, currency, status, buckets and id', () => {
    const accounts = new TestAccounts();
    const { table } = accounts;
    const row = accounts.add(4_096 * 256 + 254, 'player');
    expect([table.operator(row), table.currency(row), table.status(row)]).toEqual([4_096, 254, 0]);
    table.setStatus(row, 3);
    table.setBuckets(row, Number.MAX_SAFE_INTEGER, -1, 0.5 * 2);
    table.setStatus(row, 2);
    expect([table.operator(row), table.currency(row), table.status(row)]).toEqual([4_096, 254, 2]);
    expect([table.cashMinor(row), table.bonusMinor(row), table.heldMinor(row)]).toEqual([
      Number.MAX_SAFE_INTEGER,
      -1,
      1,
    ]);
    const at = table.playerAt(row);
    const id = table.playerSource(row).bytes.subarray(at, at + table.playerBytes(row));
    expect(new TextDecoder().decode(id)).toBe('player');
  });

  test('ids of all lengths are kept and told apart, whatever the status', () => {
    const accounts = new TestAccounts();
    const { table } = accounts;
    const ids = Array.from({ length: 64 }, (_, place) => 'x'.repeat(place + 1));
    for (const id of ids) table.setStatus(accounts.add(257, id), id.length % 4);
    for (const [row, id] of ids.entries()) {
      expect(accounts.find(257, id)).toBe(row);
      expect(accounts.find(256, id)).toBe(-1);
      const at = table.playerAt(row);
      const kept = table.playerSource(row).bytes.subarray(at, at + table.playerBytes(row));
      expect(new TextDecoder().decode(kept)).toBe(id);
      expect([table.status(row), table.currency(row)]).toEqual([id.length % 4, 1]);
    }
  });

  test('an id of a length that no account has is not found, and is refused for a new one', () => {
    const accounts = new TestAccounts();
    for (const owner of [256, 257]) accounts.add(owner, 'x');
    for (const owner of [256, 257]) {
      expect(accounts.find(owner, '')).toBe(-1);
      expect(accounts.find(owner, 'x'.repeat(65))).toBe(-1);
    }
    expect(() => accounts.add(256, '')).toThrow('an account has an id');
    expect(() => accounts.add(256, 'x'.repeat(65))).toThrow('an account has an id');
  });

  test('100,000 accounts with random hashes are all found, and their neighbours are not', () => {
    const random = new SeededRandom('AccountTable');
    const hashes = new Map<string, Int32Array>();
    const accounts = new TestAccounts((player) => {
      const known = hashes.get(player) ?? Int32Array.of(random.word(), random.word());
      hashes.set(player, known);
      return known;
    });
    for (let row = 0; row < 100_000; row += 1) accounts.add(256 + (row % 3), `player-${row}`);
    for (let row = 0; row < 100_000; row += 1) {
      const owner = 256 + (row % 3);
      if (accounts.find(owner, `player-${row}`) !== row) expect.fail(`lost account ${row}`);
      if (accounts.find(owner + 3, `player-${row}`) !== -1) expect.fail(`found ${row} elsewhere`);
    }
    expect(accounts.table.rowCount).toBe(100_000);
    expect(accounts.table.probeLengthMax).toBeLessThanOrEqual(256);
  });

  test('an owner without an operator, or beyond the most operators, is refused', () => {
    const accounts = new TestAccounts();
    expect(() => accounts.add(255, 'a')).toThrow('an account has an operator');
    expect(() => accounts.add(4_097 * 256, 'a')).toThrow('an account has an operator');
  });
});

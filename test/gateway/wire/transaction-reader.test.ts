// The decoder of transactions: every encoding of a number, every form of a text, and whatever a
// client may send that is none.
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { Field, Kind } from '../../../core/kinds.ts';
import { ResultCode } from '../../../core/result-codes.ts';
import { TransactionColumns } from '../../../core/transaction-columns.ts';
import {
  emptyColumns,
  readTransactions,
  TRANSACTION_BYTES_MAX,
} from '../../../gateway/wire/transaction-reader.ts';
import type { Sender, TransactionRun } from '../../../gateway/wire/transaction-run.ts';

const packr = new Packr({ useRecords: false });
const NO_BOUND = Number.POSITIVE_INFINITY;
const { idTooLong, malformed, tooLarge, unknownKind } = ResultCode;

const sender: Sender = {
  kindsAllowed: 0xff,
  operatorNumber: 3,
  providerNumber: 4,
  findOperator: (name) => (name === 'demo' ? 5 : -1),
  findProvider: (name) => (name === 'studio' ? 6 : -1),
};

function runOf(transactions: Uint8Array, count: number): TransactionRun {
  const view = new DataView(transactions.buffer, transactions.byteOffset, transactions.byteLength);
  const source = { bytes: transactions, view };
  const end = transactions.length;
  return { source, sourceIndex: 0, sender, at: 0, end, remaining: count, isInterrupted: false };
}

function packAll(values: readonly unknown[]): Uint8Array {
  return new Uint8Array(Buffer.concat(values.map((value) => packr.pack(value))));
}

// Decodes one transaction and returns the columns.
function decode(...transaction: unknown[]): TransactionColumns {
  const columns = new TransactionColumns();
  const run = runOf(packAll([transaction]), 1);
  expect(readTransactions(run, columns, 1, NO_BOUND)).toBe(true);
  expect(run.at).toBe(run.end);
  columns.sources.push(run.source);
  return columns;
}

function textOf(
  columns: TransactionColumns,
  name: 'player' | 'round' | 'game' | 'definition',
): string {
  const column = columns[name];
  const [at, byteCount] = [column.at[0], column.byteCount[0]];
  return Buffer.from(columns.sources[0].bytes.subarray(at, at + byteCount)).toString('utf8');
}

// One transaction whose amount is the given raw msgpack.
function withRawAmount(...amount: number[]): TransactionColumns {
  const before = packAll([Kind.deposit, 't1', 'p1', 'EUR']);
  const bytes = Uint8Array.of(0x95, ...before, ...amount);
  const columns = new TransactionColumns();
  expect(readTransactions(runOf(bytes, 1), columns, 1, NO_BOUND)).toBe(true);
  return columns;
}

describe('numbers', () => {
  it.each<[string, number[], number]>([
    ['positive fixint', [0x7f], 127],
    ['negative fixint', [0xe0], -32],
    ['negative fixint −1', [0xff], -1],
    ['uint8', [0xcc, 0xff], 255],
    ['uint16', [0xcd, 0xff, 0xff], 65_535],
    ['uint32', [0xce, 0xff, 0xff, 0xff, 0xff], 4_294_967_295],
    ['uint64 small', [0xcf, 0, 0, 0, 0, 0, 0, 0, 7], 7],
    ['uint64 2^53−1', [0xcf, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 2 ** 53 - 1],
    ['uint64 2^53', [0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0], 2 ** 53],
    ['uint64 2^64−1', [0xcf, 255, 255, 255, 255, 255, 255, 255, 255], 2 ** 64],
    ['int8', [0xd0, 0x80], -128],
    ['int16', [0xd1, 0x80, 0], -32_768],
    ['int32', [0xd2, 0x80, 0, 0, 0], -2_147_483_648],
    ['int64 −1', [0xd3, 255, 255, 255, 255, 255, 255, 255, 255], -1],
    ['int64 −(2^53−1)', [0xd3, 0xff, 0xe0, 0, 0, 0, 0, 0, 1], -(2 ** 53 - 1)],
    ['int64 −2^63', [0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0], -(2 ** 63)],
    ['float32 whole', [0xca, 0x42, 0xc8, 0, 0], 100],
    ['float64 whole', [0xcb, 0x40, 0x59, 0, 0, 0, 0, 0, 0], 100],
    ['float64 −0', [0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0], 0],
  ])('%s is read as the whole number it is', (_, bytes, value) => {
    const columns = withRawAmount(...bytes);
    expect(columns.problem[0]).toBe(0);
    expect(Object.is(columns.amountMinor[0], value)).toBe(true);
    expect(columns.fields[0] & Field.amount).not.toBe(0);
  });

  it.each<[string, number[]]>([
    ['float64 with a fraction', [0xcb, 0x40, 0x59, 0x20, 0, 0, 0, 0, 0]],
    ['float32 with a fraction', [0xca, 0x3f, 0, 0, 0]],
    ['NaN', [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]],
    ['infinity', [0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0]],
    ['minus infinity', [0xca, 0xff, 0x80, 0, 0]],
    ['a text', [0xa1, 0x31]],
    ['true', [0xc3]],
    ['an array', [0x91, 0x01]],
    ['a map', [0x81, 0x01, 0x01]],
    ['an extension', [0xd4, 0x00, 0x01]],
    ['an extension of 32-bit length', [0xc9, 0, 0, 0, 1, 5, 9]],
  ])('%s as an amount is malformed and harms no other field', (_, bytes) => {
    const columns = withRawAmount(...bytes);
    expect(columns.problem[0]).toBe(malformed);
    expect(columns.amountMinor[0]).toBe(0);
  });

  it('an amount of nil is absent, one of 0 is named', () => {
    expect(decode(Kind.bet, 't', 'p', 'EUR', null).fields[0] & Field.amount).toBe(0);
    expect(decode(Kind.bet, 't', 'p', 'EUR', 0).fields[0] & Field.amount).not.toBe(0);
  });
});

describe('kinds and elements', () => {
  it.each<[unknown, number]>([
    [0, unknownKind],
    [18, unknownKind],
    [32, unknownKind],
    [-1, unknownKind],
    [2 ** 40, unknownKind],
    [1.5, malformed],
    ['bet', malformed],
    [null, malformed],
    [Kind.deposit, 0],
    [Kind.setClient, 0],
  ])('kind %s gives problem %i', (kind, problem) => {
    expect(decode(kind, 't', 'p').problem[0]).toBe(problem);
  });

  it.each([
    [2, malformed],
    [3, 0],
    [12, 0],
    [13, malformed],
  ])('a transaction of %i elements has problem %i', (elements, problem) => {
    const transaction: unknown[] = [Kind.open, 't', 'p', ...new Array(20).fill(null)];
    expect(decode(...transaction.slice(0, elements)).problem[0]).toBe(problem);
  });

  it('unknown_kind hides malformed, and malformed hides id_too_long and too_large', () => {
    const long = 'x'.repeat(65);
    expect(decode(99, '', 'p', 'EUR', 'no number').problem[0]).toBe(unknownKind);
    expect(decode(Kind.bet, long, 'p', 'EUR', 'no number').problem[0]).toBe(malformed);
    expect(decode(Kind.bet, 't', long, 'EUR', 1, long, 4).problem[0]).toBe(malformed);
    const big = Buffer.alloc(257);
    expect(decode(Kind.bet, long, 'p', 'EUR', 1, null, 0, null, null, big).problem[0]).toBe(
      idTooLong,
    );
  });

  it.each([
    [0, 0, 0],
    [1, Field.roundEnd, 0],
    [2, Field.stakeless, 0],
    [3, Field.roundEnd | Field.stakeless, 0],
    [4, 0, malformed],
    [-1, Field.roundEnd | Field.stakeless, malformed],
    [1.5, 0, malformed],
    [2 ** 32, 0, malformed],
  ])('flags %s set the bits %i and give problem %i', (flags, bits, problem) => {
    const columns = decode(Kind.win, 't', 'p', 'EUR', 1, null, flags);
    expect(columns.problem[0]).toBe(problem);
    if (problem === 0) expect(columns.fields[0] & (Field.roundEnd | Field.stakeless)).toBe(bits);
  });

  it('a whole transaction fills every column of its kind', () => {
    const metadata = Buffer.from([0, 255, 7]);
    const columns = decode(4, 'tid', 'pläyer', 'EUR', 12, 'r1', 3, 'ref', 'g1', metadata, 99);
    expect(columns.problem[0]).toBe(0);
    expect(textOf(columns, 'player')).toBe('pläyer');
    expect(textOf(columns, 'round')).toBe('r1');
    expect(textOf(columns, 'game')).toBe('g1');
    expect(columns.metadata.byteCount[0]).toBe(3);
    expect(columns.sentAtMs[0]).toBe(99);
    expect([columns.operator[0], columns.provider[0], columns.kindsAllowed[0]]).toEqual([
      3, 4, 0xff,
    ]);
    const named = Field.player | Field.currency | Field.amount | Field.round | Field.roundEnd;
    const more = Field.stakeless | Field.reference | Field.game | Field.metadata | Field.sentAt;
    expect(columns.fields[0]).toBe(named | more);
  });
});

describe('texts', () => {
  it.each([
    [0, malformed],
    [1, 0],
    [31, 0],
    [32, 0],
    [63, 0],
    [64, 0],
    [65, idTooLong],
    [255, idTooLong],
    [256, idTooLong],
    [70_000 - 6_000, idTooLong],
  ])('a transaction id of %i bytes has problem %i', (byteCount, problem) => {
    const columns = decode(Kind.open, 'i'.repeat(byteCount), 'p', 'EUR');
    expect(columns.problem[0]).toBe(problem);
    expect(columns.transactionId.byteCount[0]).toBe(problem === 0 ? byteCount : 0);
  });

  it.each([
    [8, 0],
    [9, idTooLong],
  ])('a currency of %i bytes has problem %i', (byteCount, problem) => {
    expect(decode(Kind.open, 't', 'p', 'C'.repeat(byteCount)).problem[0]).toBe(problem);
  });

  it.each([
    [255, 0],
    [256, 0],
    [257, tooLarge],
  ])('metadata of %i bytes has problem %i, as str and as bin', (byteCount, problem) => {
    for (const metadata of ['m'.repeat(byteCount), Buffer.alloc(byteCount, 0xff)]) {
      const columns = decode(Kind.open, 't', 'p', 'EUR', null, null, 0, null, null, metadata);
      expect(columns.problem[0]).toBe(problem);
    }
  });

  it('nil and the empty text are absent', () => {
    for (const absent of [null, '']) {
      const columns = decode(
        Kind.bet,
        't',
        'p',
        'EUR',
        1,
        absent,
        null,
        absent,
        absent,
        absent,
        null,
        null,
      );
      expect(columns.fields[0]).toBe(Field.player | Field.currency | Field.amount);
      expect(columns.problem[0]).toBe(0);
    }
  });

  it.each([
    ['U+0000', [0x00]],
    ['U+001F', [0x1f]],
    ['U+007F', [0x7f]],
    ['a lone continuation byte', [0x80]],
    ['an overlong form of 2 bytes', [0xc0, 0xaf]],
    ['an overlong form of 3 bytes', [0xe0, 0x9f, 0xbf]],
    ['an overlong form of 4 bytes', [0xf0, 0x8f, 0xbf, 0xbf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a byte that begins nothing', [0xff]],
    ['a form that is cut off', [0xe2, 0x82]],
  ])('%s is malformed at every place of an id', (_, wrong) => {
    for (let place = 0; place <= 9; place += 1) {
      const id = [...Buffer.from('abcdefghi'.slice(0, place)), ...wrong, ...Buffer.from('jklm')];
      if (wrong[0] === 0xe2) id.length = place + 2;
      const bytes = Uint8Array.of(0x93, Kind.open, 0xa0 | id.length, ...id, 0xa1, 0x70);
      const columns = new TransactionColumns();
      expect(readTransactions(runOf(bytes, 1), columns, 1, NO_BOUND)).toBe(true);
      expect(columns.problem[0]).toBe(malformed);
    }
  });

  it('every code point beside the controls is taken, at the bounds of each length', () => {
    const codePoints = [0x20, 0x7e, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff];
    for (const codePoint of codePoints) {
      const columns = decode(Kind.open, 't', `ab${String.fromCodePoint(codePoint)}`, 'EUR');
      expect(columns.problem[0]).toBe(0);
      expect(textOf(columns, 'player').codePointAt(2)).toBe(codePoint);
    }
  });

  it('an id that is a bin, a number or an array is malformed', () => {
    for (const id of [Buffer.from('t'), 7, ['t'], true]) {
      expect(decode(Kind.open, id, 'p', 'EUR').problem[0]).toBe(malformed);
    }
  });
});

describe('options', () => {
  const none = [null, null, null, null, null, null];
  const withOptions = (kind: number, options: unknown): TransactionColumns =>
    decode(kind, 't', kind === Kind.setOperator ? null : 'p', 'EUR', 1, ...none, options);

  it.each<[string, unknown, number]>([
    ['of win', { of: 'win' }, Field.ofWin],
    ['of bet, the default', { of: 'bet' }, 0],
    ['bucket bonus', { bucket: 'bonus' }, Field.bucketBonus],
    ['bucket cash, the default', { bucket: 'cash' }, 0],
    ['to', { to: 'p2' }, Field.to],
    ['reason', { reason: 'ticket 4' }, Field.reason],
    ['expiresIn', { expiresIn: 5 }, Field.expiresIn],
    ['status', { status: 'active' }, Field.status],
    ['definition', { definition: '{"a":\n1}' }, Field.definition],
    ['empty texts', { to: '', reason: null, of: '' }, 0],
    ['nothing', {}, 0],
    ['nil', null, 0],
  ])('%s sets its bit', (_, options, bit) => {
    const columns = withOptions(Kind.rollback, options);
    expect(columns.problem[0]).toBe(0);
    const base = Field.player | Field.currency | Field.amount;
    expect(columns.fields[0]).toBe(base | bit);
  });

  it.each<[string, unknown, number]>([
    ['an unknown key', { off: 'win' }, malformed],
    ['a key that is a number', new Map([[1, 2]]), malformed],
    ['an unknown word', { of: 'wins' }, malformed],
    ['an unknown status', { status: 'open' }, malformed],
    ['a number as a word', { bucket: 1 }, malformed],
    ['a text as a time', { expiresIn: '5' }, malformed],
    ['an array', ['of', 'win'], malformed],
    ['a receiver that is too long', { to: 'x'.repeat(65) }, idTooLong],
    ['a reason that is too long', { reason: 'x'.repeat(65) }, tooLarge],
    ['a definition that is too long', { definition: 'x'.repeat(16_385) }, tooLarge],
  ])('%s gives problem', (_, options, problem) => {
    expect(withOptions(Kind.rollback, options).problem[0]).toBe(problem);
  });

  it('a key that stands twice is malformed', () => {
    const pair = packAll(['of', 'win']);
    const head = packAll([Kind.rollback, 't', 'p', 'EUR', ...new Array(7).fill(null)]);
    const bytes = Uint8Array.of(0x9c, ...head, 0x82, ...pair, ...pair);
    const columns = new TransactionColumns();
    expect(readTransactions(runOf(bytes, 1), columns, 1, NO_BOUND)).toBe(true);
    expect(columns.problem[0]).toBe(malformed);
  });

  it('names of operators and providers are numbered, or take every kind away', () => {
    const named = withOptions(Kind.bet, { operator: 'demo', provider: 'studio' });
    expect([named.operator[0], named.provider[0], named.kindsAllowed[0]]).toEqual([5, 6, 0xff]);
    expect(withOptions(Kind.bet, { operator: 'other' }).kindsAllowed[0]).toBe(0);
    expect(withOptions(Kind.bet, { provider: 'other' }).kindsAllowed[0]).toBe(0);
  });

  it('setOperator has its operator where others have their player, without a bit', () => {
    const columns = withOptions(Kind.setOperator, { operator: 'demo', definition: '{}' });
    expect(textOf(columns, 'player')).toBe('demo');
    expect(columns.fields[0] & Field.player).toBe(0);
    expect(textOf(columns, 'definition')).toBe('{}');
  });
});

describe('structure', () => {
  const batch = Array.from({ length: 5 }, (_, place) => [
    3,
    `transaction-${place}`,
    'player',
    'EUR',
    100,
    'round',
    1,
    null,
    'game',
    'meta',
    1e12,
    { of: 'win' },
  ]);

  it('a frame that is cut at any byte gives the transactions before the cut, and no more', () => {
    const bytes = packAll(batch);
    const ends = batch.map((_, place) => packAll(batch.slice(0, place + 1)).length);
    const columns = new TransactionColumns();
    for (let cut = 0; cut < bytes.length; cut += 1) {
      emptyColumns(columns);
      const run = runOf(bytes.slice(0, cut), 5);
      expect(readTransactions(run, columns, 5, NO_BOUND)).toBe(false);
      const whole = ends.filter((end) => end <= cut).length;
      expect([columns.count, run.remaining]).toEqual([whole, 5 - whole]);
    }
  });

  it('a run that is read in parts gives the same rows as in one', () => {
    const whole = new TransactionColumns();
    readTransactions(runOf(packAll(batch), 5), whole, 5, NO_BOUND);
    const parts = new TransactionColumns();
    const run = runOf(packAll(batch), 5);
    expect(readTransactions(run, parts, 2, NO_BOUND)).toBe(true);
    expect([parts.count, run.remaining]).toEqual([2, 3]);
    expect(readTransactions(run, parts, 9, 1)).toBe(true);
    expect([parts.count, run.remaining]).toEqual([3, 2]);
    expect(readTransactions(run, parts, 9, NO_BOUND)).toBe(true);
    expect(parts.fields.slice(0, 5)).toEqual(whole.fields.slice(0, 5));
    expect(parts.transactionId.at.slice(0, 5)).toEqual(whole.transactionId.at.slice(0, 5));
  });

  it('50,000 nested arrays are malformed by themselves and exhaust no stack', () => {
    const bomb = new Uint8Array(50_001).fill(0x91, 0, 50_000);
    const good = packAll([[Kind.open, 't', 'p', 'EUR']]);
    const bytes = Uint8Array.of(0x93, Kind.open, ...bomb, 0xa1, 0x70, ...good);
    const columns = new TransactionColumns();
    expect(readTransactions(runOf(bytes, 2), columns, 2, NO_BOUND)).toBe(true);
    expect(Array.from(columns.problem.slice(0, 2))).toEqual([malformed, 0]);
  });

  it.each([
    [TRANSACTION_BYTES_MAX - 1, true],
    [TRANSACTION_BYTES_MAX, true],
    [TRANSACTION_BYTES_MAX + 1, false],
  ])('a transaction of %i bytes: is read through %s', (byteCount, isWhole) => {
    const before = packAll([Kind.open, 't', 'p', 'EUR']);
    const metadata = new Uint8Array(byteCount - before.length - 6);
    const nils = [0xc0, 0xc0, 0xc0, 0xc0, 0xc0];
    metadata.fill(0);
    const head = [0xc6, 0, 0, 0, 0];
    const bytes = new Uint8Array(byteCount);
    const body = bytes.length - 1 - before.length - nils.length - head.length;
    bytes.set([0x9a, ...before, ...nils, ...head]);
    new DataView(bytes.buffer).setUint32(1 + before.length + nils.length + 1, body);
    const columns = new TransactionColumns();
    expect(readTransactions(runOf(bytes, 1), columns, 1, NO_BOUND)).toBe(isWhole);
  });

  it('a count that the bytes cannot hold breaks the structure at once', () => {
    for (const head of [
      [0xdd, 255, 255, 255, 255],
      [0xdf, 255, 255, 255, 255],
      [0xc6, 255, 255, 255, 255],
    ]) {
      const bytes = Uint8Array.of(0x93, Kind.open, ...head, 0xa1, 0x70);
      expect(readTransactions(runOf(bytes, 1), new TransactionColumns(), 1, NO_BOUND)).toBe(false);
    }
    const never = Uint8Array.of(0x93, Kind.open, 0xc1, 0xa1, 0x70);
    expect(readTransactions(runOf(never, 1), new TransactionColumns(), 1, NO_BOUND)).toBe(false);
  });

  it('random bytes never throw, never read past the end, and never fill a row half', () => {
    const seed = Number(process.env.KASSA_TEST_SEED ?? Date.now() % 2 ** 32);
    console.info(`seed ${seed} (KASSA_TEST_SEED=${seed} repeats it)`);
    const random = randomOf(seed);
    const heads = [0x93, 0x99, 0x9c, 0xa3, 0xc0, 0x01, 0x03, 0xcf, 0xcb, 0xd9, 0x81, 0xde, 0xc4];
    const columns = new TransactionColumns();
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = new Uint8Array(1 + Math.floor(random() * 60));
      for (let place = 0; place < bytes.length; place += 1) {
        const guided = random() < 0.5;
        bytes[place] = guided ? heads[Math.floor(random() * heads.length)] : random() * 256;
      }
      emptyColumns(columns);
      const run = runOf(bytes, 8);
      readTransactions(run, columns, 8, NO_BOUND);
      expect(run.at).toBeLessThanOrEqual(bytes.length);
      expect(columns.count + run.remaining).toBe(8);
      for (let row = 0; row < columns.count; row += 1) {
        if (columns.problem[row] !== 0) continue;
        const end = columns.transactionId.at[row] + columns.transactionId.byteCount[row];
        expect(end).toBeLessThanOrEqual(bytes.length);
        expect(columns.kind[row]).toBeGreaterThan(0);
      }
    }
  });
});

// xorshift32: enough for tests, and repeatable.
function randomOf(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

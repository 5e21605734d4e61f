// TransactionKeys and the kernel below it: they give what SipHash written out plainly gives, for
// every kind of row and wherever its texts lie; a replay's rows get the same words as live ones.
import { describe, expect, test } from 'vitest';
import { nameRound, TransactionKeys } from '../../../core/decisions/transaction-keys.ts';
import { HASH_STATE_WORDS, kernelKeys } from '../../../core/kernel/kernel.ts';
import { Field, Kind } from '../../../core/kinds.ts';
import { PASS_TRANSACTIONS_MAX } from '../../../core/limits.ts';
import { KeyColumns } from '../../../core/records/key-columns.ts';
import { type TextColumn, TransactionColumns } from '../../../core/transaction-columns.ts';
import { plainSipHash, textWords } from '../../support/plain-siphash.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { sourceOf, sourceOfText } from '../../support/text-source.ts';

const SEED = Uint8Array.from({ length: 16 }, (_, place) => place * 17);
const OWNER = 5 * 256 + 2;

const OPTIONAL_TEXTS = [
  ['round', Field.round],
  ['reference', Field.reference],
  ['game', Field.game],
  ['to', Field.to],
  ['reason', Field.reason],
  ['definition', Field.definition],
] as const;

type TextName = (typeof OPTIONAL_TEXTS)[number][0] | 'player' | 'transactionId';

/** One transaction as a plain object. */
interface Row {
  readonly kind: number;
  readonly fields: number;
  readonly provider: number;
  readonly amountMinor: number;
  readonly expiresInMs: number;
  readonly status: number;
  readonly texts: Readonly<Partial<Record<TextName, Uint8Array>>>;
}

function randomRow(random: SeededRandom, isRare: boolean): Row {
  let fields = random.below(2) * Field.amount;
  const texts: Partial<Record<TextName, Uint8Array>> = {
    transactionId: random.bytes(1 + random.below(64)),
    player: random.bytes(1 + random.below(64)),
  };
  for (const [name, field] of OPTIONAL_TEXTS) {
    if (random.below(2) === 0 || (field > Field.game && !isRare)) continue;
    fields |= field;
    texts[name] = random.bytes(1 + random.below(name === 'definition' ? 16_384 : 64));
  }
  if (isRare) fields |= random.below(4) * Field.expiresIn;
  return {
    kind: [Kind.bet, Kind.win, Kind.rollback, Kind.capture][random.below(4)],
    fields: fields | (random.below(2) * Field.ofWin),
    provider: random.below(65_536),
    amountMinor: random.below(2 ** 31) * 2 ** random.below(20) - random.below(2) * 5,
    expiresInMs: random.below(2 ** 31),
    status: random.below(4),
    texts,
  };
}

/** The rows in columns, their texts behind each other, or each far from the last. */
function columnsOf(rows: readonly Row[], gapBytes: number): TransactionColumns {
  const columns = new TransactionColumns();
  const places: [TextColumn, number, Uint8Array, number][] = [];
  let end = 3;
  for (const [row, { texts, ...values }] of rows.entries()) {
    columns.kind[row] = values.kind;
    columns.fields[row] = values.fields;
    columns.provider[row] = values.provider;
    columns.amountMinor[row] = values.amountMinor;
    columns.expiresInMs[row] = values.expiresInMs;
    columns.status[row] = values.status;
    for (const name of ['transactionId', 'player', ...OPTIONAL_TEXTS.map(([each]) => each)]) {
      const text = texts[name as TextName];
      if (text === undefined) continue;
      places.push([columns[name as TextName], row, text, end]);
      end += text.byteLength + gapBytes;
    }
  }
  const bytes = new Uint8Array(end);
  for (const [column, row, text, at] of places) {
    bytes.set(text, at);
    column.at[row] = at;
    column.byteCount[row] = text.byteLength;
  }
  columns.sources.push(sourceOf(bytes));
  columns.count = rows.length;
  return columns;
}

function hashRows(columns: TransactionColumns): KeyColumns {
  const keys = new TransactionKeys(SEED);
  for (let from = 0; from < columns.count; from += PASS_TRANSACTIONS_MAX) {
    const until = Math.min(columns.count, from + PASS_TRANSACTIONS_MAX);
    keys.begin(from);
    for (let row = from; row < until; row += 1) keys.add(columns, row, OWNER);
    keys.finish(until);
  }
  const found = new KeyColumns();
  found.copyRows(kernelKeys, 0, columns.count);
  return found;
}

/** The words of 64 bits that a row's hashes have. */
function wordsOf(keys: KeyColumns, row: number, fields: number): Record<string, readonly bigint[]> {
  const long = (words: Int32Array, at: number, count: number) =>
    Array.from({ length: count }, (_, place) =>
      BigInt.asUintN(
        64,
        (BigInt(words[at + place * 2 + 1]) << 32n) | BigInt(words[at + place * 2] >>> 0),
      ),
    );
  return {
    account: long(keys.account, row * 2, 1),
    key: long(keys.key, row * 4, 2),
    round: (fields & Field.round) === 0 ? [] : long(keys.round, row * 4, 2),
    reference: (fields & Field.reference) === 0 ? [] : long(keys.reference, row * 4, 2),
    body: long(keys.body, row * 2, 1),
  };
}

/** The same by SipHash written out. */
function plainWordsOf(row: Row): Record<string, readonly bigint[]> {
  const { fields, kind, texts } = row;
  const has = (field: number) => (fields & field) !== 0;
  const provider = row.provider * 256;
  const text = (name: TextName, domain: number) =>
    textWords(domain, texts[name] ?? new Uint8Array(0));
  const player = text('player', OWNER >>> 8);
  const currency = BigInt(OWNER & 0xff);
  const ofWin = has(Field.ofWin);
  const isRollback = kind === Kind.rollback;
  const keyKind = isRollback && ofWin ? 0x45 : kind;
  const rollsBack = ofWin ? Kind.win : Kind.bet;
  const refersTo = isRollback ? rollsBack : kind === Kind.win ? Kind.bet : Kind.hold;
  const hash = (words: readonly bigint[]) => plainSipHash(SEED, [...player, ...words]);
  const round = has(Field.round) ? hash([...text('round', provider | 0xe0), currency]) : [];
  const reference = has(Field.reference) ? hash(text('reference', provider | refersTo)) : [];
  const restText = (name: TextName, field: number, domain: number) => {
    if (!has(field)) return [];
    const [, ...words] = text(name, 0);
    return [(BigInt(domain) << 32n) | BigInt(texts[name]?.byteLength ?? 0), ...words];
  };
  const body = hash([
    BigInt(fields & ~(Field.player | Field.currency)) | (currency << 32n),
    doubleBits(has(Field.amount) ? row.amountMinor : 0),
    ...round.slice(0, 1),
    ...reference.slice(0, 1),
    ...(has(Field.game) ? text('game', 0xb0) : []),
    ...restText('to', Field.to, 0xb1),
    ...restText('reason', Field.reason, 0xb2),
    ...(has(Field.expiresIn) ? [doubleBits(row.expiresInMs)] : []),
    ...(has(Field.status) ? [doubleBits(row.status)] : []),
    ...restText('definition', Field.definition, 0xb3),
  ]);
  return {
    account: [plainSipHash(SEED, [...player, currency])[0]],
    key: hash(text('transactionId', provider | keyKind)),
    round,
    reference,
    body: [body[0]],
  };
}

function doubleBits(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0];
}

describe('TransactionKeys', () => {
  test('the plain SipHash gives the published result (SipHash-2-4-128, empty text)', () => {
    const seed = Uint8Array.from({ length: 16 }, (_, place) => place);
    const found = plainSipHash(seed, [0n], { perWord: 2, perEnd: 4 });
    const bytes = new Uint8Array(BigUint64Array.from(found).buffer);
    expect(Buffer.from(bytes).toString('hex')).toBe('a3817f04ba25a8e66df67214c7550293');
  });

  test.each([
    ['behind each other', 0, false],
    ['some bytes apart', 9, true],
    ['far from each other', 1_500, true],
  ])('rows with texts %s get the words that SipHash gives', (_, gapBytes, isRare) => {
    const random = new SeededRandom(`TransactionKeys ${gapBytes}`);
    const rows = Array.from({ length: 300 }, () => randomRow(random, isRare));
    const keys = hashRows(columnsOf(rows, gapBytes));
    for (const [row, each] of rows.entries()) {
      expect(wordsOf(keys, row, each.fields), `row ${row}`).toEqual(plainWordsOf(each));
    }
  });

  test('a row of a known account gets the same words from the state behind its player', () => {
    const random = new SeededRandom('TransactionKeys known');
    const rows = Array.from({ length: PASS_TRANSACTIONS_MAX }, () => randomRow(random, true));
    const columns = columnsOf(rows, 0);
    const keys = new TransactionKeys(SEED);
    const states = new Int32Array(rows.length * HASH_STATE_WORDS);
    for (const row of rows.keys()) {
      const { at, byteCount } = columns.player;
      const player = { source: columns.sources[0], at: at[row], byteCount: byteCount[row] };
      keys.absorbPlayer(OWNER >>> 8, player, states, row * HASH_STATE_WORDS);
    }
    keys.begin(0);
    for (const row of rows.keys()) {
      keys.addKnown(columns, row, OWNER & 0xff, states, row * HASH_STATE_WORDS, true);
    }
    keys.finish(rows.length);
    for (const [row, each] of rows.entries()) {
      expect(wordsOf(kernelKeys, row, each.fields), `row ${row}`).toEqual(plainWordsOf(each));
    }
  });

  test('a row that is passed over spoils none of the others', () => {
    const random = new SeededRandom('TransactionKeys skipped');
    const rows = Array.from({ length: 6 }, () => randomRow(random, false));
    const columns = columnsOf(rows, 0);
    const keys = new TransactionKeys(SEED);
    keys.begin(0);
    for (const row of rows.keys()) {
      if (row % 2 === 0) keys.skip(row);
      else keys.add(columns, row, OWNER);
    }
    keys.finish(rows.length);
    for (const row of [1, 3, 5]) {
      expect(wordsOf(kernelKeys, row, rows[row].fields)).toEqual(plainWordsOf(rows[row]));
    }
  });

  test('an amount of −0 is the amount 0', () => {
    const row: Row = {
      ...{ kind: Kind.win, fields: Field.amount, provider: 1, expiresInMs: 0, status: 0 },
      amountMinor: 0,
      texts: { transactionId: Uint8Array.of(1), player: Uint8Array.of(2) },
    };
    const keys = hashRows(columnsOf([row, { ...row, amountMinor: -0 }], 0));
    expect(keys.body.subarray(0, 2)).toEqual(keys.body.subarray(2, 4));
  });

  test('the hash of another account leaves those of the rows as they are', () => {
    const random = new SeededRandom('TransactionKeys receivers');
    const rows = Array.from({ length: 3 }, () => randomRow(random, false));
    const columns = columnsOf(rows, 0);
    const keys = new TransactionKeys(SEED);
    keys.begin(0);
    for (const row of rows.keys()) keys.add(columns, row, OWNER);
    keys.finish(rows.length);
    const words = new Int32Array(2);
    keys.hashAccount(OWNER, { source: sourceOfText('x'), at: 0, byteCount: 1 }, words, 0);
    for (const [row, each] of rows.entries()) {
      expect(wordsOf(kernelKeys, row, each.fields)).toEqual(plainWordsOf(each));
    }
    const [expected] = plainSipHash(SEED, [...textWords(5, Uint8Array.of(0x78)), 2n]);
    expect(new BigUint64Array(words.buffer)[0]).toBe(expected);
  });

  test('a nameless round has a key of its own, made of its transaction`s key', () => {
    const words = Int32Array.of(1, 2, 3, 4, 0, 0, 0, 0);
    nameRound(words, 0, words, 4);
    expect([...words.subarray(5)]).toEqual([2, 3, 4]);
    expect(words[4]).not.toBe(words[0]);
  });

  test('a million consecutive players: no collision, and even slots', () => {
    const count = 1_000_000;
    const keys = new TransactionKeys(SEED);
    const source = sourceOfText('player-0000000');
    const player = { source, at: 0, byteCount: source.bytes.byteLength };
    const words = new Int32Array(2);
    const hashes = new BigUint64Array(count);
    const slots = new Int32Array(1024);
    const asLong = new BigUint64Array(words.buffer);
    for (let id = 0; id < count; id += 1) {
      for (let digit = 13, rest = id; digit >= 7; digit -= 1, rest = Math.floor(rest / 10)) {
        source.bytes[digit] = 0x30 + (rest % 10);
      }
      keys.hashAccount(OWNER, player, words, 0);
      hashes[id] = asLong[0];
      slots[words[0] & 1023] += 1;
    }
    hashes.sort();
    for (let id = 1; id < count; id += 1) {
      if (hashes[id] === hashes[id - 1]) expect.fail(`two players have a hash of ${hashes[id]}`);
    }
    // 977 each on average, a standard deviation of 31; six of them on both sides.
    expect(Math.min(...slots)).toBeGreaterThan(977 - 190);
    expect(Math.max(...slots)).toBeLessThan(977 + 190);
  });

  test('each bit of the seed matters, and a seed of another length is refused', () => {
    const words = new Int32Array(2);
    const player = { source: sourceOfText('player'), at: 0, byteCount: 6 };
    const hashOf = (seed: Uint8Array) => {
      new TransactionKeys(seed).hashAccount(OWNER, player, words, 0);
      return words.join();
    };
    const seen = new Set([hashOf(SEED)]);
    for (let bit = 0; bit < 128; bit += 1) {
      const seed = SEED.slice();
      seed[bit >> 3] ^= 1 << (bit & 7);
      seen.add(hashOf(seed));
    }
    expect(seen.size).toBe(129);
    expect(() => new TransactionKeys(new Uint8Array(15))).toThrow('16 bytes');
  });
});

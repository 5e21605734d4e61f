// Records of every kind, with all their optional parts, are read as they were written; what is cut
// or does not fit its block is refused.
import { describe, expect, test } from 'vitest';
import { Field, fieldsFitKind, Kind, kindName } from '../../../core/kinds.ts';
import { DEFINITION_BYTES_MAX, RECORD_BYTES_MAX } from '../../../core/limits.ts';
import { OutcomeTrait } from '../../../core/tables/outcome-rows.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import {
  expectRow,
  newBlock,
  type RecordCase,
  readAll,
  type Texts,
  writeCase,
} from './record-case.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const NOW_MS = 1_700_000_000_000;
const ID_64 = 'é'.repeat(32);
const ACCOUNT = Field.player | Field.currency;
const EVERY = Field.metadata | Field.sentAt;
const PLAY = Field.round | Field.game;

/** All fields of each kind, by the table in wallet-rules.md. */
const FIELDS: Readonly<Record<number, number>> = {
  [Kind.deposit]: ACCOUNT | Field.amount,
  [Kind.withdraw]: ACCOUNT | Field.amount,
  [Kind.bet]: ACCOUNT | Field.amount | PLAY | Field.roundEnd,
  [Kind.win]: ACCOUNT | Field.amount | PLAY | Field.roundEnd | Field.reference | Field.stakeless,
  [Kind.rollback]: ACCOUNT | Field.reference | PLAY | Field.amount | Field.ofWin,
  [Kind.hold]: ACCOUNT | Field.amount | Field.expiresIn,
  [Kind.capture]: ACCOUNT | Field.amount | Field.reference,
  [Kind.release]: ACCOUNT | Field.amount | Field.reference,
  [Kind.transfer]: ACCOUNT | Field.amount | Field.to,
  [Kind.grant]: ACCOUNT | Field.amount,
  [Kind.convert]: ACCOUNT | Field.amount,
  [Kind.forfeit]: ACCOUNT | Field.amount,
  [Kind.adjust]: ACCOUNT | Field.amount | Field.reason | Field.bucketBonus,
  [Kind.open]: ACCOUNT,
  [Kind.setStatus]: ACCOUNT | Field.status | Field.reason,
  [Kind.setOperator]: Field.definition,
  [Kind.setClient]: Field.definition,
};
const SENT_KINDS = Object.keys(FIELDS).map(Number);

const TEXT_OF_FIELD: readonly (readonly [number, keyof Texts])[] = [
  ...([
    [Field.round, 'round'],
    [Field.reference, 'reference'],
    [Field.game, 'game'],
    [Field.metadata, 'metadata'],
    [Field.to, 'to'],
    [Field.reason, 'reason'],
    [Field.definition, 'definition'],
  ] as const),
];

function textsOf(fields: number, text: (name: keyof Texts) => string): Texts {
  const texts: Texts = { transactionId: text('transactionId') };
  for (const [field, name] of TEXT_OF_FIELD) if ((fields & field) !== 0) texts[name] = text(name);
  return texts;
}

/** The longest record of a kind: all its fields, the longest texts, the largest numbers. */
function longest(kind: number): RecordCase {
  const fields = FIELDS[kind] | EVERY;
  const texts = textsOf(fields, (name) => {
    if (name === 'metadata') return 'm'.repeat(256);
    return name === 'definition' ? 'd'.repeat(DEFINITION_BYTES_MAX) : ID_64;
  });
  const hasAccount = kind < Kind.setOperator;
  const isNew = kind === Kind.open;
  if (isNew || !hasAccount) texts.player = ID_64;
  const amount = (fields & Field.amount) === 0 ? {} : { amountMinor: MAX };
  const sentAtMs = NOW_MS - 5;
  const decision = {
    kind,
    fields,
    timeMs: NOW_MS,
    accountRow: hasAccount ? 99_999_999 : -1,
    owner: 4096 * 256 + 254,
    provider: 65_535,
    traits: isNew ? OutcomeTrait.made : 0,
    ...(hasAccount ? BALANCES : {}),
    ...amount,
    ...(kind === Kind.hold ? { expiresInMs: 10 ** 10 } : {}),
    ...(kind === Kind.setStatus ? { status: 3, extra: 2 } : {}),
    ...(kind === Kind.rollback ? { extra: 3 } : {}),
    ...(kind === Kind.transfer ? { receiverRow: 5, receiverCashMinor: -MAX } : {}),
  };
  return { decision, texts, sentAtMs };
}

const BALANCES = {
  cashMovedMinor: -MAX,
  bonusMovedMinor: MAX,
  cashMinor: -MAX,
  bonusMinor: -MAX,
  heldMinor: MAX,
};

function shortest(kind: number): RecordCase {
  const { decision } = longest(kind);
  const { accountRow, traits, owner, timeMs } = decision;
  const texts: Texts = { transactionId: 't' };
  if ((accountRow ?? 0) < 0 || traits === OutcomeTrait.made) texts.player = 'p';
  return { decision: { kind, accountRow, traits, owner, timeMs } as RecordCase['decision'], texts };
}

function writeAndRead(cases: readonly RecordCase[]): void {
  const block = newBlock();
  for (const one of cases) writeCase(block, one);
  expect(block.recordCount).toBe(cases.length);
  const read = readAll(block.bytes.subarray(0, block.usedBytes), cases.length);
  expect(read.isAtEnd).toBe(true);
  for (const [row, one] of cases.entries()) expectRow(read, row, one);
}

describe('records are read as they were written', () => {
  test('the table of fields above is the kinds’ own', () => {
    for (const kind of SENT_KINDS) {
      expect(fieldsFitKind(kind, FIELDS[kind] | EVERY), kindName(kind)).toBe(true);
      for (const field of Object.values(Field)) {
        if ((FIELDS[kind] & field) !== 0 || (EVERY & field) !== 0) continue;
        expect(fieldsFitKind(kind, FIELDS[kind] | field), `${kindName(kind)} ${field}`).toBe(false);
      }
    }
  });

  test.each(SENT_KINDS.map((kind) => [kindName(kind), kind] as const))(
    '%s: with all parts, with none, and one after the other',
    (_, kind) => {
      writeAndRead([longest(kind)]);
      writeAndRead([shortest(kind)]);
      writeAndRead([longest(kind), shortest(kind), longest(kind), shortest(kind)]);
    },
  );

  test.each([Kind.roundAged, Kind.holdExpired, Kind.setRetention])('system kind %i', (kind) => {
    const facts = { kind, accountRow: 5, subjectSequence: MAX, timeMs: NOW_MS };
    writeAndRead([{ decision: { ...facts, ...BALANCES } }, { decision: facts }]);
  });

  test('a retention is a record without an account', () => {
    const amount = { fields: Field.amount, amountMinor: 10 ** 10 };
    writeAndRead([{ decision: { kind: Kind.setRetention, timeMs: NOW_MS, ...amount } }]);
  });

  test('all kinds in a row in one block', () => {
    writeAndRead(SENT_KINDS.flatMap((kind) => [longest(kind), shortest(kind)]));
  });

  test('amounts below zero, noop bets, wins that joined a round and refused transfers', () => {
    const adjust = shortest(Kind.adjust).decision;
    const negative = { ...adjust, fields: Field.amount, amountMinor: -MAX };
    const noop = { ...shortest(Kind.bet).decision, traits: OutcomeTrait.noop };
    const joined = { ...shortest(Kind.win).decision, traits: OutcomeTrait.joined };
    const refused = { ...longest(Kind.transfer).decision, code: 29, receiverRow: -1 };
    writeAndRead([
      { decision: negative, texts: { transactionId: 't' } },
      { decision: noop, texts: { transactionId: 't' } },
      { decision: joined, texts: { transactionId: 't' } },
      { ...longest(Kind.transfer), decision: refused },
    ]);
  });

  test('a joined round of what is no accepted win is refused', () => {
    const win = { ...shortest(Kind.win).decision, traits: OutcomeTrait.joined };
    const texts = { transactionId: 't' };
    for (const decision of [
      { ...win, kind: Kind.bet },
      { ...win, code: 12 },
    ]) {
      expect(() => writeAndRead([{ decision, texts }])).toThrow('only an accepted win joins');
    }
  });

  test('times are kept within a block, also when the block before was long ago', () => {
    const at = (timeMs: number): RecordCase => {
      const { decision, texts } = shortest(Kind.bet);
      return { decision: { ...decision, timeMs }, ...(texts && { texts }) };
    };
    writeAndRead([at(0), at(0), at(NOW_MS), at(NOW_MS), at(NOW_MS + 1), at(2 ** 48 - 1)]);
  });

  test('random records of random kinds', () => {
    const random = new SeededRandom('records');
    const signed = () => (random.below(2) === 0 ? -random.amountMinor() : random.amountMinor());
    for (let run = 0; run < 40; run += 1) {
      let timeMs = NOW_MS;
      const cases = Array.from({ length: 60 }, (): RecordCase => {
        timeMs += random.below(1000);
        return randomCase(random, timeMs, signed);
      });
      writeAndRead(cases);
    }
  });
});

function randomCase(random: SeededRandom, timeMs: number, signed: () => number): RecordCase {
  const kind = SENT_KINDS[random.below(SENT_KINDS.length)];
  const whole = longest(kind);
  // Fields of the kind that this record leaves out.
  const fields = (whole.decision.fields ?? 0) & random.word();
  const texts = textsOf(fields, (name) => {
    const most = name === 'metadata' ? 256 : name === 'definition' ? DEFINITION_BYTES_MAX : 64;
    return 'x'.repeat(1 + random.below(most));
  });
  if (whole.texts?.player !== undefined) texts.player = 'p'.repeat(1 + random.below(64));
  const hasAccount = (whole.decision.accountRow ?? -1) >= 0;
  const balances = {
    cashMovedMinor: signed(),
    bonusMovedMinor: signed(),
    cashMinor: signed(),
    bonusMinor: signed(),
    heldMinor: random.amountMinor(),
  };
  const decision = {
    ...whole.decision,
    fields,
    timeMs,
    code: random.below(30),
    provider: random.below(65_536),
    ...(hasAccount ? balances : {}),
    amountMinor: (fields & Field.amount) === 0 ? 0 : signed(),
    expiresInMs: (fields & Field.expiresIn) === 0 ? 0 : 1 + random.amountMinor(),
  };
  return { decision, texts, sentAtMs: random.amountMinor() };
}

describe('lengths', () => {
  test.each(SENT_KINDS.map((kind) => [kindName(kind), kind] as const))(
    'the longest %s is within the bound that blocks reckon with',
    (_, kind) => {
      const block = newBlock();
      writeCase(block, longest(kind));
      const bound = kind >= Kind.setOperator ? DEFINITION_BYTES_MAX : 0;
      expect(block.usedBytes).toBeLessThanOrEqual(RECORD_BYTES_MAX + bound);
    },
  );

  test.each([0x3fff - 40, 0x3fff - 20, 0x3fff - 15, 0x3fff - 10, 0x3fff, DEFINITION_BYTES_MAX])(
    'definitions around the two-byte length: %i bytes',
    (byteCount) => {
      const { decision } = shortest(Kind.setClient);
      const cases = Array.from({ length: 30 }, (_, less): RecordCase => {
        const texts = { transactionId: 't', player: 'p', definition: 'd'.repeat(byteCount - less) };
        return { decision: { ...decision, fields: Field.definition }, texts };
      });
      writeAndRead(cases);
    },
  );
});

describe('records that are damaged', () => {
  test.each(SENT_KINDS.map((kind) => [kindName(kind), kind] as const))(
    'a %s cut at each byte is refused',
    (_, kind) => {
      const block = newBlock();
      writeCase(block, longest(kind));
      // A definition is long and all alike: each cut near its ends, and some between.
      const step = kind >= Kind.setOperator ? 97 : 1;
      for (let byteCount = 0; byteCount < block.usedBytes; byteCount += step) {
        const cut = block.bytes.slice(0, byteCount);
        expect(() => readAll(cut, 1), `${byteCount} bytes`).toThrow('Broken invariant');
      }
      const whole = block.bytes.slice(0, block.usedBytes);
      expect(readAll(whole, 1).isAtEnd).toBe(true);
    },
  );

  test('a record whose length is wrong is refused, and so is a text beyond its record', () => {
    const block = newBlock();
    writeCase(block, longest(Kind.bet));
    writeCase(block, longest(Kind.bet));
    for (const change of [-1, 1]) {
      const content = block.bytes.slice(0, block.usedBytes);
      content[0] += change;
      expect(() => readAll(content, 2)).toThrow(/ends (where|within) its/);
    }
  });

  test('fewer records than the block holds leave the reader before its end', () => {
    const block = newBlock();
    writeCase(block, shortest(Kind.bet));
    writeCase(block, shortest(Kind.bet));
    const content = block.bytes.slice(0, block.usedBytes);
    expect(readAll(content, 1).isAtEnd).toBe(false);
    expect(() => readAll(content, 3)).toThrow('Broken invariant');
  });
});

// Decoding plain transactions as a WebAssembly function: 4 to 9 elements, a kind that play and cash
// use, ids in ASCII, whole amounts of up to 32 bits. That is nearly everything a game server sends;
// at whatever else the function stops, and transaction-reader.ts, which knows every form, goes on.
// It tests no byte's place before it loads it: what it took for a transaction counts only if it
// ended within the bytes that are there, and behind them the memory has room for the longest
// nonsense.
import {
  type Code,
  f64,
  get,
  i32,
  i64,
  load8,
  load64,
  long,
  select,
  sequence,
  set,
  store8,
  store16,
  store32,
  storeDouble,
  wasmModule,
  when,
  whileLoop,
  word,
} from '../../core/kernel/wasm-code.ts';
import { Field, Kind } from '../../core/kinds.ts';
import { CURRENCY_BYTES_MAX, ID_BYTES_MAX } from '../../core/limits.ts';
import type { TextColumn, TransactionColumns } from '../../core/transaction-columns.ts';

/** Where the function leaves its results: the address it came to, and the first row not filled. */
export const ResultWord = { at: 0, row: 1 } as const;
/** Bytes of the results. */
export const RESULT_BYTES = 8;

/** Six texts of up to 255 bytes as their heads may say, and what stands between them. */
export const NONSENSE_BYTES_MAX = 2_048;

// Locals: parameters, words, longs.
const AT = 0;
const END = 1;
const PAUSE_AT = 2;
const DISTANCE = 3;
const ROW = 4;
const ROWS_END = 5;
const PARAMETER_COUNT = 6;
const ELEMENT_COUNT = 6;
const KIND = 7;
const FIELDS = 8;
const NEXT = 9;
const IS_STRANGE = 10;
const HEAD = 11;
const BYTE_COUNT = 12;
const TEXT_AT = 13;
const AMOUNT = 14;
const CHECKED = 15;
const CHECKED_END = 16;
/** Places and lengths of six texts. */
const TEXTS = 17;
const WORD_COUNT: number = TEXTS + 12 - PARAMETER_COUNT;
const TEXT_WORD: number = TEXTS + 12;
const WRONG: number = TEXT_WORD + 1;
const MASK: number = TEXT_WORD + 2;
const LONG_COUNT = 3;

const Text = { transactionId: 0, player: 1, currency: 2, round: 3, reference: 4, game: 5 } as const;

const NIL = 0xc0;
const ELEMENTS_MIN = 4;
const ELEMENTS_MAX = 9;
const HIGH_BITS = 0x8080808080808080n;
const SPACES = 0x2020202020202020n;
const DELETES = 0x7f7f7f7f7f7f7f7fn;
const ONES = 0x0101010101010101n;

function refuseIf(condition: Code): Code {
  return set(IS_STRANGE, i32.or(get(IS_STRANGE), condition));
}

function skip(byteCount: number): Code {
  return set(NEXT, i32.add(get(NEXT), word(byteCount)));
}

function not64(value: Code): Code {
  return i64.xor(value, long(-1n));
}

/** Notes in WRONG where a word of text has bytes below 0x20, 0x7f, or above. */
function checkWord(value: Code): Code {
  const deletes = i64.xor(get(TEXT_WORD), long(DELETES));
  const below = i64.and(i64.sub(get(TEXT_WORD), long(SPACES)), not64(get(TEXT_WORD)));
  const equal = i64.and(i64.sub(deletes, long(ONES)), not64(deletes));
  return sequence(
    set(TEXT_WORD, value),
    set(WRONG, i64.or(get(WRONG), i64.or(get(TEXT_WORD), i64.or(below, equal)))),
  );
}

/** Checks the bytes of a text; those behind its end count as spaces. */
function checkText(): Code {
  const restBits = i64.extendI32U(i32.shl(i32.and(get(BYTE_COUNT), word(7)), word(3)));
  const last = load64(get(CHECKED));
  return sequence(
    set(CHECKED, get(TEXT_AT)),
    set(CHECKED_END, i32.add(get(TEXT_AT), i32.and(get(BYTE_COUNT), word(~7)))),
    whileLoop(
      i32.ltU(get(CHECKED), get(CHECKED_END)),
      sequence(checkWord(load64(get(CHECKED))), set(CHECKED, i32.add(get(CHECKED), word(8)))),
    ),
    set(MASK, i64.sub(i64.shl(long(1n), restBits), long(1n))),
    checkWord(i64.or(i64.and(last, get(MASK)), i64.and(long(SPACES), not64(get(MASK))))),
  );
}

/** A str of 1 to `bytesMax` bytes. */
function readText(text: number, bytesMax: number): Code {
  const isLong = i32.eq(get(HEAD), word(0xd9));
  const isShort = i32.eq(i32.and(get(HEAD), word(0xe0)), word(0xa0));
  return sequence(
    set(HEAD, load8(get(NEXT))),
    set(BYTE_COUNT, select(load8(get(NEXT), 1), i32.and(get(HEAD), word(0x1f)), isLong)),
    set(TEXT_AT, i32.add(i32.add(get(NEXT), word(1)), isLong)),
    refuseIf(i32.eqz(i32.or(isLong, isShort))),
    refuseIf(i32.gtU(i32.sub(get(BYTE_COUNT), word(1)), word(bytesMax - 1))),
    checkText(),
    set(TEXTS + text * 2, get(TEXT_AT)),
    set(TEXTS + text * 2 + 1, get(BYTE_COUNT)),
    set(NEXT, i32.add(get(TEXT_AT), get(BYTE_COUNT))),
  );
}

function unlessNil(otherwise: Code): Code {
  return sequence(
    set(HEAD, load8(get(NEXT))),
    when(i32.eq(get(HEAD), word(NIL)), skip(1)),
    when(i32.ne(get(HEAD), word(NIL)), otherwise),
  );
}

function addField(field: number): Code {
  return set(FIELDS, i32.or(get(FIELDS), word(field)));
}

function whenElements(more: number, then: Code): Code {
  return when(i32.gtU(get(ELEMENT_COUNT), word(more)), then);
}

/** A whole number: one byte with its own head, or 1, 2 or 4 behind a head of 0xcc to 0xce. */
function readAmount(): Code {
  const byte = (place: number): Code => load8(get(NEXT), place);
  const both = (first: Code, second: Code): Code => i32.or(i32.shl(first, word(8)), second);
  const whenHead = (head: number, value: Code, byteCount: number): Code =>
    when(
      i32.eq(get(HEAD), word(head)),
      sequence(set(AMOUNT, value), skip(byteCount), set(HEAD, word(0))),
    );
  const isLarger = sequence(
    whenHead(0xcc, byte(1), 2),
    whenHead(0xcd, both(byte(1), byte(2)), 3),
    whenHead(0xce, both(both(both(byte(1), byte(2)), byte(3)), byte(4)), 5),
    refuseIf(get(HEAD)),
  );
  const known = when(
    i32.ltU(get(HEAD), word(0x80)),
    sequence(set(AMOUNT, get(HEAD)), skip(1), set(HEAD, word(0))),
  );
  return unlessNil(sequence(addField(Field.amount), known, when(get(HEAD), isLarger)));
}

function readFlags(): Code {
  const roundEnd = i32.and(get(HEAD), word(1));
  const stakeless = i32.and(get(HEAD), word(2));
  return unlessNil(
    sequence(
      refuseIf(i32.gtU(get(HEAD), word(3))),
      when(roundEnd, addField(Field.roundEnd)),
      when(stakeless, addField(Field.stakeless)),
      skip(1),
    ),
  );
}

function readOptionalText(text: number, field: number): Code {
  return unlessNil(sequence(readText(text, ID_BYTES_MAX), addField(field)));
}

function readTransaction(): Code {
  const elements = i32.sub(get(ELEMENT_COUNT), word(ELEMENTS_MIN));
  const absent = [Text.round, Text.reference, Text.game].map((text) =>
    set(TEXTS + text * 2 + 1, word(0)),
  );
  return sequence(
    ...absent,
    set(AMOUNT, word(0)),
    set(WRONG, long(0n)),
    set(FIELDS, word(Field.player | Field.currency)),
    set(HEAD, load8(get(AT))),
    set(ELEMENT_COUNT, i32.and(get(HEAD), word(0x0f))),
    refuseIf(i32.ne(i32.and(get(HEAD), word(0xf0)), word(0x90))),
    refuseIf(i32.gtU(elements, word(ELEMENTS_MAX - ELEMENTS_MIN))),
    set(KIND, load8(get(AT), 1)),
    refuseIf(i32.gtU(i32.sub(get(KIND), word(1)), word(Kind.setStatus - 1))),
    set(NEXT, i32.add(get(AT), word(2))),
    readText(Text.transactionId, ID_BYTES_MAX),
    readText(Text.player, ID_BYTES_MAX),
    readText(Text.currency, CURRENCY_BYTES_MAX),
    whenElements(4, readAmount()),
    whenElements(5, readOptionalText(Text.round, Field.round)),
    whenElements(6, readFlags()),
    whenElements(7, readOptionalText(Text.reference, Field.reference)),
    whenElements(8, readOptionalText(Text.game, Field.game)),
    refuseIf(i32.gtU(get(NEXT), get(END))),
    refuseIf(i64.ne(i64.and(get(WRONG), long(HIGH_BITS)), long(0n))),
  );
}

function fillRow(columns: TransactionColumns): Code {
  const ofWords = i32.shl(get(ROW), word(2));
  const fillText = (column: TextColumn, text: number): Code =>
    sequence(
      store32(ofWords, column.at.byteOffset, i32.add(get(TEXTS + text * 2), get(DISTANCE))),
      store16(i32.shl(get(ROW), word(1)), column.byteCount.byteOffset, get(TEXTS + text * 2 + 1)),
    );
  return sequence(
    store8(get(ROW), columns.kind.byteOffset, get(KIND)),
    store32(ofWords, columns.fields.byteOffset, get(FIELDS)),
    storeDouble(
      i32.shl(get(ROW), word(3)),
      columns.amountMinor.byteOffset,
      f64.convertI32U(get(AMOUNT)),
    ),
    fillText(columns.transactionId, Text.transactionId),
    fillText(columns.player, Text.player),
    fillText(columns.currency, Text.currency),
    fillText(columns.round, Text.round),
    fillText(columns.reference, Text.reference),
    fillText(columns.game, Text.game),
  );
}

/**
 * The module: `decode(at, end, pauseAt, distance, row, rowsEnd)` fills rows of the columns, which
 * lie in its memory, from the bytes from `at` on; it begins none at `pauseAt` or behind it.
 * `distance` is added to addresses to get places in the source.
 */
export function plainTransactionModule(
  columns: TransactionColumns,
  memoryPages: number,
): Uint8Array<ArrayBuffer> {
  const goesOn = i32.and(
    i32.and(i32.ltU(get(ROW), get(ROWS_END)), i32.ltU(get(AT), get(PAUSE_AT))),
    i32.eqz(get(IS_STRANGE)),
  );
  const taken = sequence(
    fillRow(columns),
    set(AT, get(NEXT)),
    set(ROW, i32.add(get(ROW), word(1))),
  );
  const body = sequence(
    whileLoop(goesOn, sequence(readTransaction(), when(i32.eqz(get(IS_STRANGE)), taken))),
    store32(word(0), ResultWord.at * 4, get(AT)),
    store32(word(0), ResultWord.row * 4, get(ROW)),
  );
  const decode = {
    name: 'decode',
    parameterCount: PARAMETER_COUNT,
    wordCount: WORD_COUNT,
    longCount: LONG_COUNT,
    body,
  };
  return wasmModule([decode], memoryPages);
}

// Reading the records of usual transactions as a WebAssembly function: bets, wins and deposits that
// were accepted, moved nothing but their amount of cash, and hold nothing but what record-code.ts
// writes; and opens that made an account and say no more. At whatever else it stops, and
// core/records/record-reader.ts, which knows every record, goes on; that is also what tells what is
// wrong with one that does not fit. It looks at no place before it loads it: what it took for a
// record counts only if it ended where its length says and within the content, and behind that the
// memory has room for the longest nonsense.
import { Field, Kind } from '../kinds.ts';
import { AMOUNT_MINOR_MAX, ID_BYTES_MAX } from '../limits.ts';
import { Content } from '../records/record-layout.ts';
import { JOB_BYTES, JobDomain, JobField, JobPart, JobText } from './job-layout.ts';
import { USUAL_CONTENTS } from './record-code.ts';
import {
  type Code,
  f64,
  get,
  i32,
  i64,
  load8,
  loadDouble,
  long,
  select,
  sequence,
  set,
  store32,
  storeDouble,
  type WasmFunction,
  when,
  whileLoop,
  word,
} from './wasm-code.ts';

/** Where the function finds and leaves its numbers, in bytes from `stateAt`. */
export const ReadState = {
  /** The time of the record before, a double. */
  timeMs: 0,
  /** The address behind the last record taken, and the first job not filled: words. */
  at: 8,
  job: 12,
} as const;
/** See ReadState. */
export const READ_STATE_BYTES = 16;

/** What the record of a usual open has, beside a provider. */
const OPEN_CONTENTS: number = Content.made | Content.player;
/** Owners are operator × 256 + currency; operators are numbered from 1 in 16 bits. */
const OWNER_MIN = 256;
const OWNER_MAX = 0xff_ffff;

/** Numbers of up to 9 bytes and five texts of up to 255 bytes, as their heads may say. */
export const RECORD_NONSENSE_BYTES_MAX = 2_048;

const PROVIDER_MAX = 0xffff;
/** What rows keep of a time. */
const TIME_MS_MAX = 2n ** 48n - 1n;
const VARINT_BITS_MAX = 56;

// Locals: parameters, words, longs.
const AT = 0;
const END = 1;
const JOB = 2;
const JOBS_END = 3;
const ACCOUNT_COUNT = 4;
const OPENED_COUNT = 5;
const STATE = 6;
const PARAMETER_COUNT = 7;
const NEXT = 7;
const RECORD_END = 8;
const KIND = 9;
const CONTENTS = 10;
const BYTE = 11;
const IS_STRANGE = 12;
const PROVIDER = 13;
const ACCOUNT = 14;
const FIRST = 15;
const IS_OPEN = 16;
const OWNER = 17;
const WORD_COUNT: number = OWNER + 1 - PARAMETER_COUNT;
const VALUE = 18;
const SHIFT = 19;
const TIME_MS = 20;
const NEW_TIME_MS = 21;
const AMOUNT = 22;
const CASH_MOVED = 23;
const CASH = 24;
const LONG_COUNT = 7;

function refuseIf(condition: Code): Code {
  return set(IS_STRANGE, i32.or(get(IS_STRANGE), condition));
}

function readByte(): Code {
  return sequence(set(BYTE, load8(get(NEXT))), set(NEXT, i32.add(get(NEXT), word(1))));
}

function isUnfinished(): Code {
  return i32.and(get(BYTE), word(0x80));
}

/** Reads VALUE, seven bits a byte, up to 2^53 − 1. */
function readValue(): Code {
  const bits = i64.extendI32U(i32.and(get(BYTE), word(0x7f)));
  const goesOn = i32.and(isUnfinished(), i32.shl(i32.eqz(isTooLong()), word(7)));
  return sequence(
    readByte(),
    set(VALUE, bits),
    set(SHIFT, long(7n)),
    whileLoop(
      goesOn,
      sequence(
        readByte(),
        set(VALUE, i64.or(get(VALUE), i64.shl(bits, get(SHIFT)))),
        set(SHIFT, i64.add(get(SHIFT), long(7n))),
      ),
    ),
    refuseIf(isUnfinished()),
    refuseIf(i64.gtU(get(VALUE), long(BigInt(AMOUNT_MINOR_MAX)))),
  );
}

function isTooLong(): Code {
  return i64.gtU(get(SHIFT), long(BigInt(VARINT_BITS_MAX - 1)));
}

/** Six bits and the sign in the first byte, then as readValue; the sign is left in FIRST. */
function readSigned(target: number): Code {
  const low = i64.extendI32U(i32.shrU(i32.and(get(FIRST), word(0x7f)), word(1)));
  const negative = i64.sub(long(0n), get(VALUE));
  return sequence(
    readByte(),
    set(FIRST, get(BYTE)),
    set(VALUE, long(0n)),
    when(isUnfinished(), readValue()),
    refuseIf(i64.gtU(get(VALUE), long(BigInt(AMOUNT_MINOR_MAX) >> 6n))),
    set(VALUE, i64.or(i64.shl(get(VALUE), long(6n)), low)),
    set(target, select(negative, get(VALUE), i32.and(get(FIRST), word(1)))),
  );
}

function whenContent(content: number, then: Code): Code {
  return when(i32.and(get(CONTENTS), word(content)), then);
}

function put(offset: number, value: Code): Code {
  return store32(get(JOB), offset, value);
}

function readText(text: number, domain: Code): Code {
  return sequence(
    readByte(),
    put(text + JobText.domain, domain),
    put(text + JobText.at, get(NEXT)),
    put(text + JobText.byteCount, get(BYTE)),
    set(NEXT, i32.add(get(NEXT), get(BYTE))),
  );
}

/** The length, in the two bytes that all records but those of definitions have, kind and code. */
function readHead(): Code {
  const second = load8(get(AT), 1);
  const length = i32.or(i32.and(get(BYTE), word(0x7f)), i32.shl(second, word(7)));
  const isPlay = i32.or(
    i32.eq(get(KIND), word(Kind.bet)),
    i32.or(i32.eq(get(KIND), word(Kind.win)), i32.eq(get(KIND), word(Kind.deposit))),
  );
  return sequence(
    set(IS_STRANGE, word(0)),
    set(BYTE, load8(get(AT))),
    refuseIf(i32.eqz(isUnfinished())),
    refuseIf(i32.and(second, word(0x80))),
    set(NEXT, i32.add(get(AT), word(2))),
    set(RECORD_END, i32.add(get(NEXT), length)),
    set(KIND, load8(get(NEXT))),
    set(IS_OPEN, i32.eq(get(KIND), word(Kind.open))),
    refuseIf(i32.eqz(i32.or(isPlay, get(IS_OPEN)))),
    refuseIf(load8(get(NEXT), 1)),
    set(NEXT, i32.add(get(NEXT), word(2))),
  );
}

/** An open has other contents, and makes the account that comes next. */
function checkContents(): Code {
  const others = select(
    word(~(OPEN_CONTENTS | Content.provider)),
    word(~USUAL_CONTENTS),
    get(IS_OPEN),
  );
  const openContents = i32.and(get(CONTENTS), word(OPEN_CONTENTS));
  return sequence(
    refuseIf(i32.and(get(CONTENTS), others)),
    when(get(IS_OPEN), refuseIf(i32.ne(openContents, word(OPEN_CONTENTS)))),
  );
}

function checkAccount(): Code {
  const isKnown = i32.ltU(i32.sub(get(ACCOUNT), word(1)), get(ACCOUNT_COUNT));
  const isNext = i32.eq(i32.sub(get(ACCOUNT), word(1)), get(OPENED_COUNT));
  return refuseIf(i32.eqz(select(isNext, isKnown, get(IS_OPEN))));
}

function readNumbers(): Code {
  const isBet = i32.eq(get(KIND), word(Kind.bet));
  const moved = select(i64.sub(long(0n), get(AMOUNT)), get(AMOUNT), isBet);
  return sequence(
    readValue(),
    refuseIf(i64.gtU(get(VALUE), long(BigInt(OPEN_CONTENTS | USUAL_CONTENTS)))),
    set(CONTENTS, i64.wrapI32(get(VALUE))),
    checkContents(),
    readValue(),
    refuseIf(i64.gtU(get(VALUE), long(0x7fff_ffffn))),
    set(ACCOUNT, i64.wrapI32(get(VALUE))),
    checkAccount(),
    readValue(),
    set(NEW_TIME_MS, i64.add(get(TIME_MS), get(VALUE))),
    refuseIf(i64.gtU(get(NEW_TIME_MS), long(TIME_MS_MAX))),
    set(VALUE, long(0n)),
    whenContent(Content.amount, readValue()),
    set(AMOUNT, get(VALUE)),
    set(CASH_MOVED, long(0n)),
    whenContent(Content.cashMoved, readSigned(CASH_MOVED)),
    refuseIf(i64.ne(get(CASH_MOVED), moved)),
    readSigned(CASH),
    set(VALUE, long(0n)),
    whenContent(Content.provider, readValue()),
    refuseIf(i64.gtU(get(VALUE), long(BigInt(PROVIDER_MAX)))),
    set(PROVIDER, i32.shl(i64.wrapI32(get(VALUE)), word(8))),
  );
}

/** The owner and the player of an account that is opened; its balance is 0. */
function readPlayer(): Code {
  return sequence(
    refuseIf(i64.ne(get(CASH), long(0n))),
    readValue(),
    refuseIf(i64.gtU(get(VALUE), long(BigInt(OWNER_MAX)))),
    set(OWNER, i64.wrapI32(get(VALUE))),
    refuseIf(i32.ltU(get(OWNER), word(OWNER_MIN))),
    readText(JobField.player, i32.shrU(get(OWNER), word(8))),
    refuseIf(i32.gtU(i32.sub(get(BYTE), word(1)), word(ID_BYTES_MAX - 1))),
    put(JobField.currency, i32.and(get(OWNER), word(0xff))),
  );
}

function readTexts(): Code {
  const ofProvider = (domain: Code): Code => i32.or(get(PROVIDER), domain);
  const round = readText(JobField.round, ofProvider(word(JobDomain.round)));
  const reference = readText(JobField.reference, ofProvider(word(Kind.bet)));
  return sequence(
    readText(JobField.transactionId, ofProvider(get(KIND))),
    whenContent(Content.round, round),
    whenContent(Content.reference, reference),
    whenContent(Content.game, readText(JobField.game, word(JobDomain.game))),
    when(get(IS_OPEN), readPlayer()),
    refuseIf(i32.ne(get(NEXT), get(RECORD_END))),
    refuseIf(i32.gtU(get(NEXT), get(END))),
    // Only a win refers to a bet.
    whenContent(Content.reference, refuseIf(i32.ne(get(KIND), word(Kind.win)))),
  );
}

/** The bits of `from` in CONTENTS, as the bits `to`. */
function mapped(from: number, to: number): Code {
  const bit = i32.and(get(CONTENTS), word(from));
  const distance = Math.log2(to) - Math.log2(from);
  return distance >= 0 ? i32.shl(bit, word(distance)) : i32.shrU(bit, word(-distance));
}

function fillJob(): Code {
  const parts = [
    mapped(Content.round, JobPart.round),
    mapped(Content.reference, JobPart.reference),
    mapped(Content.game, JobPart.game),
  ].reduce((all, part) => i32.or(all, part), word(JobPart.transaction));
  const openParts = word(JobPart.transaction | JobPart.player | JobPart.account);
  const fields = [
    mapped(Content.round, Field.round),
    mapped(Content.roundEnd, Field.roundEnd),
    mapped(Content.reference, Field.reference),
    mapped(Content.game, Field.game),
  ].reduce((all, field) => i32.or(all, field), mapped(Content.amount, Field.amount));
  return sequence(
    put(JobField.parts, select(openParts, parts, get(IS_OPEN))),
    set(OPENED_COUNT, i32.add(get(OPENED_COUNT), get(IS_OPEN))),
    put(JobField.bodyFields, fields),
    put(JobField.restCount, word(0)),
    put(JobField.recordHead, get(KIND)),
    put(JobField.contents, get(CONTENTS)),
    put(JobField.account, get(ACCOUNT)),
    storeDouble(get(JOB), JobField.amountMinor, f64.convertI64S(get(AMOUNT))),
    storeDouble(get(JOB), JobField.cashMinor, f64.convertI64S(get(CASH))),
    storeDouble(get(JOB), JobField.timeMs, f64.convertI64S(get(NEW_TIME_MS))),
    set(TIME_MS, get(NEW_TIME_MS)),
    set(AT, get(NEXT)),
    set(JOB, i32.add(get(JOB), word(JOB_BYTES))),
  );
}

/**
 * The function `read(at, end, job, jobsEnd, accountCount, openedCount, state)`: fills jobs from the
 * records between two addresses, of accounts with rows below `accountCount`; the next account that
 * is opened gets the row `openedCount`.
 */
export function readFunction(): WasmFunction {
  const goesOn = i32.and(i32.ltU(get(AT), get(END)), i32.ltU(get(JOB), get(JOBS_END)));
  const turn = sequence(
    readHead(),
    readNumbers(),
    readTexts(),
    when(get(IS_STRANGE), set(JOBS_END, word(0))),
    when(i32.eqz(get(IS_STRANGE)), fillJob()),
  );
  return {
    name: 'read',
    parameterCount: PARAMETER_COUNT,
    wordCount: WORD_COUNT,
    longCount: LONG_COUNT,
    body: sequence(
      set(TIME_MS, i64.truncF64U(loadDouble(get(STATE), ReadState.timeMs))),
      whileLoop(goesOn, turn),
      storeDouble(get(STATE), ReadState.timeMs, f64.convertI64S(get(TIME_MS))),
      store32(get(STATE), ReadState.at, get(AT)),
      store32(get(STATE), ReadState.job, get(JOB)),
    ),
  };
}

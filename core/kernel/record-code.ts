// Writing the records of usual transactions as a WebAssembly function: those that hold nothing but
// an amount, cash, a provider and the ids that were hashed, which lie in the kernel's memory
// already. The layout is core/records/record-layout.ts; record-writer.ts writes all other records,
// and these in tests.
import { Content } from '../records/record-layout.ts';
import { JOB_BYTES, JobField, JobText } from './job-layout.ts';
import {
  type Code,
  f64,
  get,
  i32,
  i64,
  load32,
  load64,
  loadDouble,
  long,
  sequence,
  set,
  store8,
  store32,
  store64,
  storeLow8,
  type WasmFunction,
  when,
  whileLoop,
  word,
} from './wasm-code.ts';

/** Contents that the function writes. */
export const USUAL_CONTENTS: number =
  Content.amount |
  Content.cashMoved |
  Content.round |
  Content.game |
  Content.roundEnd |
  Content.reference |
  Content.provider;

/** The longest record written here: the fixed part below, and four ids with their lengths. */
export const USUAL_RECORD_BYTES_MAX: number = 64 + 4 * 256;

/** The length of a record takes two bytes here, see record-writer.ts. */
const LENGTH_BYTES = 2;

// Locals: parameters, words, longs.
const JOB = 0;
const JOBS_END = 1;
const OUT = 2;
const START = 3;
const CONTENTS = 4;
const FIRST = 5;
const BYTE_COUNT = 6;
const TEXT_AT = 7;
const COPIED = 8;
const VALUE = 9;

function forward(byteCount: number): Code {
  return set(OUT, i32.add(get(OUT), word(byteCount)));
}

function field(offset: number): Code {
  return load32(get(JOB), offset);
}

/** Writes VALUE, seven bits a byte. */
function writeValue(): Code {
  const low = i64.or(i64.and(get(VALUE), long(0x7fn)), long(0x80n));
  return sequence(
    whileLoop(
      i64.gtU(get(VALUE), long(0x7fn)),
      sequence(storeLow8(get(OUT), 0, low), set(VALUE, i64.shrU(get(VALUE), long(7n))), forward(1)),
    ),
    storeLow8(get(OUT), 0, get(VALUE)),
    forward(1),
  );
}

function writeWord(value: Code): Code {
  return sequence(set(VALUE, i64.extendI32U(value)), writeValue());
}

function writeWhole(offset: number): Code {
  return sequence(set(VALUE, i64.truncF64U(loadDouble(get(JOB), offset))), writeValue());
}

/** Six bits and the sign in the first byte, then as writeValue; see varint.ts. */
function writeSigned(offset: number): Code {
  const double = loadDouble(get(JOB), offset);
  const low = i64.shl(i64.and(get(VALUE), long(0x3fn)), long(1n));
  const isNegative = f64.lt(double, f64.convertI32U(word(0)));
  return sequence(
    set(VALUE, i64.truncF64U(f64.abs(double))),
    set(FIRST, isNegative),
    storeLow8(get(OUT), 0, i64.or(low, i64.extendI32U(get(FIRST)))),
    set(VALUE, i64.shrU(get(VALUE), long(6n))),
    when(
      i64.ne(get(VALUE), long(0n)),
      sequence(
        store8(get(OUT), 0, i32.or(load32(get(OUT)), word(0x80))),
        forward(1),
        writeValue(),
        set(OUT, i32.sub(get(OUT), word(1))),
      ),
    ),
    forward(1),
  );
}

/** The length and the bytes; up to seven bytes behind them are written over by what follows. */
function writeText(text: number): Code {
  return sequence(
    set(BYTE_COUNT, field(text + JobText.byteCount)),
    set(TEXT_AT, field(text + JobText.at)),
    store8(get(OUT), 0, get(BYTE_COUNT)),
    forward(1),
    set(COPIED, word(0)),
    whileLoop(
      i32.ltU(get(COPIED), get(BYTE_COUNT)),
      sequence(
        store64(i32.add(get(OUT), get(COPIED)), 0, load64(i32.add(get(TEXT_AT), get(COPIED)))),
        set(COPIED, i32.add(get(COPIED), word(8))),
      ),
    ),
    set(OUT, i32.add(get(OUT), get(BYTE_COUNT))),
  );
}

function whenContent(content: number, then: Code): Code {
  return when(i32.and(get(CONTENTS), word(content)), then);
}

function writeRecord(): Code {
  const byteCount = i32.sub(i32.sub(get(OUT), get(START)), word(LENGTH_BYTES));
  return sequence(
    set(START, get(OUT)),
    set(CONTENTS, field(JobField.contents)),
    store32(get(OUT), LENGTH_BYTES, field(JobField.recordHead)),
    forward(LENGTH_BYTES + 2),
    writeWord(get(CONTENTS)),
    writeWord(field(JobField.account)),
    writeWhole(JobField.elapsedMs),
    whenContent(Content.amount, writeWhole(JobField.recordAmountMinor)),
    whenContent(Content.cashMoved, writeSigned(JobField.cashMovedMinor)),
    writeSigned(JobField.cashMinor),
    whenContent(Content.provider, writeWord(field(JobField.provider))),
    writeText(JobField.transactionId),
    whenContent(Content.round, writeText(JobField.round)),
    whenContent(Content.reference, writeText(JobField.reference)),
    whenContent(Content.game, writeText(JobField.game)),
    store8(get(START), 0, i32.or(byteCount, word(0x80))),
    store8(get(START), 1, i32.shrU(byteCount, word(7))),
  );
}

/**
 * The function `record(job, jobsEnd, out)`: writes the records of the jobs between two addresses
 * one behind the other, and where they end at `resultAt`.
 */
export function recordFunction(resultAt: number): WasmFunction {
  return {
    name: 'record',
    parameterCount: 3,
    wordCount: 6,
    longCount: 1,
    body: sequence(
      whileLoop(
        i32.ltU(get(JOB), get(JOBS_END)),
        sequence(
          when(field(JobField.recordHead), writeRecord()),
          set(JOB, i32.add(get(JOB), word(JOB_BYTES))),
        ),
      ),
      store32(word(resultAt), 0, get(OUT)),
    ),
  };
}

// Making rows for replay as a WebAssembly function, from jobs that were read from usual records
// (record-read-code.ts) and hashed: whole outcomes as tables/outcome-rows.ts keeps them, and, in
// the same room, what opening an account needs.
import { Kind } from '../kinds.ts';
import { ID_BYTES_MAX } from '../limits.ts';
import { Content } from '../records/record-layout.ts';
import { OUTCOME_WORDS, OutcomeTrait, OutcomeWord } from '../tables/outcome-rows.ts';
import type { ResultPlaces } from './hash-code.ts';
import { JOB_BYTES, JobField, JobText, NAMELESS_ROUND } from './job-layout.ts';
import {
  type Code,
  get,
  i32,
  i64,
  load32,
  load64,
  loadDouble,
  long,
  sequence,
  set,
  store32,
  store64,
  storeDouble,
  type WasmFunction,
  when,
  whileLoop,
  word,
} from './wasm-code.ts';

const ROW_BYTES: number = OUTCOME_WORDS * 4;

/** Where a row of an account's opening has its parts, in words; the id has ID_BYTES_MAX bytes. */
export const OpeningWord = { accountHash: 0, owner: 1, byteCount: 2, player: 3 } as const;

/**
 * What a play's row holds besides, in words, until it was applied: the key's first word, and
 * whether it ends its round. They stand where the finished row has zeros.
 */
export const PlayWord: { readonly tag: number; readonly ends: number } = {
  tag: OutcomeWord.extra,
  ends: OutcomeWord.rest,
};

// Locals: parameters, words, longs.
const JOB = 0;
const JOBS_END = 1;
const ROW = 2;
const OUT = 3;
const SEQUENCE_AT = 4;
const PARAMETER_COUNT = 5;
const KEY_AT = 5;
const KIND = 6;
const CONTENTS = 7;
const WORD_COUNT: number = CONTENTS + 1 - PARAMETER_COUNT;
const SEQUENCE = 8;
const TIME_MS = 9;
const LONG_COUNT = 2;

function field(offset: number): Code {
  return load32(get(JOB), offset);
}

function put(place: number, value: Code): Code {
  return store32(get(OUT), place * 4, value);
}

function putLong(place: number, value: Code): Code {
  return store64(get(OUT), place * 4, value);
}

function putDouble(place: number, offset: number): Code {
  return storeDouble(get(OUT), place * 4, loadDouble(get(JOB), offset));
}

/** Sequence and time in three words; see tables/stamp.ts. */
function putStamp(): Code {
  const highWord = (value: number): Code => i64.wrapI32(i64.shrU(get(value), long(32n)));
  return sequence(
    set(TIME_MS, i64.truncF64U(loadDouble(get(JOB), JobField.timeMs))),
    put(OutcomeWord.stamp, i64.wrapI32(get(SEQUENCE))),
    put(OutcomeWord.stamp + 1, i64.wrapI32(get(TIME_MS))),
    put(OutcomeWord.stamp + 2, i32.or(highWord(SEQUENCE), i32.shl(highWord(TIME_MS), word(16)))),
  );
}

/** The named round's key; of a bet or win without one, its nameless round's; else none. */
function putRound({ key, round }: ResultPlaces): Code {
  const { round: at } = OutcomeWord;
  const isNamed = i32.and(get(CONTENTS), word(Content.round));
  const isNameless = i32.and(i32.eqz(isNamed), i32.ne(get(KIND), word(Kind.deposit)));
  return sequence(
    putLong(at, long(0n)),
    putLong(at + 2, long(0n)),
    when(
      isNamed,
      sequence(
        putLong(at, load64(get(KEY_AT), round)),
        putLong(at + 2, load64(get(KEY_AT), round + 8)),
      ),
    ),
    when(
      isNameless,
      sequence(
        putLong(at, i64.xor(load64(get(KEY_AT), key), long(BigInt(NAMELESS_ROUND)))),
        putLong(at + 2, load64(get(KEY_AT), key + 8)),
      ),
    ),
  );
}

function makeRow(places: ResultPlaces): Code {
  const isRoundNamed = i32.and(get(CONTENTS), word(Content.round));
  const traits = i32.shl(
    i32.ne(isRoundNamed, word(0)),
    word(16 + Math.log2(OutcomeTrait.roundNamed)),
  );
  return sequence(
    set(KIND, field(JobField.recordHead)),
    set(CONTENTS, field(JobField.contents)),
    set(KEY_AT, i32.shl(get(ROW), word(4))),
    put(OutcomeWord.key, load32(get(KEY_AT), places.key + 4)),
    putLong(OutcomeWord.key + 1, load64(get(KEY_AT), places.key + 8)),
    put(OutcomeWord.meta, i32.or(get(KIND), traits)),
    put(OutcomeWord.account, field(JobField.account)),
    putStamp(),
    putLong(OutcomeWord.body, load64(i32.shl(get(ROW), word(3)), places.body)),
    put(PlayWord.tag, load32(get(KEY_AT), places.key)),
    put(PlayWord.ends, i32.and(get(CONTENTS), word(Content.roundEnd))),
    putDouble(OutcomeWord.amountMinor, JobField.amountMinor),
    putDouble(OutcomeWord.cashMinor, JobField.cashMinor),
    putRound(places),
  );
}

function makeOpening({ account }: ResultPlaces): Code {
  const operator = field(JobField.player + JobText.domain);
  const player = field(JobField.player + JobText.at);
  const copied = Array.from({ length: ID_BYTES_MAX / 8 }, (_, place) =>
    putLong(OpeningWord.player + place * 2, load64(player, place * 8)),
  );
  return sequence(
    put(OpeningWord.accountHash, load32(i32.shl(get(ROW), word(3)), account)),
    put(OpeningWord.owner, i32.or(i32.shl(operator, word(8)), field(JobField.currency))),
    put(OpeningWord.byteCount, field(JobField.player + JobText.byteCount)),
    ...copied,
  );
}

/**
 * The function `outcomes(job, jobsEnd, row, out, sequenceAt)`: rows of the jobs between two
 * addresses, whose hashes are those of `row` and the rows after it; a job without a record leaves
 * its row as it is. The double at `sequenceAt` is the first job's sequence.
 */
export function outcomeFunction(places: ResultPlaces): WasmFunction {
  const isOpen = i32.eq(field(JobField.recordHead), word(Kind.open));
  const turn = sequence(
    when(field(JobField.recordHead), makeRow(places)),
    when(isOpen, makeOpening(places)),
    set(JOB, i32.add(get(JOB), word(JOB_BYTES))),
    set(ROW, i32.add(get(ROW), word(1))),
    set(OUT, i32.add(get(OUT), word(ROW_BYTES))),
    set(SEQUENCE, i64.add(get(SEQUENCE), long(1n))),
  );
  return {
    name: 'outcomes',
    parameterCount: PARAMETER_COUNT,
    wordCount: WORD_COUNT,
    longCount: LONG_COUNT,
    body: sequence(
      set(SEQUENCE, i64.truncF64U(loadDouble(get(SEQUENCE_AT)))),
      whileLoop(i32.ltU(get(JOB), get(JOBS_END)), turn),
    ),
  };
}

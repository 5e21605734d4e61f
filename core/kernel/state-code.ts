// Taking players' hash states into the jobs of plays that were read from records, as a WebAssembly
// function over the memory that the states lie in: it first loads all of them, so that the
// processor waits for several at once, and then copies.
import { Kind } from '../kinds.ts';
import { PLAYER_STATE_WORDS, PlayerStateWord } from '../tables/player-states.ts';
import { JOB_BYTES, JobField } from './job-layout.ts';
import {
  type Code,
  get,
  type ImportedMemory,
  i32,
  load32,
  load64,
  sequence,
  set,
  store32,
  store64,
  type WasmFunction,
  when,
  whileLoop,
  word,
} from './wasm-code.ts';

const PLAYERS = 1;

/** The memories that the function works on; the kernel's has so many pages. */
export function stateMemories(kernelPages: number): readonly ImportedMemory[] {
  return [
    { name: 'kernel', pages: kernelPages },
    { name: 'players', pages: 'shared' },
  ];
}

// Locals: parameters, words.
const JOBS = 0;
const JOBS_END = 1;
const LOADED_AT = 2;
const PARAMETER_COUNT = 3;
const JOB = 3;
const AT = 4;
const LOADED = 5;
const WORD_COUNT: number = LOADED + 1 - PARAMETER_COUNT;

function field(offset: number): Code {
  return load32(get(JOB), offset);
}

/** Runs for each job of a play, with AT the address of its player's state. */
function forEachPlay(body: Code): Code {
  const head = field(JobField.recordHead);
  const isPlay = i32.and(i32.ne(head, word(0)), i32.ne(head, word(Kind.open)));
  const row = i32.sub(field(JobField.account), word(1));
  return sequence(
    set(JOB, get(JOBS)),
    whileLoop(
      i32.ltU(get(JOB), get(JOBS_END)),
      sequence(
        when(isPlay, sequence(set(AT, i32.mul(row, word(PLAYER_STATE_WORDS * 4))), body)),
        set(JOB, i32.add(get(JOB), word(JOB_BYTES))),
      ),
    ),
  );
}

function load(place: number): Code {
  return set(LOADED, i32.xor(get(LOADED), load32(get(AT), place * 4, PLAYERS)));
}

/**
 * The function `takeStates(jobs, jobsEnd, loaded)`: fills state and currency of the jobs between
 * two addresses that have a record of a known account, but for opens. What it leaves at the last
 * address means nothing.
 */
export function stateFunction(): WasmFunction {
  const copied = [0, 8, 16, 24].map((distance) =>
    store64(get(JOB), JobField.playerState + distance, load64(get(AT), distance, PLAYERS)),
  );
  const currency = load32(get(AT), PlayerStateWord.currency * 4, PLAYERS);
  return {
    name: 'takeStates',
    parameterCount: PARAMETER_COUNT,
    wordCount: WORD_COUNT,
    longCount: 0,
    body: sequence(
      forEachPlay(sequence(load(PlayerStateWord.state), load(PlayerStateWord.currency))),
      forEachPlay(sequence(...copied, store32(get(JOB), JobField.currency, currency))),
      store32(get(LOADED_AT), 0, get(LOADED)),
    ),
  };
}

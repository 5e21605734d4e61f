// Applying usual plays as a WebAssembly function: accepted bets, wins and deposits that moved
// nothing but their amount of cash, as whole outcome rows that outcome-code.ts made. It works on
// the shard's tables where they lie: accounts, slots of the index, rounds and the lists of open
// rounds. Each step goes over all rows before the next one begins, so that the processor works on
// several at once, and the first ones do nothing but load what the others will need.
//
// What it does is what core/decisions/apply-decision.ts does to such an outcome when it is live;
// the tests compare the two.
import { Kind } from '../kinds.ts';
import { PASS_TRANSACTIONS_MAX } from '../limits.ts';
import { ACCOUNT_WORDS, AccountWord } from '../tables/account-table.ts';
import { GROUP_BYTES, SLOT_BYTES } from '../tables/hash-slots.ts';
import { LIST_WORDS, ListWord } from '../tables/open-rounds.ts';
import { OUTCOME_WORDS, OutcomeWord } from '../tables/outcome-rows.ts';
import { ROUND_WORDS, RoundCount, RoundLink, RoundState, RoundWord } from '../tables/round-rows.ts';
import { ReferenceType, TYPE_BITS } from '../tables/transaction-index.ts';
import { PlayWord } from './outcome-code.ts';
import {
  type Code,
  either,
  f64,
  get,
  type ImportedMemory,
  i32,
  i64,
  load32,
  load64,
  loadDouble,
  long,
  select,
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

/** Numbers of the memories in the code: see playMemories. The rows are in the kernel's. */
const [ACCOUNTS, SLOTS, ROUNDS, LISTS] = [1, 2, 3, 4] as const;

/** The memories that the function works on; the kernel's has so many pages. */
export function playMemories(kernelPages: number): readonly ImportedMemory[] {
  return [
    { name: 'kernel', pages: kernelPages },
    { name: 'accounts', pages: 'shared' },
    { name: 'slots', pages: 'shared' },
    { name: 'rounds', pages: 'shared' },
    { name: 'lists', pages: 'shared' },
  ];
}

/** Why a row does not fit the state before it. */
export const PlayFailure = { none: 0, account: 1, time: 2, balance: 3 } as const;

/** Where the function finds and leaves its numbers, in bytes from `state`. */
export const PlayState = {
  /** The time of the row before, a double; then of the last row. */
  timeMs: 0,
  /** Words: how many accounts there are; the slots' bytes less 1; the first row's number. */
  accountCount: 8,
  slotMask: 12,
  outcomeRow: 16,
  /** How many round rows there are, before and then after. */
  roundCount: 20,
  /** By how many rounds there are more open ones; whether a list was empty that is not now. */
  openedCount: 24,
  beganList: 28,
  /** Groups behind its first that a probe went to, at most. */
  groupsMax: 32,
  /** One of PlayFailure; if it is one, the address of the first row that does not fit. */
  failure: 36,
  failedRow: 40,
  /** Means nothing: it keeps the loads ahead in the code. */
  loaded: 44,
  /** The owner of each row's account. */
  owners: 48,
} as const;
/** See PlayState. */
export const PLAY_STATE_BYTES: number = PlayState.owners + PASS_TRANSACTIONS_MAX * 4;

const ROW_BYTES: number = OUTCOME_WORDS * 4;
const ROUND_BITS: number = Math.log2(ROUND_WORDS * 4);
const SLOT_BITS: number = Math.log2(SLOT_BYTES);
const STAMP_TIME: number = (OutcomeWord.stamp + 1) * 4;
const STAMP_HIGH: number = (OutcomeWord.stamp + 2) * 4;
const ONE_BET = 4;
const STATE_MASK = 3;

// Locals: parameters, words, longs.
const ROWS = 0;
const ROWS_END = 1;
const STATE = 2;
const PARAMETER_COUNT = 3;
const ROW = 3;
const AT = 4;
const START = 5;
const TAG = 6;
const REFERENCE = 7;
const ROUND = 8;
const FOUND = 9;
const KIND = 10;
const ENDS = 11;
const LIST = 12;
const LAST = 13;
const NEXT = 14;
const GROUPS = 15;
const GROUPS_MAX = 16;
const MASK = 17;
const LOADED = 18;
const FAILURE = 19;
const ACCOUNT_COUNT = 20;
const OUTCOME_ROW = 21;
const ROUND_COUNT = 22;
const OPENED_COUNT = 23;
const OWNER_AT = 24;
const WORD_COUNT: number = OWNER_AT + 1 - PARAMETER_COUNT;
const TIME_MS = 25;
const NEW_TIME_MS = 26;
const LONG_COUNT = 2;

function state(place: number): Code {
  return load32(get(STATE), place);
}

function setState(place: number, value: Code): Code {
  return store32(get(STATE), place, value);
}

/** A word of the row. */
function field(place: number): Code {
  return load32(get(ROW), place * 4);
}

function amountMinor(): Code {
  return loadDouble(get(ROW), OutcomeWord.amountMinor * 4);
}

function add(local: number, value: Code): Code {
  return set(local, i32.add(get(local), value));
}

function forEachRow(body: Code): Code {
  return sequence(
    set(ROW, get(ROWS)),
    whileLoop(i32.ltU(get(ROW), get(ROWS_END)), sequence(body, add(ROW, word(ROW_BYTES)))),
  );
}

/** Notes the first row that fails, and why. */
function failIf(condition: Code, failure: number): Code {
  return when(
    i32.and(condition, i32.eqz(get(FAILURE))),
    sequence(set(FAILURE, word(failure)), setState(PlayState.failedRow, get(ROW))),
  );
}

/** Accounts are there, and no time goes back. */
function checkRows(): Code {
  const accountRow = i32.sub(field(OutcomeWord.account), word(1));
  const high = i32.shrU(load32(get(ROW), STAMP_HIGH), word(16));
  const low = i64.extendI32U(load32(get(ROW), STAMP_TIME));
  return forEachRow(
    sequence(
      failIf(i32.geU(accountRow, get(ACCOUNT_COUNT)), PlayFailure.account),
      set(NEW_TIME_MS, i64.or(i64.shl(i64.extendI32U(high), long(32n)), low)),
      failIf(i64.ltU(get(NEW_TIME_MS), get(TIME_MS)), PlayFailure.time),
      set(TIME_MS, get(NEW_TIME_MS)),
    ),
  );
}

function accountAt(): Code {
  const accountRow = i32.sub(field(OutcomeWord.account), word(1));
  return i32.mul(accountRow, word(ACCOUNT_WORDS * 4));
}

function homeOf(tag: Code): Code {
  return i32.and(i32.shl(tag, word(SLOT_BITS)), get(MASK));
}

function touch(value: Code): Code {
  return set(LOADED, i32.xor(get(LOADED), value));
}

/** A round is loaded where its home slot shows it: most are seen so. */
function loadAhead(): Code {
  const tag = field(OutcomeWord.round);
  const reference = load32(get(AT), 4, SLOTS);
  const isRound = i32.eq(i32.and(reference, word(ReferenceType.mask)), word(ReferenceType.round));
  const isHere = i32.eq(load32(get(AT), 0, SLOTS), tag);
  return sequence(
    forEachRow(
      sequence(
        set(AT, accountAt()),
        touch(load32(get(AT), 0, ACCOUNTS)),
        touch(load32(get(AT), AccountWord.traits * 4, ACCOUNTS)),
      ),
    ),
    forEachRow(touch(load32(homeOf(field(PlayWord.tag)), 4, SLOTS))),
    forEachRow(touch(load32(homeOf(tag), 4, SLOTS))),
    forEachRow(
      sequence(
        set(AT, homeOf(tag)),
        when(i32.and(isRound, isHere), touch(load32(roundAt(reference), 0, ROUNDS))),
      ),
    ),
  );
}

/** The address of the round that a reference names. */
function roundAt(reference: Code): Code {
  const row = i32.sub(i32.shrU(reference, word(TYPE_BITS)), word(1));
  return i32.shl(row, word(ROUND_BITS));
}

/** Balances after are those of the record, of accounts that have nothing but cash. */
function moveCash(): Code {
  const bucket = (place: number): Code => loadDouble(get(AT), place * 4, ACCOUNTS);
  const moved = select(
    f64.neg(amountMinor()),
    amountMinor(),
    i32.eq(i32.and(field(OutcomeWord.meta), word(0xff)), word(Kind.bet)),
  );
  const after = loadDouble(get(ROW), OutcomeWord.cashMinor * 4);
  const none = f64.convertI32U(word(0));
  const fits = [
    f64.eq(f64.add(bucket(AccountWord.cash), moved), after),
    f64.eq(bucket(AccountWord.bonus), none),
    f64.eq(bucket(AccountWord.held), none),
  ].reduce((all, one) => i32.and(all, one));
  const owner = i32.shrU(load32(get(AT), AccountWord.traits * 4, ACCOUNTS), word(8));
  return sequence(
    set(OWNER_AT, get(STATE)),
    forEachRow(
      sequence(
        set(AT, accountAt()),
        failIf(i32.eqz(fits), PlayFailure.balance),
        storeDouble(get(AT), AccountWord.cash * 4, after, ACCOUNTS),
        store32(get(OWNER_AT), PlayState.owners, owner),
        add(OWNER_AT, word(4)),
      ),
    ),
  );
}

/** Begins a probe at the home of TAG. */
function beginProbe(): Code {
  return sequence(set(START, homeOf(get(TAG))), set(AT, get(START)), set(GROUPS, word(0)));
}

/** Goes on to the next slot of a probe; see tables/hash-slots.ts. */
function nextSlot(): Code {
  const group = i32.and(get(AT), word(~(GROUP_BYTES - 1)));
  const inGroup = i32.and(i32.add(get(AT), word(SLOT_BYTES)), word(GROUP_BYTES - 1));
  return sequence(
    set(AT, i32.or(group, inGroup)),
    when(
      i32.eq(get(AT), get(START)),
      sequence(
        set(START, i32.and(i32.add(group, word(GROUP_BYTES)), get(MASK))),
        set(AT, get(START)),
        add(GROUPS, word(1)),
      ),
    ),
  );
}

/** Fills the slot where a probe has come to its end. */
function fillSlot(reference: Code): Code {
  return sequence(
    store32(get(AT), 0, get(TAG), SLOTS),
    store32(get(AT), 4, reference, SLOTS),
    set(GROUPS_MAX, select(get(GROUPS), get(GROUPS_MAX), i32.gtU(get(GROUPS), get(GROUPS_MAX)))),
  );
}

/** Enters outcomes under their keys. */
function enterKeys(): Code {
  const reference = i32.or(
    i32.shl(i32.add(get(OUTCOME_ROW), word(1)), word(TYPE_BITS)),
    word(ReferenceType.outcome),
  );
  return forEachRow(
    sequence(
      set(TAG, field(PlayWord.tag)),
      beginProbe(),
      whileLoop(load32(get(AT), 4, SLOTS), nextSlot()),
      fillSlot(reference),
      add(OUTCOME_ROW, word(1)),
    ),
  );
}

/** Looks for the round: FOUND is 1 and ROUND its address, or FOUND is 0 and AT a free slot. */
function findRound(): Code {
  const candidate = roundAt(get(REFERENCE));
  const isRound = i32.eq(
    i32.and(get(REFERENCE), word(ReferenceType.mask)),
    word(ReferenceType.round),
  );
  const ofRow = (distance: number): Code => load64(get(ROW), OutcomeWord.round * 4 + distance);
  const ofRound = (distance: number): Code => load64(get(ROUND), distance, ROUNDS);
  // The row has the key's words 1 to 3: two longs that overlap.
  const isSame = i32.and(i64.eq(ofRow(4), ofRound(0)), i64.eq(ofRow(8), ofRound(4)));
  return sequence(
    set(FOUND, word(0)),
    beginProbe(),
    set(REFERENCE, load32(get(AT), 4, SLOTS)),
    whileLoop(
      i32.and(i32.ne(get(REFERENCE), word(0)), i32.eqz(get(FOUND))),
      sequence(
        when(
          i32.and(isRound, i32.eq(load32(get(AT), 0, SLOTS), get(TAG))),
          sequence(set(ROUND, candidate), set(FOUND, isSame)),
        ),
        when(i32.eqz(get(FOUND)), sequence(nextSlot(), set(REFERENCE, load32(get(AT), 4, SLOTS)))),
      ),
    ),
  );
}

function ofRound(place: number): Code {
  return load32(get(ROUND), place * 4, ROUNDS);
}

function setOfRound(place: number, value: Code): Code {
  return store32(get(ROUND), place * 4, value, ROUNDS);
}

/** The address of the round with a number, counted from 1. */
function roundOf(number: Code): Code {
  return i32.shl(i32.sub(number, word(1)), word(ROUND_BITS));
}

function setList(place: number, value: Code): Code {
  return store32(get(LIST), place * 4, value, LISTS);
}

/** The list of the account's operator. */
function findList(): Code {
  const owner = load32(get(OWNER_AT), PlayState.owners);
  return set(LIST, i32.mul(i32.shrU(owner, word(8)), word(LIST_WORDS * 4)));
}

/** Takes an open round out of its list; see tables/open-rounds.ts. */
function takeFromList(): Code {
  return sequence(
    findList(),
    set(LAST, ofRound(RoundLink.previous)),
    set(NEXT, ofRound(RoundLink.next)),
    either(
      get(LAST),
      store32(roundOf(get(LAST)), RoundLink.next * 4, get(NEXT), ROUNDS),
      setList(ListWord.first, get(NEXT)),
    ),
    either(
      get(NEXT),
      store32(roundOf(get(NEXT)), RoundLink.previous * 4, get(LAST), ROUNDS),
      setList(ListWord.last, get(LAST)),
    ),
    set(OPENED_COUNT, i32.sub(get(OPENED_COUNT), word(1))),
  );
}

/** Puts the round with number ROUND_COUNT at the end of its list. */
function putIntoList(): Code {
  return sequence(
    findList(),
    set(LAST, load32(get(LIST), ListWord.last * 4, LISTS)),
    setOfRound(RoundLink.previous, get(LAST)),
    either(
      get(LAST),
      store32(roundOf(get(LAST)), RoundLink.next * 4, get(ROUND_COUNT), ROUNDS),
      sequence(setList(ListWord.first, get(ROUND_COUNT)), setState(PlayState.beganList, word(1))),
    ),
    setList(ListWord.last, get(ROUND_COUNT)),
    add(OPENED_COUNT, word(1)),
  );
}

function isBet(): Code {
  return i32.eq(get(KIND), word(Kind.bet));
}

/** 1 for a win above 0. */
function countedWin(): Code {
  const isAboveNothing = f64.gt(amountMinor(), f64.convertI32U(word(0)));
  return i32.and(i32.eq(get(KIND), word(Kind.win)), isAboveNothing);
}

function openRound(): Code {
  const ends = select(word(RoundState.closedByEnd), word(RoundState.open), get(ENDS));
  const cashStake = select(amountMinor(), f64.convertI32U(word(0)), isBet());
  const key = (distance: number): Code => load64(get(ROW), OutcomeWord.round * 4 + 4 + distance);
  return sequence(
    set(ROUND, i32.shl(get(ROUND_COUNT), word(ROUND_BITS))),
    add(ROUND_COUNT, word(1)),
    fillSlot(i32.or(i32.shl(get(ROUND_COUNT), word(TYPE_BITS)), word(ReferenceType.round))),
    store64(get(ROUND), 0, key(0), ROUNDS),
    store64(get(ROUND), 4, key(4), ROUNDS),
    setOfRound(RoundWord.account, i32.sub(field(OutcomeWord.account), word(1))),
    ...[0, 1, 2].map((place) =>
      setOfRound(RoundWord.stamp + place, field(OutcomeWord.stamp + place)),
    ),
    setOfRound(RoundWord.state, i32.or(ends, select(word(ONE_BET), word(0), isBet()))),
    storeDouble(get(ROUND), RoundWord.cashStakeMinor * 4, cashStake, ROUNDS),
    store64(get(ROUND), RoundWord.bonusStakeMinor * 4, long(0n), ROUNDS),
    setOfRound(RoundCount.liveBets, isBet()),
    setOfRound(RoundCount.liveWins, countedWin()),
    store64(get(ROUND), RoundLink.previous * 4, long(0n), ROUNDS),
    when(i32.eqz(get(ENDS)), putIntoList()),
  );
}

function joinRound(): Code {
  const stateWord = ofRound(RoundWord.state);
  const isOpen = i32.eq(i32.and(stateWord, word(STATE_MASK)), word(RoundState.open));
  const closed = i32.or(i32.and(stateWord, word(~STATE_MASK)), word(RoundState.closedByEnd));
  const stake = loadDouble(get(ROUND), RoundWord.cashStakeMinor * 4, ROUNDS);
  return sequence(
    when(get(ENDS), sequence(when(isOpen, takeFromList()), setOfRound(RoundWord.state, closed))),
    either(
      isBet(),
      sequence(
        setOfRound(RoundWord.state, i32.add(stateWord, word(ONE_BET))),
        setOfRound(RoundCount.liveBets, i32.add(ofRound(RoundCount.liveBets), word(1))),
        storeDouble(
          get(ROUND),
          RoundWord.cashStakeMinor * 4,
          f64.add(stake, amountMinor()),
          ROUNDS,
        ),
      ),
      setOfRound(RoundCount.liveWins, i32.add(ofRound(RoundCount.liveWins), countedWin())),
    ),
  );
}

/** Enters bets and wins in their rounds, in order; the rows are finished behind it. */
function enterRounds(): Code {
  const kind = i32.and(field(OutcomeWord.meta), word(0xff));
  const enter = sequence(
    set(TAG, field(OutcomeWord.round)),
    findRound(),
    either(get(FOUND), joinRound(), openRound()),
  );
  return sequence(
    set(OWNER_AT, get(STATE)),
    forEachRow(
      sequence(
        set(KIND, kind),
        set(ENDS, field(PlayWord.ends)),
        store64(get(ROW), OutcomeWord.extra * 4, long(0n)),
        when(i32.ne(get(KIND), word(Kind.deposit)), enter),
        add(OWNER_AT, word(4)),
      ),
    ),
  );
}

/**
 * The function `apply(rows, rowsEnd, state)`: applies the rows between two addresses of the
 * kernel's memory, PASS_TRANSACTIONS_MAX at most. The slots have room for two entries a row and are
 * not growing, the rounds have room for a row each.
 */
export function playFunction(): WasmFunction {
  const { timeMs } = PlayState;
  return {
    name: 'apply',
    parameterCount: PARAMETER_COUNT,
    wordCount: WORD_COUNT,
    longCount: LONG_COUNT,
    body: sequence(
      set(TIME_MS, i64.truncF64U(loadDouble(get(STATE), timeMs))),
      set(ACCOUNT_COUNT, state(PlayState.accountCount)),
      set(MASK, state(PlayState.slotMask)),
      set(OUTCOME_ROW, state(PlayState.outcomeRow)),
      set(ROUND_COUNT, state(PlayState.roundCount)),
      setState(PlayState.beganList, word(0)),
      checkRows(),
      when(i32.eqz(get(FAILURE)), sequence(loadAhead(), moveCash())),
      when(i32.eqz(get(FAILURE)), sequence(enterKeys(), enterRounds())),
      storeDouble(get(STATE), timeMs, f64.convertI64S(get(TIME_MS))),
      setState(PlayState.roundCount, get(ROUND_COUNT)),
      setState(PlayState.openedCount, get(OPENED_COUNT)),
      setState(PlayState.groupsMax, get(GROUPS_MAX)),
      setState(PlayState.failure, get(FAILURE)),
      setState(PlayState.loaded, get(LOADED)),
    ),
  };
}

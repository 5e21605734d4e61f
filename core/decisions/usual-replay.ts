// Applies usual records: bets, wins and deposits that moved their amount of cash, and opens. The
// first three come as whole rows of outcomes, and runs of them are applied by the kernel
// (kernel/play-code.ts). Any other record is the business of replay-records.ts.
import { assert, InvariantError } from '../assert.ts';
import {
  kernelDoubles,
  kernelOutcomes,
  kernelWords,
  OUTCOMES_AT,
  PLAY_STATE_AT,
} from '../kernel/kernel.ts';
import { OpeningWord } from '../kernel/outcome-code.ts';
import { PlayFailure, PlayState } from '../kernel/play-code.ts';
import { type ApplyPlays, applyPlaysOver } from '../kernel/table-functions.ts';
import { Kind } from '../kinds.ts';
import { AMOUNT_MINOR_MAX } from '../limits.ts';
import { OUTCOME_WORDS, OutcomeWord } from '../tables/outcome-rows.ts';
import { SystemAccount } from '../tables/system-accounts.ts';
import { takeSequence } from './apply-decision.ts';
import { type ReplayBatch, Usual } from './replay-batch.ts';
import { refuseRecord } from './replay-error.ts';
import type { ShardState } from './shard-state.ts';

const ROW_BYTES = OUTCOME_WORDS * 4;
const META_WORD = OUTCOMES_AT / 4 + OutcomeWord.meta;
const AMOUNT_DOUBLE = OUTCOMES_AT / 8 + OutcomeWord.amountMinor / 2;
const TIME_DOUBLE = (PLAY_STATE_AT + PlayState.timeMs) / 8;
const OWNERS_WORD = (PLAY_STATE_AT + PlayState.owners) / 4;

const RULE_OF_FAILURE: Readonly<Record<number, string>> = {
  [PlayFailure.account]: 'the account of a record is there',
  [PlayFailure.time]: 'time never goes back in a shard',
  [PlayFailure.balance]: 'balances after a record are those that it carries',
};

/** See the head of this file. */
export class UsualReplay {
  readonly #state: ShardState;
  #applyPlays: ApplyPlays | null = null;

  constructor(state: ShardState) {
    this.#state = state;
  }

  /** Loads what applying openings will read (see load-ahead.ts); the result means nothing. */
  loadOpenings({ outcomes, openingKeys }: ReplayBatch, from: number, until: number): number {
    const { accounts, index } = this.#state;
    const words = OUTCOME_WORDS;
    const loaded = accounts.loadSlotsOf(outcomes, from * words, until * words, words);
    return loaded ^ index.loadSlots(openingKeys, from, until);
  }

  /** Applies rows of one pass that are all of the same usual form. */
  applyRun(batch: ReplayBatch, from: number, until: number): void {
    if (batch.usual[from] === Usual.play) this.#applyPlayRows(batch, from, until);
    else for (let row = from; row < until; row += 1) this.#applyOpening(batch, row);
  }

  #applyOpening(batch: ReplayBatch, row: number): void {
    const state = this.#state;
    const { outcomes, outcomeSource, records, decision, openingKeys } = batch;
    const at = row * OUTCOME_WORDS;
    decision.timeMs = records.timeMs[row];
    takeSequence(state, decision);
    const accountRow = state.accounts.add(
      outcomes,
      at + OpeningWord.accountHash,
      outcomes[at + OpeningWord.owner],
      outcomeSource,
      (at + OpeningWord.player) * 4,
      outcomes[at + OpeningWord.byteCount],
    );
    assert(accountRow === records.accountRow[row], 'accounts are numbered in the order of opening');
    const { sequence, timeMs } = decision;
    state.index.insertOpening(openingKeys, row * 4, accountRow, sequence, timeMs);
  }

  #applyPlayRows({ outcomes }: ReplayBatch, from: number, until: number): void {
    const state = this.#state;
    const { accounts, index, openRounds } = state;
    const count = until - from;
    kernelOutcomes.set(outcomes.subarray(from * OUTCOME_WORDS, until * OUTCOME_WORDS));
    index.rounds.rows.makeRoom(count);
    const roundCount = index.rounds.rows.endRow;
    kernelDoubles[TIME_DOUBLE] = state.lastTimeMs;
    setNumber(PlayState.accountCount, accounts.rowCount);
    setNumber(PlayState.slotMask, index.makeRoom(count * 2));
    setNumber(PlayState.outcomeRow, index.outcomes.rows.endRow);
    setNumber(PlayState.roundCount, roundCount);
    this.#applyPlays ??= this.#makeFunction();
    this.#applyPlays(OUTCOMES_AT, OUTCOMES_AT + count * ROW_BYTES, PLAY_STATE_AT);
    if (number(PlayState.failure) !== PlayFailure.none) throw this.#refuse();
    const newRounds = number(PlayState.roundCount) - roundCount;
    index.rounds.rows.noteAppended(newRounds);
    index.noteEntered(count + newRounds, number(PlayState.groupsMax));
    openRounds.noteChange(number(PlayState.openedCount));
    if (number(PlayState.beganList) !== 0) state.roundsDueAtMs = 0;
    index.outcomes.append(kernelOutcomes, 0, count);
    state.sequence += count;
    state.lastTimeMs = kernelDoubles[TIME_DOUBLE];
    this.#postCounterparts(count);
  }

  #makeFunction(): ApplyPlays {
    const { accounts, index, openRounds } = this.#state;
    return applyPlaysOver({
      accounts: accounts.memory.memory,
      slots: index.slotsMemory.memory,
      rounds: index.rounds.memory.memory,
      lists: openRounds.memory.memory,
    });
  }

  #refuse(): Error {
    const row = (number(PlayState.failedRow) - OUTCOMES_AT) / ROW_BYTES;
    const rule = RULE_OF_FAILURE[number(PlayState.failure)];
    const cause = new InvariantError(`Broken invariant: ${rule}`);
    return refuseRecord(this.#state.sequence + 1 + row, cause);
  }

  /** Posts what the accounts got and gave, neighbours with the same counterpart in one sum. */
  #postCounterparts(count: number): void {
    const { system } = this.#state;
    let sumMinor = 0;
    let sumOwner = 0;
    let sumCounterpart = 0;
    for (let row = 0; row < count; row += 1) {
      const kind = kernelWords[META_WORD + row * OUTCOME_WORDS] & 0xff;
      const amountMinor = kernelDoubles[AMOUNT_DOUBLE + (row * OUTCOME_WORDS) / 2];
      const postedMinor = kind === Kind.bet ? amountMinor : -amountMinor;
      const counterpart = kind === Kind.deposit ? SystemAccount.cashier : SystemAccount.house;
      const owner = kernelWords[OWNERS_WORD + row];
      const isSame = owner === sumOwner && counterpart === sumCounterpart;
      if (isSame && Math.abs(sumMinor + postedMinor) <= AMOUNT_MINOR_MAX) {
        sumMinor += postedMinor;
        continue;
      }
      if (sumMinor !== 0) system.add(sumOwner, sumCounterpart, sumMinor);
      sumMinor = postedMinor;
      sumOwner = owner;
      sumCounterpart = counterpart;
    }
    if (sumMinor !== 0) system.add(sumOwner, sumCounterpart, sumMinor);
  }
}

function setNumber(place: number, value: number): void {
  kernelWords[(PLAY_STATE_AT + place) / 4] = value;
}

function number(place: number): number {
  return kernelWords[(PLAY_STATE_AT + place) / 4];
}

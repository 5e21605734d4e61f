// Replays the records of a block: each one's outcome is applied without deciding again (design
// section 5), through the same functions as live, in the same passes. Balances after are computed
// and compared with the record's, so a log that doesn't fit its own past stops here.
import { assert, InvariantError } from '../assert.ts';
import { Field, Kind } from '../kinds.ts';
import { Decision } from '../records/decision.ts';
import { KeyColumns } from '../records/key-columns.ts';
import { RecordColumns } from '../records/record-columns.ts';
import { RecordReader, sourceOfContent } from '../records/record-reader.ts';
import { ResultCode } from '../result-codes.ts';
import { OutcomeTrait } from '../tables/outcome-rows.ts';
import { RoundLink } from '../tables/round-rows.ts';
import { TransactionColumns } from '../transaction-columns.ts';
import { applyAdministration } from './administration.ts';
import { applyDecision, applyHoldExpired, applyRoundAged, takeSequence } from './apply-decision.ts';
import { computeBalances, readAccount } from './balances.ts';
import { enterOutcome } from './effects.ts';
import { findBetOfWin, nameRoundless, resolveRoundOfWin } from './judge-win.ts';
import type { ShardState } from './shard-state.ts';
import type { PlayerText } from './transaction-keys.ts';

/**
 * A record that cannot be applied to the state before it: the log is damaged or of another state.
 */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
}

/** The columns that replay works in; one per shard, made when it is first needed. */
export class Replay {
  readonly #state: ShardState;
  readonly #columns = new TransactionColumns();
  readonly #records = new RecordColumns();
  readonly #keys = new KeyColumns();
  readonly #decision = new Decision(this.#keys);
  readonly #reader = new RecordReader();
  readonly #player: PlayerText = {
    source: sourceOfContent(new Uint8Array(1)),
    at: 0,
    byteCount: 0,
  };

  constructor(state: ShardState) {
    this.#state = state;
  }

  /**
   * Applies a block whose checksum was verified. Throws ReplayError, and then the state is void.
   */
  applyBlock(content: Uint8Array, recordCount: number, firstSequence: number): void {
    const state = this.#state;
    if (firstSequence !== state.sequence + 1) {
      throw new ReplayError(
        `Cannot replay a block because its first record has number ${firstSequence} ` +
          `where ${state.sequence + 1} is next`,
      );
    }
    try {
      this.#applyRecords(content, recordCount);
    } catch (error) {
      // A TypeError here is a text that is no UTF-8, or a number that leads nowhere. What else may
      // be thrown, such as for want of memory, is not the content's fault.
      if (!(error instanceof InvariantError || error instanceof TypeError)) throw error;
      throw new ReplayError(
        `Cannot replay record ${state.sequence + 1} because it doesn't fit the state before it. ` +
          error.message,
        { cause: error },
      );
    }
  }

  #applyRecords(content: Uint8Array, recordCount: number): void {
    const columns = this.#columns;
    columns.sources[0] = sourceOfContent(content);
    this.#reader.begin(content);
    let appliedTo = 0;
    let row = 0;
    for (let record = 0; record < recordCount; record += 1) {
      if (row === columns.capacity) {
        this.#applyRows(appliedTo, row);
        appliedTo = 0;
        row = 0;
      }
      this.#reader.read(columns, this.#records, row);
      // An account that was opened a few records ago must be there before its id can be hashed.
      if (this.#records.accountRow[row] >= this.#state.accounts.rowCount) {
        this.#applyRows(appliedTo, row);
        appliedTo = row;
      }
      row += 1;
    }
    this.#applyRows(appliedTo, row);
    assert(this.#reader.isAtEnd, 'a block holds its records and nothing else');
  }

  #applyRows(from: number, to: number): void {
    for (let row = from; row < to; row += 1) this.#hashRow(row);
    for (let row = from; row < to; row += 1) this.#applyRow(row);
  }

  #hashRow(row: number): void {
    const { accounts, keys } = this.#state;
    const columns = this.#columns;
    const records = this.#records;
    const player = this.#player;
    if (columns.kind[row] >= Kind.roundAged) return;
    const accountRow = records.accountRow[row];
    if (accountRow < 0 || accountRow >= accounts.rowCount) {
      const isNew = (records.traits[row] & OutcomeTrait.made) !== 0;
      assert(isNew || accountRow < 0, 'the account of a record is there');
      player.source = columns.sources[0];
      player.at = columns.player.at[row];
      player.byteCount = columns.player.byteCount[row];
    } else {
      player.source = accounts.playerSource(accountRow);
      player.at = accounts.playerAt(accountRow);
      player.byteCount = accounts.playerBytes(accountRow);
      records.owner[row] = accounts.operator(accountRow) * 256 + accounts.currency(accountRow);
    }
    keys.hashRow(columns, row, records.owner[row], player, this.#keys);
  }

  #applyRow(row: number): void {
    const decision = this.#decision;
    const kind = this.#columns.kind[row];
    this.#fillDecision(row);
    if (kind >= Kind.roundAged) this.#applySystemRecord(row);
    else if (kind === Kind.setOperator || kind === Kind.setClient) {
      takeSequence(this.#state, decision);
      applyAdministration(this.#state, this.#columns, row);
      enterOutcome(this.#state, decision);
    } else if ((decision.traits & OutcomeTrait.made) !== 0) this.#applyOpening(row);
    else this.#applyTransaction(row);
  }

  #fillDecision(row: number): void {
    const decision = this.#decision;
    const columns = this.#columns;
    const records = this.#records;
    decision.begin(columns.kind[row], columns.fields[row], records.timeMs[row], row);
    decision.code = records.code[row];
    decision.traits = records.traits[row];
    decision.accountRow = records.accountRow[row];
    decision.owner = records.owner[row];
    decision.provider = columns.provider[row];
    decision.amountMinor = columns.amountMinor[row];
    decision.cashMovedMinor = records.cashMovedMinor[row];
    decision.bonusMovedMinor = records.bonusMovedMinor[row];
    decision.expiresInMs = columns.expiresInMs[row];
    decision.status = columns.status[row];
    decision.extra = records.extra[row];
  }

  #applyTransaction(row: number): void {
    const state = this.#state;
    const decision = this.#decision;
    assert(decision.accountRow >= 0, 'a transaction has an account');
    if ((decision.fields & Field.round) !== 0) {
      decision.traits |= OutcomeTrait.roundNamed;
      decision.roundAt = row * 4;
    } else if (decision.kind === Kind.bet) nameRoundless(state, decision);
    if (decision.code === ResultCode.ok) this.#resolve(row);
    readAccount(state, decision);
    computeBalances(decision);
    this.#compareBalances(row);
    takeSequence(state, decision);
    applyDecision(state, decision);
  }

  /** Finds the rows that judging found when it was live. */
  #resolve(row: number): void {
    const state = this.#state;
    const decision = this.#decision;
    const { kind, amountMinor } = decision;
    if (kind === Kind.bet) decision.roundRow = -2;
    else if (kind === Kind.win) resolveRoundOfWin(state, decision, findBetOfWin(state, decision));
    else if (kind === Kind.rollback) {
      state.index.probe(decision.keys.reference, row * 4);
      decision.referenceRow = state.index.outcomeRow;
    } else if (kind === Kind.hold) decision.heldMovedMinor = amountMinor;
    else if (kind === Kind.capture || kind === Kind.release) {
      decision.heldMovedMinor = -amountMinor;
      decision.holdRow = state.holds.find(decision.keys.reference, row * 4);
      assert(decision.holdRow >= 0, 'a captured or released hold is unfinished');
    } else if (kind === Kind.transfer) {
      decision.receiverRow = this.#records.receiverRow[row];
      decision.receiverCashMinor = this.#records.receiverCashMinor[row];
      const before = state.accounts.cashMinor(decision.receiverRow);
      assert(decision.receiverCashMinor - before === amountMinor, 'a transfer gives what it takes');
    }
  }

  #compareBalances(row: number): void {
    const decision = this.#decision;
    const records = this.#records;
    assert(
      decision.cashMinor === records.cashMinor[row] &&
        decision.bonusMinor === records.bonusMinor[row] &&
        decision.heldMinor === records.heldMinor[row],
      'balances after a record are those that it carries',
    );
  }

  #applyOpening(row: number): void {
    const state = this.#state;
    const decision = this.#decision;
    const { accounts } = state;
    const { player } = this.#columns;
    takeSequence(state, decision);
    const accountRow = accounts.add(
      this.#keys.account,
      row * 2,
      decision.owner,
      this.#columns.sources[0],
      player.at[row],
      player.byteCount[row],
    );
    assert(accountRow === decision.accountRow, 'accounts are numbered in the order of opening');
    const { sequence, timeMs } = decision;
    state.index.insertOpening(this.#keys.key, row * 4, accountRow, sequence, timeMs);
  }

  #applySystemRecord(row: number): void {
    const state = this.#state;
    const decision = this.#decision;
    const subjectSequence = this.#records.subjectSequence[row];
    if (decision.kind === Kind.setRetention) {
      takeSequence(state, decision);
      state.retentionMs = decision.amountMinor;
      return;
    }
    const { accountRow } = decision;
    assert(accountRow >= 0, 'rounds and holds have accounts');
    decision.owner =
      state.accounts.operator(accountRow) * 256 + state.accounts.currency(accountRow);
    decision.heldMovedMinor = -decision.cashMovedMinor;
    readAccount(state, decision);
    computeBalances(decision);
    this.#compareBalances(row);
    takeSequence(state, decision);
    if (decision.kind === Kind.holdExpired) {
      const holdRow = state.holds.firstToExpire();
      assert(holdRow >= 0, 'an expiry has a hold');
      assert(state.holds.sequence(holdRow) === subjectSequence, 'holds expire in their order');
      applyHoldExpired(state, decision, holdRow);
    } else {
      applyRoundAged(state, decision, this.#openRoundOf(decision.owner >>> 8, subjectSequence));
    }
  }

  /** Aged rounds are the oldest of their operator, or not far behind. */
  #openRoundOf(operator: number, openedSequence: number): number {
    const { rounds } = this.#state.index;
    let row = this.#state.openRounds.first(operator);
    while (row >= 0 && rounds.openedSequence(row) !== openedSequence) {
      row = rounds.link(row, RoundLink.next);
    }
    assert(row >= 0, 'a round that ages is open');
    return row;
  }
}

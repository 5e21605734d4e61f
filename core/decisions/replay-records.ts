// The second half of a replay: applies each record's outcome without deciding again (design section
// 5), through the same functions as live, in the same passes. Balances after are computed and
// compared with the record's, so a log that doesn't fit its own past stops here. Records come as
// decoded batches (replay-decoder.ts), from another thread or, for a block at a time, from this
// one.
import { assert, InvariantError } from '../assert.ts';
import { Field, Kind } from '../kinds.ts';
import { PASS_TRANSACTIONS_MAX } from '../limits.ts';
import type { Decision } from '../records/decision.ts';
import type { RecordColumns } from '../records/record-columns.ts';
import { ResultCode } from '../result-codes.ts';
import { OutcomeTrait } from '../tables/outcome-rows.ts';
import { RoundLink } from '../tables/round-rows.ts';
import { applyAdministration } from './administration.ts';
import { applyDecision, applyHoldExpired, applyRoundAged, takeSequence } from './apply-decision.ts';
import { computeBalances, readAccount } from './balances.ts';
import { enterOutcome } from './effects.ts';
import { findBetOfWin, nameRoundless, resolveRoundOfWin } from './judge-win.ts';
import { type LoadSink, loadKeys } from './load-ahead.ts';
import { type ReplayBatch, Usual } from './replay-batch.ts';
import { refuseRecord, refuseSequence } from './replay-error.ts';
import type { ShardState } from './shard-state.ts';
import { UsualReplay } from './usual-replay.ts';

/** Rows of a batch that follow each other in one block. */
export interface BatchRows {
  readonly from: number;
  readonly until: number;
  /** Sequence of the first. */
  readonly firstSequence: number;
  /** Rows of the whole batch: loads ahead go beyond the block. */
  readonly batchUntil: number;
}

/** Applies batches to the state of one shard. */
export class Replay {
  readonly #state: ShardState;
  readonly #usual: UsualReplay;
  readonly #sink: LoadSink = { loaded: 0 };
  /** Rows of the batch before this one have been loaded ahead. */
  #loadedTo = 0;

  constructor(state: ShardState) {
    this.#state = state;
    this.#usual = new UsualReplay(state);
  }

  /** Applies decoded rows, each batch from row 0 on. Throws ReplayError: the state is void then. */
  applyRows(batch: ReplayBatch, rows: BatchRows): void {
    const state = this.#state;
    if (rows.firstSequence !== state.sequence + 1) {
      throw refuseSequence(rows.firstSequence, state.sequence + 1);
    }
    if (rows.from === 0) this.#loadedTo = 0;
    try {
      for (let row = rows.from; row < rows.until; ) {
        if (row >= this.#loadedTo) this.#loadAhead(batch, row, rows.batchUntil);
        const until = endOfRun(batch, row, Math.min(this.#loadedTo, rows.until));
        if (batch.usual[row] !== Usual.no) this.#usual.applyRun(batch, row, until);
        else for (let each = row; each < until; each += 1) this.#applyRow(batch, each);
        row = until;
      }
    } catch (error) {
      // A TypeError here is a text that is no UTF-8, or a number that leads nowhere. What else may
      // be thrown, such as for want of memory, is not the content's fault.
      if (!(error instanceof InvariantError || error instanceof TypeError)) throw error;
      throw refuseRecord(state.sequence + 1, error);
    }
  }

  /**
   * Loads what the next pass of rows will read (see load-ahead.ts), in the way of each form that
   * occurs: columns that a row does not fill hold what they held, which costs a vain load.
   */
  #loadAhead(batch: ReplayBatch, from: number, batchUntil: number): void {
    const until = Math.min(from + PASS_TRANSACTIONS_MAX, batchUntil);
    const sink = this.#sink;
    let forms = 0;
    for (let row = from; row < until; row += 1) forms |= 1 << batch.usual[row];
    if ((forms & (1 << Usual.opening)) !== 0) {
      sink.loaded ^= this.#usual.loadOpenings(batch, from, until);
    }
    if ((forms & (1 << Usual.no)) !== 0) this.#loadGeneral(batch, from, until);
    this.#loadedTo = until;
  }

  #loadGeneral({ keys, records }: ReplayBatch, from: number, until: number): void {
    const state = this.#state;
    const sink = this.#sink;
    sink.loaded ^= state.accounts.loadRows(records.accountRow, from, until);
    if (opensAccount(records, from, until)) {
      sink.loaded ^= state.accounts.loadSlots(keys.account, from, until);
    }
    loadKeys(state, keys, from, until, sink);
  }

  #applyRow(batch: ReplayBatch, row: number): void {
    const { decision } = batch;
    const kind = batch.columns.kind[row];
    this.#fillDecision(batch, row);
    if (kind >= Kind.roundAged) this.#applySystemRecord(batch, row);
    else if (kind === Kind.setOperator || kind === Kind.setClient) {
      takeSequence(this.#state, decision);
      applyAdministration(this.#state, batch.columns, row);
      enterOutcome(this.#state, decision);
    } else if ((decision.traits & OutcomeTrait.made) !== 0) this.#applyOpening(batch, row);
    else this.#applyTransaction(batch, row);
  }

  #fillDecision(batch: ReplayBatch, row: number): void {
    const { decision } = batch;
    const columns = batch.columns;
    const records = batch.records;
    decision.begin(columns.kind[row], columns.fields[row], records.timeMs[row], row);
    decision.code = records.code[row];
    decision.traits = records.traits[row];
    decision.accountRow = records.accountRow[row];
    decision.owner = this.#ownerOf(batch, row);
    decision.provider = columns.provider[row];
    decision.amountMinor = columns.amountMinor[row];
    decision.cashMovedMinor = records.cashMovedMinor[row];
    decision.bonusMovedMinor = records.bonusMovedMinor[row];
    decision.expiresInMs = columns.expiresInMs[row];
    decision.status = columns.status[row];
    decision.extra = records.extra[row];
  }

  /** A record names the owner where it opens the account or has none. */
  #ownerOf({ records }: ReplayBatch, row: number): number {
    const { accounts } = this.#state;
    const accountRow = records.accountRow[row];
    const isMade = (records.traits[row] & OutcomeTrait.made) !== 0;
    if (accountRow < 0 || isMade) return records.owner[row];
    return accounts.operator(accountRow) * 256 + accounts.currency(accountRow);
  }

  #applyTransaction(batch: ReplayBatch, row: number): void {
    const state = this.#state;
    const { decision } = batch;
    assert(decision.accountRow >= 0, 'a transaction has an account');
    if ((decision.fields & Field.round) !== 0) {
      decision.traits |= OutcomeTrait.roundNamed;
      decision.roundAt = row * 4;
    } else if (decision.kind === Kind.bet) nameRoundless(decision);
    if (decision.code === ResultCode.ok) this.#resolve(batch, row);
    readAccount(state, decision);
    computeBalances(decision);
    this.#compareBalances(batch, row);
    takeSequence(state, decision);
    applyDecision(state, decision);
  }

  /** Finds the rows that judging found when it was live. */
  #resolve(batch: ReplayBatch, row: number): void {
    const state = this.#state;
    const { decision } = batch;
    const { kind, amountMinor } = decision;
    if (kind === Kind.bet) decision.roundRow = -2;
    else if (kind === Kind.win) this.#resolveWin(decision);
    else if (kind === Kind.rollback) {
      state.index.probe(decision.keys.reference, row * 4);
      decision.referenceRow = state.index.outcomeRow;
    } else if (kind === Kind.hold) decision.heldMovedMinor = amountMinor;
    else if (kind === Kind.capture || kind === Kind.release) {
      decision.heldMovedMinor = -amountMinor;
      decision.holdRow = state.holds.find(decision.keys.reference, row * 4);
      assert(decision.holdRow >= 0, 'a captured or released hold is unfinished');
    } else if (kind === Kind.transfer) {
      decision.receiverRow = batch.records.receiverRow[row];
      decision.receiverCashMinor = batch.records.receiverCashMinor[row];
      const before = state.accounts.cashMinor(decision.receiverRow);
      assert(decision.receiverCashMinor - before === amountMinor, 'a transfer gives what it takes');
    }
  }

  /** The record says whether a win joined the round of its bet without naming it. */
  #resolveWin(decision: Decision): void {
    const hasJoined = (decision.traits & OutcomeTrait.joined) !== 0;
    const betRow = hasJoined ? findBetOfWin(this.#state, decision) : -1;
    resolveRoundOfWin(this.#state, decision, betRow);
    const isJoined = decision.roundAt === decision.keys.joinedRoundAt(decision.row);
    assert(isJoined === hasJoined, 'a win that joined a round did not name it');
  }

  #compareBalances(batch: ReplayBatch, row: number): void {
    const { decision } = batch;
    const records = batch.records;
    assert(
      decision.cashMinor === records.cashMinor[row] &&
        decision.bonusMinor === records.bonusMinor[row] &&
        decision.heldMinor === records.heldMinor[row],
      'balances after a record are those that it carries',
    );
  }

  #applyOpening(batch: ReplayBatch, row: number): void {
    const state = this.#state;
    const { decision } = batch;
    const { accounts } = state;
    const { player, sources, sourceIndex } = batch.columns;
    takeSequence(state, decision);
    const accountRow = accounts.add(
      batch.keys.account,
      row * 2,
      decision.owner,
      sources[sourceIndex[row]],
      player.at[row],
      player.byteCount[row],
    );
    assert(accountRow === decision.accountRow, 'accounts are numbered in the order of opening');
    const { sequence, timeMs } = decision;
    state.index.insertOpening(batch.keys.key, row * 4, accountRow, sequence, timeMs);
  }

  #applySystemRecord(batch: ReplayBatch, row: number): void {
    const state = this.#state;
    const { decision } = batch;
    const subjectSequence = batch.records.subjectSequence[row];
    if (decision.kind === Kind.setRetention) {
      takeSequence(state, decision);
      state.retentionMs = decision.amountMinor;
      return;
    }
    const { accountRow } = decision;
    assert(accountRow >= 0, 'rounds and holds have accounts');
    decision.heldMovedMinor = -decision.cashMovedMinor;
    readAccount(state, decision);
    computeBalances(decision);
    this.#compareBalances(batch, row);
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

/** The first row from `from` on that is not as usual as it, up to `until`. */
function endOfRun({ usual }: ReplayBatch, from: number, until: number): number {
  let row = from + 1;
  while (row < until && usual[row] === usual[from]) row += 1;
  return row;
}

/** Only rows that open an account have its hash. */
function opensAccount({ traits }: RecordColumns, from: number, until: number): boolean {
  for (let row = from; row < until; row += 1) {
    if ((traits[row] & OutcomeTrait.made) !== 0) return true;
  }
  return false;
}

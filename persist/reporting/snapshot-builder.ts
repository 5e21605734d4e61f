// Takes the blocks of the log and makes the next snapshot of them: what has to be written to bring
// Postgres from the last position to this one. Belongs to the reporter's thread; what it holds is
// lost with a crash or a failed transaction and made again from the log.
//
//   block ─▶ record ─▶ accounts (newest balances) ─▶ changed pages
//                   ├▶ system accounts, turnover
//                   └▶ journal rows, rounds          (only if the journal is kept)
import { assert } from '../../core/assert.ts';
import { Field, Kind } from '../../core/kinds.ts';
import { ResultCode } from '../../core/result-codes.ts';
import type { LogBlock } from '../log-chain.ts';
import { PAGE_SLOTS } from './account-book.ts';
import { CopyWriter } from './copy-writer.ts';
import type { JournalBatch } from './journal-batch.ts';
import { JournalFlag, type JournalRow, type TextPlace, textOf } from './journal-row.ts';
import { RecordRow } from './record-row.ts';
import type { ReportState } from './report-state.ts';
import { type NotedRound, RoundChanges } from './round-changes.ts';
import type { RoundSort } from './round-name.ts';
import { countsAsTurnover, TurnoverSums } from './turnover-sums.ts';

const IDENTITY_FIELDS = 9;

/** A status that an account has from a record on. */
export interface StatusChange {
  readonly accountId: number;
  readonly status: number;
  readonly position: number;
}

/** What the blocks of one snapshot say, beside the newest balances in the state. */
export class SnapshotBuilder {
  readonly #state: ReportState;
  readonly #record = new RecordRow();
  readonly #round: { sort: RoundSort; id: TextPlace } = { sort: 'r', id: this.#record.game };
  readonly identities: CopyWriter = new CopyWriter();
  readonly statusChanges: StatusChange[] = [];
  readonly turnover: TurnoverSums = new TurnoverSums();
  readonly rounds: RoundChanges;
  /** Null when the journal is off. */
  readonly journal: JournalBatch | null;
  /** Time of the first record taken; 0 while there is none. */
  firstTimeMs = 0;
  /** Number and time of the last one. */
  position = 0;
  timeMs = 0;
  recordCount = 0;
  contentBytes = 0;

  /** An empty batch for the journal, or null when it is off. */
  constructor(state: ReportState, journal: JournalBatch | null) {
    this.#state = state;
    this.journal = journal;
    this.rounds = new RoundChanges(state.openRounds);
  }

  /** Starts the next block, whose content must stay until all of it was taken. */
  begin(block: LogBlock): void {
    this.#record.begin(block);
  }

  /** Takes up to so many records of the block; true when it is taken whole. */
  takeRecords(block: LogBlock, countMax: number): boolean {
    const record = this.#record;
    for (let count = 0; count < countMax; count += 1) {
      if (!record.next()) {
        this.#endBlock(block);
        return true;
      }
      this.#takeRecord(record);
    }
    return false;
  }

  #endBlock({ header }: LogBlock): void {
    this.position = header.blockNumber;
    this.timeMs = header.timeMs;
    this.recordCount += header.recordCount;
    this.contentBytes += header.contentBytes;
  }

  /** Adds a row that waited, now that its game and round are known, and the round that it ends. */
  addResolved(row: JournalRow, ended: NotedRound | null): void {
    assert(this.journal !== null, 'only rows of the journal wait');
    this.journal.add(row);
    this.#countTurnover(row);
    if (ended !== null) this.rounds.note(row, ended, { ends: true, mayBeLate: true });
  }

  #takeRecord(record: RecordRow): void {
    const { row } = record;
    const { accounts, directory, system } = this.#state;
    const isAccepted = row.code === ResultCode.ok;
    if (this.firstTimeMs === 0) this.firstTimeMs = row.timeMs;
    if (record.isOpening) this.#open(record);
    row.owner = row.accountId < 0 ? 0 : accounts.ownerOf(row.accountId);
    row.operatorId = row.owner >>> 8;
    row.currencyId = row.accountId < 0 ? 0 : directory.currencyOf(row.owner).currencyId;
    const { source, at, byteCount } = record.game;
    row.gameId = directory.games.numberOf(source, at, byteCount);
    if (isAccepted && row.accountId >= 0) {
      const { cashMinor, bonusMinor, heldMinor, position } = row;
      accounts.set(row.accountId, cashMinor, bonusMinor, heldMinor, position);
      const movedMinor = row.cashMovedMinor + row.bonusMovedMinor + row.heldMovedMinor;
      system.post(row.owner, row.kind, movedMinor);
    }
    if (row.kind > Kind.adjust) this.#administer(record);
    if (this.journal !== null && isAccepted && needsLookup(record)) {
      // Whether it opens its round depends on what stands before it; a joined one was opened by
      // its bet.
      if (row.kind === Kind.win && (row.flags & JournalFlag.joined) === 0) this.#noteRound(row);
      this.journal.defer(row);
      return;
    }
    this.#countTurnover(row);
    if (this.journal === null) {
      if (row.kind === Kind.transfer && isAccepted) this.#receive(record);
      return;
    }
    this.journal.add(row);
    if (!isAccepted) return;
    if (row.kind === Kind.bet || row.kind === Kind.win) this.#noteRound(row);
    else if (row.kind === Kind.transfer) this.#receive(record);
  }

  #countTurnover(row: JournalRow): void {
    if (!countsAsTurnover(row.kind) || (row.flags & JournalFlag.noop) !== 0) return;
    this.turnover.add({
      timeMs: row.timeMs,
      owner: row.owner,
      provider: row.providerId,
      gameId: row.gameId,
      kind: row.kind,
      ofWin: row.kind === Kind.rollback && (row.flags & JournalFlag.ofWin) !== 0,
      isAccepted: row.code === ResultCode.ok,
      cashMovedMinor: row.cashMovedMinor,
      bonusMovedMinor: row.bonusMovedMinor,
      heldMovedMinor: row.heldMovedMinor,
    });
  }

  /** A bet or win in the round that it names, or alone in a nameless one. */
  #noteRound(row: JournalRow): void {
    const isWin = row.kind === Kind.win;
    const ends = (row.flags & JournalFlag.roundEnd) !== 0;
    const round = this.#round;
    const hasName = row.round.byteCount > 0;
    round.sort = hasName ? 'r' : isWin ? 'w' : 'b';
    round.id = hasName ? row.round : row.transactionId;
    const mayBeLate = isWin || (row.flags & JournalFlag.noop) !== 0;
    this.rounds.note(row, round, { ends, mayBeLate });
  }

  #open(record: RecordRow): void {
    const { row, player } = record;
    const { accounts, directory } = this.#state;
    const owner = record.openedOwner;
    accounts.add(row.accountId, owner);
    const writer = this.identities;
    writer.beginRow(IDENTITY_FIELDS, player.byteCount);
    writer.int32(row.accountId);
    writer.int32(Math.floor(row.accountId / PAGE_SLOTS));
    writer.int32(owner >>> 8);
    writer.int32(directory.currencyOf(owner).currencyId);
    writer.bytes(player.source, player.at, player.byteCount);
    writer.int16(0);
    writer.time(row.timeMs);
    writer.int64(row.position);
    writer.int64(row.position);
  }

  /** The other account of an accepted transfer has a row of its own in the journal. */
  #receive(record: RecordRow): void {
    const { row } = record;
    const { accounts } = this.#state;
    const { accountId, cashMinor } = record.receiver;
    const bonusMinor = accounts.bonusMinor(accountId);
    const heldMinor = accounts.heldMinor(accountId);
    accounts.set(accountId, cashMinor, bonusMinor, heldMinor, row.position);
    if (this.journal === null) return;
    row.details = JSON.stringify({ fromAccountId: row.accountId });
    row.accountId = accountId;
    row.flags |= JournalFlag.received;
    row.cashMovedMinor = row.amountMinor;
    row.cashMinor = cashMinor;
    row.bonusMinor = bonusMinor;
    row.heldMinor = heldMinor;
    this.journal.add(row);
  }

  /** Kinds beyond those that move money. */
  #administer(record: RecordRow): void {
    const { row } = record;
    const { directory } = this.#state;
    if (row.kind === Kind.roundAged) {
      this.rounds.noteAged(row.shard, record.subjectSequence);
    } else if (row.code !== ResultCode.ok) return;
    else if (row.kind === Kind.setStatus) {
      const { accountId, position } = row;
      this.statusChanges.push({ accountId, status: record.status, position });
    } else if (row.kind === Kind.setOperator) {
      const name = textOf(record.player);
      row.operatorId = directory.applyOperator(name, record.definition, row.position);
    } else if (row.kind === Kind.setClient) directory.applyClient(record.definition);
  }
}

/** Whether the game or round that a record counts in stands in another record. */
function needsLookup(record: RecordRow): boolean {
  const { row, fields, game } = record;
  if (row.kind === Kind.roundAged) return true;
  const lacksGame = game.byteCount === 0;
  if (row.kind === Kind.win) {
    if ((row.flags & JournalFlag.joined) !== 0) return true;
    return lacksGame && (fields & (Field.reference | Field.round)) !== 0;
  }
  return record.isReversal && (lacksGame || row.round.byteCount === 0);
}

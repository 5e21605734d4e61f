// What Postgres has to show at a position, counted from the log's records: balances, turnover, the
// journal, the system accounts. Written apart from the reporter on purpose, from the log's format
// and the wallet's rules alone, so that a mistake of the one is not repeated by the other. Used by
// one thread; holds all accounts in memory.
import { assert } from '../../core/assert.ts';
import { Field, Kind, kindName } from '../../core/kinds.ts';
import { Directory } from '../../core/policies/directory.ts';
import { parseOperatorDefinition } from '../../core/policies/operator-definition.ts';
import { RecordColumns } from '../../core/records/record-columns.ts';
import { RecordReader } from '../../core/records/record-reader.ts';
import { ResultCode } from '../../core/result-codes.ts';
import { OutcomeTrait } from '../../core/tables/outcome-rows.ts';
import { type TextColumn, TransactionColumns } from '../../core/transaction-columns.ts';
import { ShardAccounts } from './reconcile-accounts.ts';
import {
  heldMovedMinor,
  isTurnoverKind,
  SYSTEM_ACCOUNTS,
  systemAccountOf,
} from './reconcile-postings.ts';
import { Tallies } from './reconcile-tallies.ts';

/** First and last sequence of a shard's records on one day. */
interface DaySequences {
  first: number;
  last: number;
}

/** One shard as the log has it. */
export interface ShardFacts {
  readonly shard: number;
  readonly directory: Directory;
  readonly accounts: ShardAccounts;
  /** Sequence of its last record. */
  sequence: number;
  /** Of the records that the journal has to have, by day. */
  readonly journalDays: Map<string, DaySequences>;
}

/** What the log says at a position. */
export interface LogFacts {
  /** Block up to which the log was read: less than asked for where it ends before. */
  readonly position: number;
  readonly timeMs: number;
  readonly recordCount: number;
  readonly contentBytes: number;
  /** By shard; a place without records is empty. */
  readonly shards: readonly (ShardFacts | undefined)[];
  /** By day, operator, currency, kind and "of win". */
  readonly turnover: Tallies;
  /** By day and kind; the receivers' rows of transfers apart. */
  readonly journal: Tallies;
  /** By operator and currency. */
  readonly system: Tallies;
}

/** Sums of the turnover, in the order of its columns. */
const TURNOVER_FIELDS: readonly string[] = [
  ...['accepted_count', 'refused_count'],
  ...['cash_moved_minor', 'bonus_moved_minor', 'held_moved_minor'],
];

/** Sums of the journal. Balances and sequences have no meaning as sums but show a changed row. */
const JOURNAL_FIELDS: readonly string[] = [
  ...['rows', 'refused_rows', 'cash_moved_minor', 'bonus_moved_minor', 'held_moved_minor'],
  ...['sum of cash_minor', 'sum of sequence'],
];

interface BlockFacts {
  readonly blockNumber: number;
  readonly shard: number;
  readonly recordCount: number;
  readonly firstSequence: number;
  readonly timeMs: number;
  readonly contentBytes: number;
}

/** A shard's facts with the rows of today's sums, so that no key is built for each record. */
interface ShardTally extends ShardFacts {
  day: number;
  dayText: string;
  readonly turnoverRows: Map<number, number>;
  readonly journalRows: Map<number, number>;
  readonly systemRows: Map<number, number>;
}

const DAY_MS = 86_400_000;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** The receiver's side of a transfer, among the kinds of the journal's rows. */
const RECEIVER = 255;

/** Counts records, block by block in the order of the log. */
export class LogTally {
  recordCount = 0;
  #position = 0;
  #timeMs = 0;
  #contentBytes = 0;
  readonly #journalFrom: number;
  readonly #shards: (ShardTally | undefined)[] = [];
  readonly #turnover = new Tallies(TURNOVER_FIELDS);
  readonly #journal = new Tallies(JOURNAL_FIELDS);
  readonly #system = new Tallies(SYSTEM_ACCOUNTS);
  readonly #reader = new RecordReader();
  readonly #columns = new TransactionColumns(1);
  readonly #records = new RecordColumns(1);

  constructor(journalFrom: number | null) {
    this.#journalFrom = journalFrom ?? Number.POSITIVE_INFINITY;
  }

  addBlock(header: BlockFacts, content: Uint8Array): void {
    const shard = this.#shardOf(header.shard);
    const isInJournal = header.blockNumber > this.#journalFrom;
    this.#reader.begin(content);
    for (let place = 0; place < header.recordCount; place += 1) {
      this.#reader.read(this.#columns, this.#records, 0);
      shard.sequence = header.firstSequence + place;
      this.#addRecord(shard, content, isInJournal);
    }
    assert(this.#reader.isAtEnd, 'a block ends with its last record');
    this.recordCount += header.recordCount;
    this.#contentBytes += header.contentBytes;
    this.#position = header.blockNumber;
    this.#timeMs = header.timeMs;
  }

  facts(): LogFacts {
    return {
      position: this.#position,
      timeMs: this.#timeMs,
      recordCount: this.recordCount,
      contentBytes: this.#contentBytes,
      shards: this.#shards,
      turnover: this.#turnover,
      journal: this.#journal,
      system: this.#system,
    };
  }

  #shardOf(number: number): ShardTally {
    const known = this.#shards[number];
    if (known !== undefined) return known;
    const made: ShardTally = {
      ...{ shard: number, directory: new Directory(), accounts: new ShardAccounts() },
      ...{ sequence: 0, journalDays: new Map(), day: -1, dayText: '' },
      ...{ turnoverRows: new Map(), journalRows: new Map(), systemRows: new Map() },
    };
    this.#shards[number] = made;
    return made;
  }

  #addRecord(shard: ShardTally, content: Uint8Array, isInJournal: boolean): void {
    const columns = this.#columns;
    const records = this.#records;
    const day = Math.floor(records.timeMs[0] / DAY_MS);
    if (day !== shard.day) beginDay(shard, day);
    const kind = columns.kind[0];
    const row = records.accountRow[0];
    const isMade = (records.traits[0] & OutcomeTrait.made) !== 0;
    if (isMade) shard.accounts.open(row, records.owner[0], textOf(content, columns.player));
    if (kind === Kind.setOperator) this.#applyOperator(shard, content);
    if (row >= 0) {
      const { cashMinor, bonusMinor, heldMinor } = records;
      shard.accounts.setBuckets(row, cashMinor[0], bonusMinor[0], heldMinor[0]);
    }
    const isAccepted = records.code[0] === ResultCode.ok;
    if (isAccepted && kind === Kind.transfer) {
      shard.accounts.setCash(records.receiverRow[0], records.receiverCashMinor[0]);
    }
    if (isAccepted && kind === Kind.setStatus) shard.accounts.setStatus(row, columns.status[0]);
    const held = heldMovedMinor({
      ...{ kind, isAccepted, amountMinor: columns.amountMinor[0] },
      cashMovedMinor: records.cashMovedMinor[0],
    });
    if (isTurnoverKind(kind)) {
      assert(row >= 0, 'kinds that move money have an account');
      this.#addTurnover(shard, held);
      this.#addSystem(shard, held);
    }
    if (isInJournal) this.#addJournal(shard, held);
  }

  /** A record of this kind that is there was accepted and checked. */
  #applyOperator({ directory }: ShardTally, content: Uint8Array): void {
    if (this.#records.code[0] !== ResultCode.ok) return;
    const name = decoder.decode(textOf(content, this.#columns.player));
    const text = decoder.decode(textOf(content, this.#columns.definition));
    const definition = parseOperatorDefinition(text, Number.MAX_SAFE_INTEGER);
    assert(definition !== undefined, 'a recorded definition of an operator is fit');
    directory.applyOperator(name, definition);
  }

  #addTurnover(shard: ShardTally, heldMinor: number): void {
    const { code, traits, cashMovedMinor, bonusMovedMinor } = this.#records;
    // A late bet that was rolled back before it came: no turnover (rule 24).
    if ((traits[0] & OutcomeTrait.noop) !== 0) return;
    const kind = this.#columns.kind[0];
    const ofWin = (this.#columns.fields[0] & Field.ofWin) !== 0 ? 1 : 0;
    const owner = shard.accounts.owner(this.#records.accountRow[0]);
    const place = owner * 128 + kind * 2 + ofWin;
    let row = shard.turnoverRows.get(place);
    if (row === undefined) {
      const { operator, currency } = ownerNames(shard.directory, owner);
      const play = ofWin === 1 ? `${kindName(kind)} of win` : kindName(kind);
      row = this.#turnover.row(`${shard.dayText} ${operator} ${currency} ${play}`);
      shard.turnoverRows.set(place, row);
    }
    if (code[0] !== ResultCode.ok) {
      this.#turnover.add(row, 1, 1);
      return;
    }
    this.#turnover.add(row, 0, 1);
    this.#turnover.add(row, 2, cashMovedMinor[0]);
    this.#turnover.add(row, 3, bonusMovedMinor[0]);
    this.#turnover.add(row, 4, heldMinor);
  }

  #addSystem(shard: ShardTally, heldMinor: number): void {
    const { code, cashMovedMinor, bonusMovedMinor, accountRow } = this.#records;
    const account = systemAccountOf(this.#columns.kind[0]);
    if (code[0] !== ResultCode.ok || account < 0) return;
    const owner = shard.accounts.owner(accountRow[0]);
    let row = shard.systemRows.get(owner);
    if (row === undefined) {
      const { operator, currency } = ownerNames(shard.directory, owner);
      row = this.#system.row(`${operator} ${currency}`);
      shard.systemRows.set(owner, row);
    }
    // One by one: their sum may pass 2^53.
    this.#system.add(row, account, -cashMovedMinor[0]);
    this.#system.add(row, account, -bonusMovedMinor[0]);
    this.#system.add(row, account, -heldMinor);
  }

  #addJournal(shard: ShardTally, heldMinor: number): void {
    const { code, cashMovedMinor, bonusMovedMinor, cashMinor, receiverCashMinor } = this.#records;
    const kind = this.#columns.kind[0];
    const days = shard.journalDays;
    const sequences = days.get(shard.dayText);
    if (sequences === undefined) {
      days.set(shard.dayText, { first: shard.sequence, last: shard.sequence });
    } else sequences.last = shard.sequence;
    const row = this.#journalRow(shard, kind);
    this.#journal.add(row, 0, 1);
    if (code[0] !== ResultCode.ok) this.#journal.add(row, 1, 1);
    this.#journal.add(row, 2, cashMovedMinor[0]);
    this.#journal.add(row, 3, bonusMovedMinor[0]);
    this.#journal.add(row, 4, heldMinor);
    this.#journal.add(row, 5, cashMinor[0]);
    this.#journal.add(row, 6, shard.sequence);
    if (kind !== Kind.transfer || code[0] !== ResultCode.ok) return;
    const receiver = this.#journalRow(shard, RECEIVER);
    this.#journal.add(receiver, 0, 1);
    this.#journal.add(receiver, 2, -cashMovedMinor[0]);
    this.#journal.add(receiver, 5, receiverCashMinor[0]);
    this.#journal.add(receiver, 6, shard.sequence);
  }

  #journalRow(shard: ShardTally, kind: number): number {
    let row = shard.journalRows.get(kind);
    if (row === undefined) {
      row = this.#journal.row(
        journalKey(shard.dayText, kind === RECEIVER ? 9 : kind, kind === RECEIVER),
      );
      shard.journalRows.set(kind, row);
    }
    return row;
  }
}

/** The key of the journal's sums: its day first. */
export function journalKey(day: string, kind: number, isReceiver: boolean): string {
  return `${day} ${isReceiver ? `receiver of ${kindName(kind)}` : kindName(kind)}`;
}

/** Operator and currency of an owner, as the shard's records named them. */
export function ownerNames(
  directory: Directory,
  owner: number,
): { readonly operator: string; readonly currency: string } {
  const { name, currencies } = directory.operator(owner >>> 8);
  return { operator: name, currency: currencies[owner & 0xff].code };
}

function beginDay(shard: ShardTally, day: number): void {
  shard.day = day;
  shard.dayText = new Date(day * DAY_MS).toISOString().slice(0, 10);
  shard.turnoverRows.clear();
  shard.journalRows.clear();
}

/** A text of the record just read; valid until the next block. */
function textOf(content: Uint8Array, column: TextColumn): Uint8Array {
  return content.subarray(column.at[0], column.at[0] + column.byteCount[0]);
}

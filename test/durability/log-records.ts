// Reads a data folder's log as recovery does, and keeps of each record what tests ask: which key it
// burnt and what it says. Only while no server runs on the folder.
import { Field, Kind } from '../../core/kinds.ts';
import { RecordColumns } from '../../core/records/record-columns.ts';
import { RecordReader, sourceOfContent } from '../../core/records/record-reader.ts';
import { Shard } from '../../core/shard.ts';
import { type TextColumn, TransactionColumns } from '../../core/transaction-columns.ts';
import { readIdentity } from '../../persist/data-folder.ts';
import type { LogEnd } from '../../persist/log-chain.ts';
import { replayLog } from '../../persist/replay.ts';
import type { BucketAmounts } from '../model/model-transaction.ts';

/** One record. */
export interface LogRecord {
  readonly sequence: number;
  readonly kind: number;
  readonly code: number;
  readonly timeMs: number;
  /** The transaction's key as text (rule 1); '' for records that time makes. */
  readonly key: string;
  /** Who sent it for whom, and its id: what a record that time makes has of its subject. */
  readonly name: string;
  readonly balances: BucketAmounts;
}

/** What names a transaction of a player, as text. */
export function nameOf(transaction: {
  readonly operator: string;
  readonly provider: string;
  readonly player: string;
  readonly transactionId: string;
}): string {
  const { operator, provider, player, transactionId } = transaction;
  return JSON.stringify([operator, provider, player, transactionId]);
}

/** A log and the state that it makes. */
export interface ReadLog {
  readonly end: LogEnd;
  readonly shard: Shard;
  readonly records: readonly LogRecord[];
}

/** Reads the whole log; throws what recovery would throw. */
export function readLogRecords(dataFolder: string): ReadLog {
  const hashSeed = Uint8Array.from(Buffer.from(readIdentity(dataFolder).secretHashSeed, 'hex'));
  const shard = new Shard({ shard: 0, hashSeed });
  const records: LogRecord[] = [];
  const reader = new BlockRecords(shard);
  const end = replayLog({
    dataFolder,
    readOnly: true,
    target: {
      applyBlock: (content, recordCount, firstSequence) => {
        shard.applyBlock(content, recordCount, firstSequence);
        records.push(...reader.read(content, recordCount, firstSequence));
      },
    },
  });
  return { end, shard, records };
}

/** Decodes blocks that are applied to the shard already: its accounts tell whose a record is. */
class BlockRecords {
  readonly #shard: Shard;
  readonly #columns = new TransactionColumns(1);
  readonly #numbers = new RecordColumns(1);
  readonly #reader = new RecordReader();
  /** By sequence − 1. */
  readonly #allNames: string[] = [];

  constructor(shard: Shard) {
    this.#shard = shard;
  }

  read(content: Uint8Array, recordCount: number, firstSequence: number): LogRecord[] {
    const numbers = this.#numbers;
    this.#columns.sources[0] = sourceOfContent(content);
    this.#reader.begin(content);
    const records: LogRecord[] = [];
    for (let place = 0; place < recordCount; place += 1) {
      this.#reader.read(this.#columns, numbers, 0);
      const names = this.#names(content);
      this.#allNames.push(names.name);
      records.push({
        sequence: firstSequence + place,
        kind: this.#columns.kind[0],
        code: numbers.code[0],
        timeMs: numbers.timeMs[0],
        ...names,
        balances: {
          cash: numbers.cashMinor[0],
          bonus: numbers.bonusMinor[0],
          held: numbers.heldMinor[0],
        },
      });
    }
    return records;
  }

  /** Of a record that time makes the subject may stand in this block, or in one before. */
  #names(content: Uint8Array): { readonly key: string; readonly name: string } {
    const columns = this.#columns;
    const kind = columns.kind[0];
    if (kind >= Kind.roundAged) {
      return { key: '', name: this.#allNames[this.#numbers.subjectSequence[0] - 1] };
    }
    const textOf = ({ at, byteCount }: TextColumn): string =>
      Buffer.from(content.subarray(at[0], at[0] + byteCount[0])).toString();
    const { accounts, directory } = this.#shard;
    const row = this.#numbers.accountRow[0];
    const owner = row < 0 ? textOf(columns.player) : this.#playerOf(row);
    const operator = row < 0 ? '' : directory.operator(accounts.operator(row)).name;
    const provider = directory.providerName(columns.provider[0]);
    const name = nameOf({
      operator,
      provider,
      player: owner,
      transactionId: textOf(columns.transactionId),
    });
    const ofWin = (columns.fields[0] & Field.ofWin) !== 0;
    return { key: `${kind} ${ofWin} ${name}`, name };
  }

  #playerOf(row: number): string {
    const { accounts } = this.#shard;
    const at = accounts.playerAt(row);
    const { bytes } = accounts.playerSource(row);
    return Buffer.from(bytes.subarray(at, at + accounts.playerBytes(row))).toString();
  }
}

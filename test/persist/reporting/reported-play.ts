// Random play on the real engine and on the model side by side, cut into blocks, with what the
// model says after each block: what the reports have to agree with. Used by tests only.
import { expect } from 'vitest';
import { BlockContent } from '../../../core/block-content.ts';
import { BlockReplay } from '../../../core/decisions/replay-block.ts';
import { Replay } from '../../../core/decisions/replay-records.ts';
import { DEFAULT_BOUNDS, ShardState } from '../../../core/decisions/shard-state.ts';
import { BLOCK_CONTENT_BYTES_MAX } from '../../../core/limits.ts';
import { OutcomeColumns } from '../../../core/outcome-columns.ts';
import { Shard } from '../../../core/shard.ts';
import { RoundLink } from '../../../core/tables/round-rows.ts';
import { PLAIN_MEMORY } from '../../../core/tables/table-memory.ts';
import { Model } from '../../model/model.ts';
import { type ModelCommand, transactionsAt } from '../../model/model-commands.ts';
import type { ModelOutcome, ModelTransaction } from '../../model/model-transaction.ts';
import { outcomeOf } from '../../support/engine-outcome.ts';
import { setUpProviders } from '../../support/engine-set-up.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';
import { TransactionBatch } from '../../support/transaction-batch.ts';
import { TestLog } from '../test-log.ts';
import { ExpectedJournal } from './expected-journal.ts';

const DAY_MS = 86_400_000;
const RETENTION_MS = 120 * DAY_MS;
/** Some minutes before an hour ends, so that short plays pass one too. */
const START_MS: number = Date.UTC(2023, 10, 14, 21, 56, 30);
/** A lane never holds a block open for longer, and days have to have partitions. */
const STEP_IN_BLOCK_MS_MAX = 5_000;
const BLOCKS_PER_COMMIT = 3;
export const SEGMENT_BYTES_MAX = 1_048_576;

/** A block and what the model has after it. */
export interface PlayedBlock {
  readonly content: Uint8Array;
  readonly recordCount: number;
  readonly firstSequence: number;
  readonly timeMs: number;
  /** Operator/player/currency: [cash, bonus, held, status]. */
  readonly accounts: ReadonlyMap<string, readonly [number, number, number, string]>;
  /** Sequences of the records that opened the rounds that are open, ascending. */
  readonly openRounds: readonly number[];
}

/** See the head of this file. */
export class ReportedPlay {
  readonly blocks: PlayedBlock[] = [];
  readonly journal: ExpectedJournal = new ExpectedJournal();
  readonly #random: SeededRandom;
  readonly #batch = new TransactionBatch();
  readonly #outcomes = new OutcomeColumns();
  readonly #block = new BlockContent(new Uint8Array(BLOCK_CONTENT_BYTES_MAX));
  readonly #model = new Model({ retentionMs: RETENTION_MS });
  readonly #shard = new Shard({ shard: 0, hashSeed: new Uint8Array(16).fill(7) });
  readonly #rounds = new RoundWatch();
  readonly #accounts = new Map<string, readonly [string, string, string]>();
  /** Records that only the engine has: its retention and its providers. */
  readonly #ownRecords: number;
  #nowMs = START_MS;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#shard.setRetention(RETENTION_MS, START_MS, this.#block);
    setUpProviders(this.#shard, ['p1', 'p2'], START_MS, this.#block);
    this.#ownRecords = this.#shard.sequence;
  }

  /** Records of the engine alone, which no expected row stands for. */
  get ownRecords(): number {
    return this.#ownRecords;
  }

  /** The last block's number. */
  get position(): number {
    return this.blocks.length;
  }

  play(commands: readonly ModelCommand[]): void {
    for (const command of commands) this.#playOne(command);
    this.closeBlock();
    expect(this.#shard.checkTotals()).toBe('');
  }

  /** The block that holds a record. */
  positionOf(sequence: number): number {
    return 1 + this.blocks.findLastIndex(({ firstSequence }) => firstSequence <= sequence);
  }

  /** Writes the blocks, all or those in a range of positions, as a log writer does. */
  writeLog(folder: string, from = 1, until: number = this.position): void {
    const log = new TestLog({ folder, segmentBytesMax: SEGMENT_BYTES_MAX });
    for (let position = from; position <= until; position += 1) {
      const block = this.blocks[position - 1];
      log.handOverRecords(block, block.timeMs);
      if (position % BLOCKS_PER_COMMIT === 0 || position === until) log.commit();
    }
    log.close();
  }

  closeBlock(): void {
    const block = this.#block;
    if (block.recordCount === 0) return;
    const { recordCount, firstSequence } = block;
    const content = block.bytes.slice(0, block.usedBytes);
    const accounts = new Map<string, readonly [number, number, number, string]>();
    for (const [name, [operator, player, currency]] of this.#accounts) {
      const found = this.#model.balances(operator, player, currency);
      if (found !== undefined) {
        accounts.set(name, [found.cash, found.bonus, found.held, found.status]);
      }
    }
    const openRounds = this.#rounds.after({ content, recordCount, firstSequence });
    const timeMs = this.#shard.lastTimeMs;
    this.blocks.push({ content, recordCount, firstSequence, timeMs, accounts, openRounds });
    block.reset();
  }

  #playOne(command: ModelCommand): void {
    const isLong = command.stepMs > STEP_IN_BLOCK_MS_MAX;
    if (isLong || this.#random.below(6) === 0) this.closeBlock();
    this.#nowMs += command.stepMs;
    const transactions = transactionsAt(command, this.#nowMs);
    if (transactions.length === 0) return;
    this.#advance();
    const expected = command.isAtomic
      ? this.#model.decideAtomic(transactions, this.#nowMs)
      : transactions.map((one) => this.#model.decide(one, this.#nowMs));
    const found = this.#decide(command.isAtomic, transactions);
    for (const [row, outcome] of expected.entries()) {
      const { code, sequence, balances } = found[row];
      expect(code).toBe(outcome.code);
      expect(sequence).toBe(outcome.sequence);
      if (outcome.balances !== undefined) expect(balances).toEqual(outcome.balances);
      if (outcome.recorded && !outcome.replay) this.#note(transactions[row], outcome);
    }
  }

  #advance(): void {
    const before = this.#shard.lastTimeMs;
    for (const event of this.#model.advance(this.#nowMs)) {
      this.journal.addEvent({ ...event, sequence: event.sequence + this.#ownRecords });
    }
    expect(this.#shard.advance(this.#nowMs, 1000, this.#block)).toBeLessThan(1000);
    expect(this.#shard.lastTimeMs).toBeGreaterThanOrEqual(before);
  }

  #decide(isAtomic: boolean, transactions: readonly ModelTransaction[]): ModelOutcome[] {
    const columns = this.#batch.fill(transactions, this.#shard.directory);
    if (isAtomic) this.#shard.decideAtomic(columns, this.#nowMs, this.#block, this.#outcomes);
    else this.#shard.decide(columns, 0, this.#nowMs, this.#block, this.#outcomes);
    return transactions.map((_, row) => outcomeOf(this.#outcomes, row, this.#ownRecords));
  }

  #note(transaction: ModelTransaction, outcome: ModelOutcome): void {
    const { operator, player = '', currency = '', to = '' } = transaction;
    if (outcome.made) {
      this.#accounts.set(`${operator}/${player}/${currency}`, [operator, player, currency]);
    }
    const receiver = this.#model.balances(operator, to, currency);
    const sequence = (outcome.sequence ?? 0) + this.#ownRecords;
    this.journal.add(transaction, { ...outcome, sequence }, receiver?.cash ?? 0);
  }
}

/** Replays the blocks into a state whose lists of open rounds can be looked at. */
class RoundWatch {
  readonly #state = new ShardState(new Uint8Array(16).fill(9), DEFAULT_BOUNDS, PLAIN_MEMORY);
  readonly #replay = new BlockReplay(
    this.#state,
    new Replay(this.#state),
    new Uint8Array(16).fill(9),
  );

  after(block: {
    readonly content: Uint8Array;
    readonly recordCount: number;
    readonly firstSequence: number;
  }): number[] {
    this.#replay.apply(block);
    const { index, openRounds } = this.#state;
    const sequences: number[] = [];
    for (const operator of [1, 2]) {
      for (let row = openRounds.first(operator); row >= 0; ) {
        sequences.push(index.rounds.openedSequence(row));
        row = index.rounds.link(row, RoundLink.next);
      }
    }
    return sequences.sort((one, other) => one - other);
  }
}

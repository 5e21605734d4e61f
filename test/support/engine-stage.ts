// A shard with one operator, two studios and players with open accounts, for hand-written cases on
// the real engine: what a case leaves out of a transaction is filled in, and after every message
// the sum over all accounts must be zero. crash() throws the shard away and builds another one from
// the blocks alone, under another hash seed, as a start after a crash would.

import { expect } from 'vitest';
import { BlockContent } from '../../core/block-content.ts';
import type { ShardBounds } from '../../core/decisions/shard-state.ts';
import { BLOCK_CONTENT_BYTES_MAX } from '../../core/limits.ts';
import { OutcomeColumns } from '../../core/outcome-columns.ts';
import { Shard } from '../../core/shard.ts';
import type { Draft } from '../model/model-stage.ts';
import type {
  ModelOutcome,
  ModelTransaction,
  OperatorDefinition,
} from '../model/model-transaction.ts';
import { outcomeOf } from './engine-outcome.ts';
import { setUpProviders } from './engine-set-up.ts';
import { TransactionBatch } from './transaction-batch.ts';

/** A block as it would lie on disk, without its header. */
export interface StoredBlock {
  readonly content: Uint8Array;
  readonly recordCount: number;
  readonly firstSequence: number;
}

/** What a stage may be given beside policies. */
export interface StageSettings {
  readonly bounds?: Partial<ShardBounds>;
  readonly seedByte?: number;
  /** Rows that are decided in one call; 500 as in a lane. */
  readonly sliceRowCount?: number;
}

const DAY_MS = 86_400_000;
const ADVANCE_RECORDS_MAX = 200;

// Columns are large, so one set serves every stage of a file.
const batch = new TransactionBatch();
const outcomes = new OutcomeColumns();

/** One shard, its clock, its blocks, and short ways to send it things. */
export class EngineStage {
  shard: Shard;
  nowMs = 1_700_000_000_000;
  readonly block: BlockContent = new BlockContent(new Uint8Array(BLOCK_CONTENT_BYTES_MAX));
  readonly blocks: StoredBlock[] = [];
  readonly #settings: StageSettings;
  #seedByte: number;
  #idCount = 0;

  /** Makes operator `op` (EUR and USD) and opens EUR and USD for ann and EUR for bob. */
  constructor(policies: OperatorDefinition = {}, settings: StageSettings = {}) {
    this.#settings = settings;
    this.#seedByte = settings.seedByte ?? 1;
    this.shard = this.#newShard();
    this.shard.setRetention(120 * DAY_MS, this.nowMs, this.block);
    setUpProviders(this.shard, ['studio', 'other'], this.nowMs, this.block);
    const definition = { currencies: { EUR: 2, USD: 2 }, ...policies };
    this.codes(
      { kind: 'setOperator', definition },
      { kind: 'open' },
      { kind: 'open', currency: 'USD' },
      { kind: 'open', player: 'bob' },
    );
  }

  /** The transaction with all that the draft leaves out; a new id unless it has one. */
  fill(draft: Draft): ModelTransaction {
    this.#idCount += 1;
    const own = { operator: 'op', provider: 'studio', transactionId: `new-${this.#idCount}` };
    return draft.kind === 'setOperator'
      ? { ...own, ...draft }
      : { ...own, player: 'ann', currency: 'EUR', ...draft };
  }

  /** Sends one transaction now. */
  send(draft: Draft): ModelOutcome {
    return this.sendAll([draft])[0];
  }

  /** Sends transactions one by one and answers with their codes. */
  codes(...drafts: Draft[]): number[] {
    return drafts.map((draft) => this.send(draft).code);
  }

  /** Sends one message of independent transactions. */
  sendAll(drafts: readonly Draft[]): ModelOutcome[] {
    return this.decide(drafts.map((draft) => this.fill(draft)));
  }

  /** Decides complete transactions as a lane would: due records first, a new block for a full. */
  decide(transactions: readonly ModelTransaction[]): ModelOutcome[] {
    const sliceRowCount = this.#settings.sliceRowCount ?? 500;
    const found: ModelOutcome[] = [];
    while (found.length < transactions.length) {
      this.advance();
      const slice = transactions.slice(found.length, found.length + sliceRowCount);
      const columns = batch.fill(slice, this.shard.directory);
      const decided = this.shard.decide(columns, 0, this.nowMs, this.block, outcomes);
      for (let row = 0; row < decided; row += 1) found.push(outcomeOf(outcomes, row));
      if (decided === 0) this.closeBlock();
    }
    expect(this.shard.checkTotals()).toBe('');
    return found;
  }

  /** Sends an atomic batch now. */
  batch(...drafts: Draft[]): ModelOutcome[] {
    return this.decideAtomic(drafts.map((draft) => this.fill(draft)));
  }

  /** Decides complete transactions as one atomic batch. */
  decideAtomic(transactions: readonly ModelTransaction[]): ModelOutcome[] {
    this.advance();
    if (!this.block.hasRoomFor(transactions.length + 1)) this.closeBlock();
    const columns = batch.fill(transactions, this.shard.directory);
    this.shard.decideAtomic(columns, this.nowMs, this.block, outcomes);
    expect(this.shard.checkTotals()).toBe('');
    return transactions.map((_, row) => outcomeOf(outcomes, row));
  }

  /** Writes all that time has made due; returns how many records that were. */
  advance(): number {
    const before = this.shard.sequence;
    let written = ADVANCE_RECORDS_MAX;
    while (written > 0) {
      if (!this.block.hasRoomFor(2)) this.closeBlock();
      written = this.shard.advance(this.nowMs, ADVANCE_RECORDS_MAX, this.block);
    }
    return this.shard.sequence - before;
  }

  /** Puts money into ann's cash and bonus. */
  fund(amounts: { cash?: number; bonus?: number }): this {
    if (amounts.cash !== undefined) this.send({ kind: 'deposit', amount: amounts.cash });
    if (amounts.bonus !== undefined) this.send({ kind: 'grant', amount: amounts.bonus });
    return this;
  }

  /** Cash, bonus and held of a player, ann's in EUR unless another is named. */
  buckets(player = 'ann', currency = 'EUR'): [cash: number, bonus: number, held: number] {
    const bytes = new TextEncoder().encode(player + currency);
    const source = { bytes, view: new DataView(bytes.buffer) };
    const operator = this.shard.directory.operatorNumber('op');
    const playerBytes = bytes.length - currency.length;
    const row = this.shard.findAccount(operator, source, 0, playerBytes, playerBytes, 3);
    const { accounts } = this.shard;
    return [accounts.cashMinor(row), accounts.bonusMinor(row), accounts.heldMinor(row)];
  }

  /** Hands the open block over, as if it were on disk from now on. */
  closeBlock(): void {
    const { block } = this;
    if (block.recordCount > 0) {
      const { recordCount, firstSequence } = block;
      const content = block.bytes.slice(0, block.usedBytes);
      this.blocks.push({ content, recordCount, firstSequence });
    }
    block.reset();
  }

  /** Throws the shard away and replays all blocks into another one with another hash seed. */
  crash(): void {
    this.closeBlock();
    const { sequence, lastTimeMs } = this.shard;
    this.#seedByte += 1;
    this.shard = this.#newShard();
    for (const { content, recordCount, firstSequence } of this.blocks) {
      this.shard.applyBlock(content, recordCount, firstSequence);
    }
    expect([this.shard.sequence, this.shard.lastTimeMs]).toEqual([sequence, lastTimeMs]);
    expect(this.shard.checkTotals()).toBe('');
  }

  #newShard(): Shard {
    const { bounds } = this.#settings;
    const hashSeed = new Uint8Array(16).fill(this.#seedByte);
    return new Shard({ shard: 0, hashSeed, ...(bounds === undefined ? {} : { bounds }) });
  }
}

// Plays commands on the model and on the engine side by side and compares what can be seen of both:
// outcomes, balances, totals, and at the end the engine that is rebuilt from the blocks.
import { expect } from 'vitest';
import { BlockContent } from '../../core/block-content.ts';
import { BLOCK_CONTENT_BYTES_MAX } from '../../core/limits.ts';
import { OutcomeColumns } from '../../core/outcome-columns.ts';
import { Shard } from '../../core/shard.ts';
import { Model } from '../model/model.ts';
import { firstCommands, type ModelCommand, transactionsAt } from '../model/model-commands.ts';
import type { ModelOutcome, ModelTransaction } from '../model/model-transaction.ts';
import { outcomeOf } from '../support/engine-outcome.ts';
import { setUpProviders } from '../support/engine-set-up.ts';
import { TransactionBatch } from '../support/transaction-batch.ts';

const DAY_MS = 86_400_000;
const START_MS = 1_700_000_000_000;
const RETENTION_MS = 120 * DAY_MS;
const OPERATORS = ['o1', 'o2'];
const PLAYERS = ['a1', 'a2', 'a3', 'a4'];
const CURRENCIES = ['EUR', 'USD', 'GBP'];
const RECORDS_PER_BLOCK = 50;

interface StoredBlock {
  readonly content: Uint8Array;
  readonly recordCount: number;
  readonly firstSequence: number;
}

// Block buffers and columns are large; one set serves every run of the file.
const batch = new TransactionBatch();
const outcomes = new OutcomeColumns();
const block = new BlockContent(new Uint8Array(BLOCK_CONTENT_BYTES_MAX));

/** One run: a model, an engine and the blocks that the engine wrote. */
export class Comparison {
  readonly #model = new Model({ retentionMs: RETENTION_MS });
  readonly #shard = newShard();
  readonly #blocks: StoredBlock[] = [];
  readonly #sent: ModelTransaction[] = [];
  /** Records that only the engine has: its retention and its providers. */
  #ownRecords = 0;
  #nowMs = START_MS;

  /** Plays the commands after the first ones of the model; returns how many. */
  play(commands: readonly ModelCommand[]): number {
    block.reset();
    this.#shard.setRetention(RETENTION_MS, START_MS, block);
    setUpProviders(this.#shard, ['p1', 'p2'], START_MS, block);
    this.#ownRecords = this.#shard.sequence;
    const all = [...firstCommands(), ...commands];
    for (const command of all) this.#playOne(command);
    this.#closeBlock();
    return all.length;
  }

  /** Rebuilds the state from the blocks and asks it for every key again. */
  replay(): void {
    const rebuilt = newShard();
    for (const { content, recordCount, firstSequence } of this.#blocks) {
      rebuilt.applyBlock(content, recordCount, firstSequence);
    }
    expect(rebuilt.sequence).toBe(this.#shard.sequence);
    expect(rebuilt.checkTotals()).toBe('');
    this.#compareBalances(rebuilt);
    // Unknown keys would be executed here: alike on both, as long as the two states are the same.
    for (const transaction of this.#sent) {
      const [first] = this.#decide(this.#shard, [transaction]);
      const [again] = this.#decide(rebuilt, [transaction]);
      expectSame(again, first, 'a key that is asked again after replay');
    }
    this.#compareStates(rebuilt);
  }

  #playOne(command: ModelCommand): void {
    this.#nowMs += command.stepMs;
    const transactions = transactionsAt(command, this.#nowMs);
    if (transactions.length === 0) return;
    this.#sent.push(...transactions);
    if (command.isAtomic) {
      const expected = this.#model.decideAtomic(transactions, this.#nowMs);
      this.#compareOutcomes(command, expected, this.#decideAtomic(transactions));
    } else {
      const expected = transactions.map((one) => this.#model.decide(one, this.#nowMs));
      const found = transactions.flatMap((one) => this.#decide(this.#shard, [one]));
      this.#compareOutcomes(command, expected, found);
    }
    expect(this.#shard.sequence - this.#ownRecords).toBe(this.#model.sequence);
    expect(this.#shard.checkTotals()).toBe('');
    this.#compareBalances(this.#shard);
    if (block.recordCount >= RECORDS_PER_BLOCK) this.#closeBlock();
  }

  #decide(shard: Shard, transactions: readonly ModelTransaction[]): ModelOutcome[] {
    this.#advance(shard);
    const columns = batch.fill(transactions, shard.directory);
    expect(shard.decide(columns, 0, this.#nowMs, block, outcomes)).toBe(transactions.length);
    return transactions.map((_, row) => this.#outcome(row));
  }

  #decideAtomic(transactions: readonly ModelTransaction[]): ModelOutcome[] {
    this.#advance(this.#shard);
    if (!block.hasRoomFor(transactions.length + 10)) this.#closeBlock();
    const columns = batch.fill(transactions, this.#shard.directory);
    this.#shard.decideAtomic(columns, this.#nowMs, block, outcomes);
    return transactions.map((_, row) => this.#outcome(row));
  }

  #advance(shard: Shard): void {
    expect(shard.advance(this.#nowMs, 1000, block)).toBeLessThan(1000);
  }

  #outcome(row: number): ModelOutcome {
    return outcomeOf(outcomes, row, this.#ownRecords);
  }

  #compareOutcomes(
    command: ModelCommand,
    expected: readonly ModelOutcome[],
    found: readonly ModelOutcome[],
  ): void {
    for (const [row, outcome] of expected.entries()) {
      const { kind } = command.transactions[row];
      const shown = { ...outcome };
      // The engine has no balances for what has no account; the model leaves them out.
      if (kind === 'setOperator' && outcome.recorded) {
        shown.balances = { cash: 0, bonus: 0, held: 0 };
        shown.moved = { cash: 0, bonus: 0 };
      }
      if (outcome.recorded && shown.moved === undefined) shown.moved = { cash: 0, bonus: 0 };
      if (kind === 'setStatus' && outcome.code === 0) {
        shown.previousStatus = outcome.previousStatus ?? 'active';
      }
      const comparable = kind === 'setStatus' ? found[row] : withoutStatus(found[row]);
      expectSame(comparable, shown, command);
    }
  }

  #compareBalances(shard: Shard): void {
    for (const operator of OPERATORS) {
      for (const player of PLAYERS) {
        for (const currency of CURRENCIES) {
          const expected = this.#model.balances(operator, player, currency);
          const found = readBalances(shard, operator, player, currency);
          expectSame(found, expected, [operator, player, currency]);
        }
      }
    }
  }

  #compareStates(rebuilt: Shard): void {
    expect(rebuilt.sequence).toBe(this.#shard.sequence);
    for (const operator of OPERATORS) {
      for (const player of PLAYERS) {
        for (const currency of CURRENCIES) {
          const found = readBalances(rebuilt, operator, player, currency);
          expectSame(found, readBalances(this.#shard, operator, player, currency), 'replay');
        }
      }
    }
  }

  #closeBlock(): void {
    if (block.recordCount > 0) {
      const content = block.bytes.slice(0, block.usedBytes);
      const { recordCount, firstSequence } = block;
      this.#blocks.push({ content, recordCount, firstSequence });
    }
    block.reset();
  }
}

/** `expect` alone costs more than all decisions: it is asked only where the texts differ. */
function expectSame(found: unknown, expected: unknown, where: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    expect(found, JSON.stringify(where)).toEqual(expected);
  }
}

function newShard(): Shard {
  return new Shard({ shard: 0, hashSeed: new Uint8Array(16).fill(7) });
}

function withoutStatus(outcome: ModelOutcome): ModelOutcome {
  const { previousStatus: _, ...others } = outcome;
  return others;
}

function readBalances(
  shard: Shard,
  operator: string,
  player: string,
  currency: string,
): ReturnType<Model['balances']> {
  const number = shard.directory.operatorNumber(operator);
  if (number === 0) return undefined;
  const bytes = new TextEncoder().encode(player + currency);
  const source = { bytes, view: new DataView(bytes.buffer) };
  const row = shard.findAccount(number, source, 0, player.length, player.length, currency.length);
  if (row < 0) return undefined;
  const { accounts } = shard;
  const statuses = ['active', 'betLocked', 'frozen', 'closed'] as const;
  return {
    cash: accounts.cashMinor(row),
    bonus: accounts.bonusMinor(row),
    held: accounts.heldMinor(row),
    status: statuses[accounts.status(row)],
  };
}

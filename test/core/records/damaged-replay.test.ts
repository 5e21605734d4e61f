// A replay stops where a block doesn't fit the state before it, and names the record. Checksums
// come before this in persist; what is tested here is the last line behind them.
import { describe, expect, test } from 'vitest';
import { ReplayError } from '../../../core/decisions/replay-error.ts';
import { RecordColumns } from '../../../core/records/record-columns.ts';
import { RecordReader, sourceOfContent } from '../../../core/records/record-reader.ts';
import { Shard } from '../../../core/shard.ts';
import { TransactionColumns } from '../../../core/transaction-columns.ts';
import { EngineStage, type StoredBlock } from '../../support/engine-stage.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { bet, move, rollback, setStatus, win } from '../rules/drafts.ts';

/** A block of the usual kinds. */
function storyBlock(): StoredBlock {
  const stage = new EngineStage().fund({ cash: 1000, bonus: 500 });
  stage.sendAll([
    bet('b', { round: 'r', game: 'g', amount: 1200 }),
    win({ round: 'r', amount: 300, transactionId: 'w' }),
    rollback('w', { of: 'win' }),
    rollback('b'),
    rollback('late', { metadata: 'm' }),
    move('hold', 50, { transactionId: 'h', expiresIn: 1000 }),
    move('capture', 10, { reference: 'h' }),
    move('transfer', 7, { to: 'bob' }),
    setStatus('betLocked', { reason: 'asked' }),
    bet('refused'),
  ]);
  stage.nowMs += 1000;
  stage.advance();
  stage.closeBlock();
  return stage.blocks[0];
}

function replay(content: Uint8Array, recordCount: number): Shard {
  const shard = new Shard({ shard: 0, hashSeed: new Uint8Array(16) });
  shard.applyBlock(content, recordCount, 1);
  return shard;
}

/** What a replay threw, or undefined. */
function errorOf(content: Uint8Array, recordCount: number): unknown {
  try {
    replay(content, recordCount);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Places where the records of a content start. */
function startsOf({ content, recordCount }: StoredBlock): number[] {
  const reader = new RecordReader();
  const columns = new TransactionColumns(1);
  columns.sources[0] = sourceOfContent(content);
  reader.begin(content);
  return Array.from({ length: recordCount }, () => {
    const { at } = reader;
    reader.read(columns, new RecordColumns(1), 0);
    return at;
  });
}

const block = storyBlock();

describe('a damaged block', () => {
  test('a whole one is replayed', () => {
    expect(replay(block.content, block.recordCount).sequence).toBe(block.recordCount);
  });

  test('a changed balance byte throws a ReplayError that names the record', () => {
    // The deposit of 1,000: kind, code, contents, account row, time, amount, moved, cash after.
    const starts = startsOf(block);
    const deposit = starts.findIndex((start) => block.content[start + 2] === 1);
    const content = block.content.slice();
    // Behind two bytes of length: kind, code, contents (2), account (1), time (1), amount (2).
    const end = starts[deposit + 1];
    const cashAt = content.indexOf(((1000 % 64) << 1) | 0x80, starts[deposit] + 10);
    expect(cashAt).toBeGreaterThan(starts[deposit]);
    expect(cashAt).toBeLessThan(end);
    content[cashAt] += 2;
    const error = errorOf(content, block.recordCount);
    expect(error).toBeInstanceOf(ReplayError);
    expect(String(error)).toContain(`Cannot replay record ${deposit + 1} because`);
  });

  test('a wrong balance deep in a run of bets names its own record', () => {
    const stage = new EngineStage().fund({ cash: 100_000 });
    stage.sendAll(Array.from({ length: 50 }, (_, place) => bet(`bet-${place}`)));
    stage.closeBlock();
    const run = stage.blocks[0];
    const content = run.content.slice();
    const start = startsOf(run)[run.recordCount - 10];
    // Behind length (2), kind, code, contents (1), account, time, amount and moved: cash after.
    content[start + 9] ^= 2;
    const error = errorOf(content, run.recordCount);
    expect(String(error)).toContain(`Cannot replay record ${run.recordCount - 9} because`);
    expect(String(error)).toContain('balances after a record are those that it carries');
  });

  test('a changed byte gives a ReplayError or a state, never another error', () => {
    const random = new SeededRandom('damaged replay');
    let refused = 0;
    // Each run takes other bytes, a fifth of them: a replay makes all tables anew.
    for (let at = random.below(5); at < block.content.length; at += 5) {
      const change = 1 + random.below(255);
      const content = block.content.slice();
      content[at] ^= change;
      const error = errorOf(content, block.recordCount);
      if (error === undefined) continue;
      refused += 1;
      if (!(error instanceof ReplayError)) expect.fail(`byte ${at} ^ ${change}: ${String(error)}`);
    }
    // Texts that nothing refers to can change unseen here: that is what checksums are for.
    expect(refused).toBeGreaterThan(block.content.length / 5 / 5);
  });

  test('a block cut at each record, or with one record less or more, is refused', () => {
    for (const start of startsOf(block)) {
      const error = errorOf(block.content.slice(0, start), block.recordCount);
      expect(error).toBeInstanceOf(ReplayError);
    }
    for (const recordCount of [block.recordCount - 1, block.recordCount + 1]) {
      expect(errorOf(block.content, recordCount)).toBeInstanceOf(ReplayError);
    }
  });

  test('a missing record and one that is there twice are refused', () => {
    const starts = [...startsOf(block), block.content.length];
    for (let record = 0; record < block.recordCount; record += 1) {
      const [from, to] = [starts[record], starts[record + 1]];
      const before = block.content.subarray(0, from);
      const after = block.content.subarray(to);
      const without = Buffer.concat([before, after]);
      const twice = Buffer.concat([block.content.subarray(0, to), block.content.subarray(from)]);
      const kind = block.content[from + 2];
      // Refusals and opens again change no balance; what moves money cannot be lost or doubled.
      if (kind > 13 || block.content[from + 3] !== 0) continue;
      const isTombstone = kind === 5 && record === block.recordCount - 7;
      if (isTombstone) continue;
      expect(errorOf(without, block.recordCount - 1), `without ${record}`).toBeInstanceOf(
        ReplayError,
      );
      expect(errorOf(twice, block.recordCount + 1), `twice ${record}`).toBeInstanceOf(ReplayError);
    }
  });
});

// A lane's promises: answers only after their block, order, flow control, refusals, and the stop.
import { describe, expect, it } from 'vitest';
import { Kind } from '../../../core/kinds.ts';
import { ResultCode } from '../../../core/result-codes.ts';
import { CloseCode } from '../../../gateway/lane/outbox.ts';
import { raiseStop } from '../../../persist/stop-signal.ts';
import { bet, clientDefinition, codesOf, LaneHarness, listOf } from './lane-harness.ts';

const { ok, overloaded, malformed, forbidden, keyConflict, tooLarge, stopping } = ResultCode;
const EXIT_CODE = 17;

async function prepared(limits: { perConnection?: number; perLane?: number } = {}) {
  const harness = new LaneHarness(limits);
  await harness.prepare();
  return { harness, ...harness.connect() };
}

describe('law 1: answers wait for their block', () => {
  it('no bet, repeat, conflict, read or ping leaves before its block', async () => {
    const { harness, connection, sender } = await prepared();
    harness.send(connection, [1, 10, [bet('b1')]]);
    harness.send(connection, [1, 11, [bet('b1')]]);
    harness.send(connection, [1, 12, [bet('b1', 2)]]);
    harness.send(connection, [3, 13, [['player', 'EUR']]]);
    harness.send(connection, [4, 14]);
    await harness.settle();
    expect(sender.frameCount).toBe(0);
    expect(harness.blocks.handedOverCount).toBe(harness.blocks.durableCount + 1);
    const position = await harness.commitOne();
    expect(sender.answers.map((answer) => answer.slice(0, 3))).toEqual([
      [1, 10, position],
      [1, 11, position],
      [1, 12, position],
      [3, 13, position],
      [4, 14, position],
    ]);
    expect(sender.frameCount).toBe(1);
    expect(codesOf(sender.answers[2])).toEqual([keyConflict]);
    expect(listOf(sender.answers[3])).toEqual([[0, 999, 0, 0, 0, 0]]);
  });

  it('a read, a repeat and a ping leave at once when all is durable', async () => {
    const { harness, connection, sender } = await prepared();
    harness.send(connection, [1, 1, [bet('b1')]]);
    await harness.commit();
    const position = sender.answers[0]?.[2];
    harness.send(connection, [3, 2, [['player', 'EUR']]]);
    harness.send(connection, [1, 3, [bet('b1')]]);
    harness.send(connection, [4, 4]);
    await harness.settle();
    expect(sender.answers.slice(1).map((answer) => answer[2])).toEqual([
      position,
      position,
      position,
    ]);
  });

  it("another connection's read waits for a block that it did not write to", async () => {
    const { harness, connection } = await prepared();
    const reader = harness.connect();
    harness.send(connection, [1, 1, [bet('b1')]]);
    await harness.settle();
    harness.send(reader.connection, [3, 1, [['player', 'EUR']]]);
    await harness.settle();
    expect(reader.sender.answers).toEqual([]);
    await harness.commitOne();
    expect(reader.sender.answers.length).toBe(1);
  });

  it('two blocks at most are handed over at a time; what comes then shares the next', async () => {
    const { harness, connection, sender } = await prepared();
    for (let number = 0; number < 8; number += 1) {
      harness.send(connection, [1, number, [bet(`b${number}`)]]);
      await harness.settle();
    }
    expect(harness.blocks.handedOverCount - harness.blocks.durableCount).toBe(2);
    await harness.commitOne();
    expect(sender.answers.map((answer) => answer[1])).toEqual([0]);
    await harness.commitOne();
    const position = await harness.commitOne();
    expect(sender.answers.map((answer) => answer[1])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(sender.answers.slice(2).every((answer) => answer[2] === position)).toBe(true);
  });
});

describe('order', () => {
  it('a batch of 10,000 is worked in slices and answered once, in its order', async () => {
    const { harness, connection, sender } = await prepared();
    const batch = Array.from({ length: 10_000 }, (_, number) => bet(`b${number}`, 0));
    harness.send(connection, [1, 5, batch]);
    for (let round = 0; round < 40; round += 1) await harness.commit();
    expect(sender.answers.length).toBe(1);
    const outcomes = listOf(sender.answers[0]);
    expect(outcomes.length).toBe(10_000);
    const sequences = outcomes.map((outcome) => (Array.isArray(outcome) ? outcome[2] : 0));
    expect(sequences.every((sequence, at) => at === 0 || sequence === sequences[at - 1] + 1)).toBe(
      true,
    );
  });

  it('small requests of others are answered before a large batch is through', async () => {
    const { harness, connection, sender } = await prepared();
    const other = harness.connect();
    const batch = Array.from({ length: 10_000 }, (_, number) => bet(`b${number}`, 0));
    harness.send(connection, [1, 5, batch]);
    harness.send(other.connection, [1, 6, [bet('other')]]);
    await harness.settle();
    while (other.sender.answers.length === 0) await harness.commitOne();
    expect(sender.answers.length).toBe(0);
  });

  it('a read between two bets of one frame run sees the first and not the second', async () => {
    const { harness, connection, sender } = await prepared();
    harness.send(connection, [1, 1, [bet('b1', 100)]]);
    harness.send(connection, [3, 2, [['player', 'EUR']]]);
    harness.send(connection, [1, 3, [bet('b2', 100)]]);
    harness.send(connection, [2, 4, [bet('b3', 100), bet('b4', 100)]]);
    harness.send(connection, [
      3,
      5,
      [
        ['player', 'EUR'],
        ['nobody', 'EUR'],
        ['player', 'XXX'],
      ],
    ]);
    await harness.commit();
    expect(listOf(sender.answers[1])).toEqual([[0, 900, 0, 0, 0, 0]]);
    expect(codesOf(sender.answers[3])).toEqual([ok, ok]);
    expect(listOf(sender.answers[4])).toEqual([[0, 600, 0, 0, 0, 0], 11, 42]);
  });

  it('a frame may use the operator that the frame before it makes', async () => {
    const harness = new LaneHarness();
    const nils = new Array(6).fill(null);
    const operator = 'new';
    const definition = JSON.stringify({ currencies: { EUR: 2 } });
    const outcomes = await harness.submit([
      [Kind.setOperator, 'o', null, null, null, ...nils, { operator, definition }],
      [Kind.open, 'a', 'p', 'EUR', null, ...nils, { operator }],
    ]);
    expect(codesOf([1, 1, 0, outcomes])).toEqual([ok, ok]);
  });
});

describe('flow control', () => {
  it.each([
    [9, false],
    [10, false],
    [11, true],
  ])(
    '%i unanswered transactions of a connection that may have 10: overloaded %s',
    async (count, isRefused) => {
      const { harness, connection, sender } = await prepared({ perConnection: 10 });
      harness.send(connection, [1, 1, Array.from({ length: 8 }, (_, number) => bet(`a${number}`))]);
      harness.send(connection, [
        1,
        2,
        Array.from({ length: count - 8 }, (_, number) => bet(`b${number}`)),
      ]);
      expect(sender.answers).toEqual(isRefused ? [[9, 2, overloaded, '50']] : []);
      await harness.commit();
      expect(codesOf(sender.answers.at(-1)).every((code) => code === ok)).toBe(true);
    },
  );

  it.each([
    [19, false],
    [20, false],
    [21, true],
  ])(
    '%i unanswered transactions of a lane that may have 20: overloaded %s',
    async (count, isRefused) => {
      const { harness, connection } = await prepared({ perConnection: 15, perLane: 20 });
      const second = harness.connect();
      harness.send(connection, [
        1,
        1,
        Array.from({ length: 12 }, (_, number) => bet(`a${number}`)),
      ]);
      const rest = Array.from({ length: count - 12 }, (_, number) => bet(`b${number}`));
      harness.send(second.connection, [1, 2, rest]);
      expect(second.sender.answers.length).toBe(isRefused ? 1 : 0);
    },
  );

  it('after an overloaded everything is, until nothing is unanswered', async () => {
    const { harness, connection, sender } = await prepared({ perConnection: 3 });
    harness.send(connection, [1, 1, [bet('a1')]]);
    await harness.settle();
    harness.send(connection, [1, 2, [bet('a2')]]);
    await harness.settle();
    harness.send(connection, [1, 3, [bet('a3'), bet('a4')]]);
    harness.send(connection, [1, 4, [bet('a5')]]);
    harness.send(connection, [4, 5]);
    expect(sender.answers.map((answer) => answer.slice(0, 3))).toEqual([
      [9, 3, overloaded],
      [9, 4, overloaded],
      [9, 5, overloaded],
    ]);
    await harness.commitOne();
    harness.send(connection, [4, 6]);
    expect(sender.answers.at(-1)?.slice(0, 3)).toEqual([9, 6, overloaded]);
    await harness.commit();
    harness.send(connection, [1, 7, [bet('a5')]]);
    await harness.commit();
    expect(codesOf(sender.answers.at(-1))).toEqual([ok]);
    expect(listOf(sender.answers.at(-1))[0]).toMatchObject({ 1: 0 });
  });

  it('a lost connection frees what it was owed; its undecided requests are dropped', async () => {
    const { harness, connection, sender } = await prepared({ perConnection: 10, perLane: 10 });
    const second = harness.connect();
    harness.send(connection, [1, 1, Array.from({ length: 10 }, (_, number) => bet(`a${number}`))]);
    harness.lane.disconnect(connection);
    harness.send(second.connection, [1, 2, [bet('b')]]);
    await harness.commit();
    expect(sender.answers).toEqual([]);
    expect(listOf(second.sender.answers[0])[0]).toMatchObject({ 0: ok, 4: 999 });
  });
});

describe('refusals', () => {
  it.each<[string, unknown, number]>([
    ['an unknown type', [5, 1, []], malformed],
    ['no list', [1, 1], malformed],
    ['a list that is none', [1, 1, 'x'], malformed],
    ['an empty list', [1, 1, []], malformed],
    ['a ping with a list', [4, 1, []], malformed],
    ['10,001 transactions', [1, 1, new Array(10_001).fill(null)], tooLarge],
    ['an atomic batch of 1,001', [2, 1, new Array(1_001).fill(null)], tooLarge],
    ['1,001 balances', [3, 1, new Array(1_001).fill(null)], tooLarge],
  ])('%s is refused as a whole, and the connection goes on', async (_, request, code) => {
    const { harness, connection, sender } = await prepared();
    harness.send(connection, request);
    harness.send(connection, [4, 2]);
    await harness.commit();
    expect(sender.answers[0]?.slice(0, 3)).toEqual([9, 1, code]);
    expect(sender.answers[1]?.slice(0, 2)).toEqual([4, 2]);
    expect(sender.closeCode).toBe(0);
  });

  it.each<[string, Uint8Array]>([
    ['a text', Buffer.from([0xa1, 0x31])],
    ['an empty frame', Buffer.from([])],
    ['a map', Buffer.from([0x80])],
    ['an array without a request id', Buffer.from([0x91, 0x01])],
    ['a request id below zero', Buffer.from([0x92, 0x04, 0xff])],
    ['a request id that is a text', Buffer.from([0x92, 0x04, 0xa1, 0x31])],
  ])('%s closes with 4400, after the answers to what came before', async (_, frame) => {
    const { harness, connection, sender } = await prepared();
    harness.send(connection, [1, 1, [bet('b1')]]);
    harness.lane.receive(connection, frame);
    harness.send(connection, [1, 2, [bet('b2')]]);
    await harness.settle();
    expect([sender.closeCode, sender.answers.length]).toEqual([0, 0]);
    await harness.commit();
    expect(sender.answers.map((answer) => answer[1])).toEqual([1]);
    expect(sender.closeCode).toBe(4400);
  });

  it('a frame that breaks: those before are decided, the rest malformed, then 4400', async () => {
    const { harness, connection, sender } = await prepared();
    const good = Buffer.from([0x93, 1, 7, 0x94]);
    const transaction = Buffer.from([0x95, 3, 0xa1, 0x61, 0xa6, ...Buffer.from('player'), 0xa3]);
    const rest = Buffer.from([...Buffer.from('EUR'), 5]);
    const second = Buffer.from([0x95, 3, 0xa1, 0x62, 0xa6, ...Buffer.from('player'), 0xa3]);
    harness.lane.receive(
      connection,
      Buffer.concat([good, transaction, rest, second, rest, transaction]),
    );
    await harness.commit();
    expect(codesOf(sender.answers[0])).toEqual([ok, ok, malformed, malformed]);
    expect(sender.closeCode).toBe(4400);
  });

  it('an atomic batch that breaks in the middle executes nothing', async () => {
    const { harness, connection, sender } = await prepared();
    const before = harness.shard.sequence;
    const transaction = Buffer.from([
      0x95,
      3,
      0xa1,
      0x61,
      0xa6,
      ...Buffer.from('player'),
      0xa3,
      69,
      85,
      82,
      5,
    ]);
    const head = Buffer.from([0x93, 2, 7, 0x93]);
    harness.lane.receive(
      connection,
      Buffer.concat([head, transaction, transaction.subarray(0, 5)]),
    );
    await harness.commit();
    expect(codesOf(sender.answers[0])).toEqual([ResultCode.batchNotExecuted, malformed, malformed]);
    expect(harness.shard.sequence).toBe(before);
  });

  it('a client that is revoked is refused from then on and closed with 4401', async () => {
    const { harness, connection, sender } = await prepared();
    harness.send(connection, [1, 1, [bet('b1')]]);
    await harness.commit();
    const nils = new Array(6).fill(null);
    const definition = clientDefinition(true);
    await harness.submit([[Kind.setClient, 'r', null, null, null, ...nils, { definition }]]);
    harness.send(connection, [1, 2, [bet('b2')]]);
    await harness.commit();
    expect(sender.answers.map((answer) => answer.slice(0, 2))).toEqual([
      [1, 1],
      [9, 2],
    ]);
    expect(sender.answers[1]?.[2]).toBe(forbidden);
    expect(sender.closeCode).toBe(4401);
  });
});

describe('the end', () => {
  it('what was taken is decided, committed and answered; what comes later is refused', async () => {
    const { harness, connection, sender } = await prepared();
    harness.send(connection, [1, 1, [bet('b1')]]);
    let isDrained = false;
    const drained = harness.lane.drain().then(() => {
      isDrained = true;
    });
    harness.send(connection, [1, 2, [bet('b2')]]);
    await harness.settle();
    expect(sender.answers.map((answer) => answer.slice(0, 3))).toEqual([[9, 2, stopping]]);
    expect(isDrained).toBe(false);
    await harness.commit();
    await drained;
    expect(sender.answers[1]?.slice(0, 2)).toEqual([1, 1]);
    expect(harness.writer.isDone).toBe(true);
  });

  it('law 7: from the stop word on nothing is decided and nothing answered', async () => {
    const { harness, connection, sender } = await prepared();
    harness.send(connection, [1, 1, [bet('b1')]]);
    await harness.settle();
    const sequence = harness.shard.sequence;
    raiseStop(harness.stop, EXIT_CODE);
    harness.send(connection, [1, 2, [bet('b2')]]);
    await harness.commitOne();
    await harness.commitOne();
    expect([harness.shard.sequence, sender.answers.length]).toEqual([sequence, 0]);
  });
});

describe('many broken requests', () => {
  it('more of them than a slice has rows, from several connections, stop nothing', async () => {
    const { harness, connection, sender } = await prepared();
    const other = harness.connect();
    // [1, 1, [[…: an array of three is announced, and nothing follows.
    const broken = Uint8Array.of(0x93, 0x01, 0x01, 0x91, 0x93);
    for (let number = 0; number < 2_500; number += 1) {
      harness.lane.receive(number % 2 === 0 ? connection : other.connection, broken);
    }
    const good = harness.connect();
    harness.send(good.connection, [1, 1, [bet('b1')]]);
    for (let turn = 0; turn < 100; turn += 1) await harness.commit();
    expect(harness.failure).toBeUndefined();
    expect([sender.closeCode, other.sender.closeCode]).toEqual([
      CloseCode.malformed,
      CloseCode.malformed,
    ]);
    expect(codesOf(good.sender.answers[0])).toEqual([ok]);
  });
});

// The load generator's frames, decoded by a library that knows nothing of it.
import { Unpackr } from 'msgpackr';
import { expect, test } from 'vitest';
import { AnswerWalker, emptyTally, sequencesAreWhole } from '../../bench/load/answer-walker.ts';
import { identifierForm, mix } from '../../bench/load/identifiers.ts';
import {
  AccountsWorkload,
  CanonicalWorkload,
  type Workload,
  type WorkloadSettings,
} from '../../bench/load/workload.ts';
import { Kind } from '../../core/kinds.ts';

const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });

interface SentTransaction {
  kind: number;
  id: string;
  player: string;
  currency: string;
  amount: number;
  round: string;
  flags: number | null;
  reference: string | null;
  game: string;
}

function settingsOf(changes: Partial<WorkloadSettings> = {}): WorkloadSettings {
  return {
    connection: 1,
    connectionCount: 3,
    frameTransactions: 1_000,
    accountCount: 5_000,
    identifiers: identifierForm(36),
    currency: 'EUR',
    seed: 77,
    run: 0,
    runCount: 8,
    ...changes,
  };
}

/** The payload of one masked frame, and its transactions. */
function decodeFrame(frame: Uint8Array): { requestId: number; sent: SentTransaction[] } {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  expect(frame[0]).toBe(0x82);
  expect(frame[1] & 0x80).toBe(0x80);
  const short = frame[1] & 0x7f;
  const header = short < 126 ? 2 : short === 126 ? 4 : 10;
  const byteCount =
    short < 126 ? short : short === 126 ? view.getUint16(2) : Number(view.getBigUint64(2));
  expect([...frame.subarray(header, header + 4)]).toEqual([0, 0, 0, 0]);
  const payload = frame.subarray(header + 4);
  expect(payload.byteLength).toBe(byteCount);
  const [type, requestId, rows] = unpackr.unpack(payload);
  expect(type).toBe(1);
  const sent = rows.map((row: unknown[]) => {
    const [kind, id, player, currency, amount, round, flags, reference, game] = row;
    return { kind, id, player, currency, amount, round, flags, reference, game };
  });
  return { requestId, sent };
}

function frames(workload: Workload, count: number): SentTransaction[][] {
  const bytes = new Uint8Array(workload.frameBytesMax + 16);
  const view = new DataView(bytes.buffer);
  const decoded: SentTransaction[][] = [];
  for (let number = 0; number < count; number += 1) {
    const end = workload.writeFrame(bytes, view, 16);
    if (end < 0) break;
    const { requestId, sent } = decodeFrame(bytes.slice(16, end));
    expect(requestId).toBe(number);
    expect(sent).toHaveLength(workload.lastRowCount);
    decoded.push(sent);
  }
  return decoded;
}

test.each([
  { frameTransactions: 1_000, frameCount: 4 },
  { frameTransactions: 25, frameCount: 60 },
  { frameTransactions: 7, frameCount: 200 },
  { frameTransactions: 1, frameCount: 500 },
])(
  'each win in frames of $frameTransactions names a bet of an earlier frame, once',
  ({ frameTransactions, frameCount }) => {
    const sentFrames = frames(new CanonicalWorkload(settingsOf({ frameTransactions })), frameCount);
    const openBets = new Map<string, SentTransaction>();
    let winCount = 0;
    for (const sent of sentFrames) {
      for (const win of sent.filter(({ kind }) => kind === Kind.win)) {
        const bet = openBets.get(win.reference ?? '');
        expect(bet).toMatchObject({ round: win.round, player: win.player, flags: null });
        expect(win.flags).toBe(1);
        openBets.delete(win.reference ?? '');
        winCount += 1;
      }
      for (const bet of sent.filter(({ kind, flags }) => kind === Kind.bet && flags === null)) {
        openBets.set(bet.id, bet);
      }
    }
    expect(winCount).toBeGreaterThan(0);
  },
);

test('frames after the first: 70 % bets, 30 % wins, four of seven bets end their round', () => {
  const [, second] = frames(new CanonicalWorkload(settingsOf()), 2);
  const bets = second.filter(({ kind }) => kind === Kind.bet);
  expect(bets).toHaveLength(700);
  expect(bets.filter(({ flags }) => flags === 1)).toHaveLength(400);
  expect(second.filter(({ kind }) => kind === Kind.win)).toHaveLength(300);
});

test('ids of all connections are unique, of canonical length, and share no 16-byte prefix', () => {
  const sent = [0, 1, 2].flatMap((connection) =>
    frames(new CanonicalWorkload(settingsOf({ connection })), 3).flat(),
  );
  expect(new Set(sent.map(({ id }) => id)).size).toBe(9_000);
  expect(new Set(sent.map(({ id }) => id.slice(0, 16))).size).toBe(9_000);
  const bets = sent.filter(({ kind }) => kind === Kind.bet);
  expect(new Set(bets.map(({ round }) => round)).size).toBe(bets.length);
  const { id, round, player, game } = sent[0];
  expect([id, round, player, game].map((text) => text.length)).toEqual([36, 24, 20, 12]);
  expect(new Set(sent.map((each) => each.game)).size).toBeGreaterThan(8);
});

test('the same seed writes the same bytes, another seed other ids', () => {
  const first = frames(new CanonicalWorkload(settingsOf({ seed: 5 })), 2);
  expect(frames(new CanonicalWorkload(settingsOf({ seed: 5 })), 2)).toEqual(first);
  const other = frames(new CanonicalWorkload(settingsOf({ seed: 6 })), 2);
  expect(other[0][0].id).not.toBe(first[0][0].id);
});

test('a later run on the same accounts has the same players and other transactions', () => {
  const [first, second] = [0, 1].map((run) =>
    frames(new CanonicalWorkload(settingsOf({ run, accountCount: 50 })), 3).flat(),
  );
  const players = (sent: SentTransaction[]) => new Set(sent.map(({ player }) => player));
  expect(players(second)).toEqual(players(first));
  for (const part of ['id', 'round'] as const) {
    const known = new Set(first.map((each) => each[part]));
    expect(second.filter((each) => known.has(each[part]))).toEqual([]);
  }
  expect(second.filter(({ kind }) => kind === Kind.win)).not.toEqual([]);
});

test('every player who bets was opened and got a deposit first', () => {
  const settings = { accountCount: 2_500, connectionCount: 2 };
  const players = (workload: 'open' | 'deposit') =>
    [0, 1].flatMap((connection) =>
      frames(new AccountsWorkload(settingsOf({ ...settings, connection }), workload), 9).flat(),
    );
  const opened = players('open');
  expect(opened).toHaveLength(2_500);
  expect(opened.every(({ kind, amount }) => kind === Kind.open && amount === undefined)).toBe(true);
  expect(new Set(opened.map(({ id }) => id)).size).toBe(2_500);
  const names = new Set(opened.map(({ player }) => player));
  expect(names.size).toBe(2_500);
  expect(new Set(players('deposit').map(({ player }) => player))).toEqual(names);
  const bets = frames(new CanonicalWorkload(settingsOf(settings)), 5).flat();
  expect(bets.every(({ player }) => names.has(player))).toBe(true);
});

test('mix gives two numbers never the same digits', () => {
  const seen = new Set<number>();
  for (let number = 0; number < 300_000; number += 1) seen.add(mix(number));
  expect(seen.size).toBe(300_000);
});

const packr = new (await import('msgpackr')).Packr({ useRecords: false });

function walk(answers: unknown[]): AnswerWalker {
  const bytes = Buffer.concat(answers.map((answer) => packr.pack(answer)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const walker = new AnswerWalker(emptyTally());
  let at = 0;
  while (at < bytes.byteLength) at = walker.walk(bytes, view, at);
  expect(at).toBe(bytes.byteLength);
  return walker;
}

test('answers are walked whatever size their numbers are encoded in', () => {
  const recorded = (code: number, flags: number, sequence: number) => [
    code,
    flags,
    sequence,
    1_790_000_000_000,
    2 ** 53 - 1,
    -5,
    -70_000,
    300,
    -(2 ** 40),
  ];
  const { tally, requestId, position } = walk([
    [1, 65_535, 7n, [recorded(0, 0, 70_000), 11, recorded(10, 0, 70_002)]],
    [1, 70_000, 2n ** 40n, [recorded(0, 1, 70_001), [...recorded(0, 2, 70_003), 2]]],
  ]);
  expect([requestId, position]).toEqual([70_000, 2 ** 40]);
  expect(tally.recordedCount).toBe(4);
  expect([tally.codeCounts[0], tally.codeCounts[10], tally.codeCounts[11]]).toEqual([3, 1, 1]);
  expect(tally.replayCount).toBe(1);
  expect(sequencesAreWhole(tally)).toBe(true);
});

test.each([
  { name: 'a gap', sequences: [1, 2, 4, 5] },
  { name: 'a double in the place of another', sequences: [1, 2, 2, 4] },
  { name: 'the same answer twice', sequences: [1, 2, 3, 3] },
])('$name in the sequences is found', ({ sequences }) => {
  const outcomes = sequences.map((sequence) => [0, 0, sequence, 0, 0, 0, 0, 0, 0]);
  expect(sequencesAreWhole(walk([[1, 1, 1, outcomes]]).tally)).toBe(false);
});

test.each([
  { name: 'a refused request', answer: [9, 3, 60, '100'] },
  { name: 'an answer of another type', answer: [3, 3, 1, []] },
  { name: 'an outcome that is a text', answer: [1, 3, 1, ['ok']] },
  { name: 'an outcome with a text in it', answer: [1, 3, 1, [[0, 0, 1, 0, 0, 'x', 0, 0, 0]]] },
])('$name breaks the run', ({ answer }) => {
  expect(() => walk([answer])).toThrow(/Cannot/);
});

// Open loop: when frames are due, and from when their latency counts. The server here answers by
// hand, so that a stall has a known length.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { EchoReader } from '../../bench/load/echo-reader.ts';
import { identifierForm } from '../../bench/load/identifiers.ts';
import { LoadConnection } from '../../bench/load/load-connection.ts';
import { frameTransactionsAt, Pace } from '../../bench/load/pace.ts';
import { CanonicalWorkload } from '../../bench/load/workload.ts';

const GREETING = Uint8Array.of(0x93, 0x00, 0x00, 0x80);
const STALL_MS = 200;
const FRAME_MS = 5;

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

test.each([
  [1, 1],
  [999, 1],
  [1_000, 10],
  [9_999, 10],
  [30_000, 100],
  [300_000, 1_000],
  [5_000_000, 1_000],
])('a rate of %i a second has frames of %i: 100 a second, if it has so many', (rate, frame) => {
  expect(frameTransactionsAt(rate)).toBe(frame);
});

test('frames are due one interval after another, and connections take turns', () => {
  const paceOf = (connection: number) =>
    new Pace(
      { ratePerSecond: 4_000, frameTransactions: 10, connectionCount: 4, connection },
      1_000,
    );
  const sentBy = (nowMs: number) => [0, 1, 2, 3].map((each) => paceOf(each).frameCountAt(nowMs));
  expect(sentBy(999)).toEqual([0, 0, 0, 0]);
  expect(sentBy(1_000)).toEqual([1, 0, 0, 0]);
  expect(sentBy(1_005)).toEqual([1, 1, 1, 0]);
  expect(sentBy(1_010)).toEqual([2, 1, 1, 1]);
  expect(sentBy(2_000)).toEqual([101, 100, 100, 100]);
});

test('a frame sent in time counts from its sending, a late one from when it was due', () => {
  const pace = new Pace(
    { ratePerSecond: 100, frameTransactions: 1, connectionCount: 1, connection: 0 },
    5_000,
  );
  expect(pace.countsFromMs(3, 5_030)).toBe(5_030);
  expect(pace.countsFromMs(3, 5_032)).toBe(5_032);
  expect(pace.countsFromMs(3, 5_900)).toBe(5_032);
});

test('what a stall holds back counts the stall in its latency, at a rate only', async () => {
  const [, ...paced] = await runThroughStall(FRAME_MS);
  for (const [number, latencyMs] of paced.slice(0, STALL_MS / FRAME_MS - 1).entries()) {
    // Due after the stall began, answered after it ended; sent up to 2 ms before it is due.
    expect(latencyMs).toBeGreaterThan(STALL_MS - (number + 1) * FRAME_MS - 3);
  }
  const [stalled, ...closed] = await runThroughStall(null);
  expect(stalled).toBeGreaterThan(STALL_MS - 2);
  expect(closed.sort((one, other) => one - other)[closed.length >> 1]).toBeLessThan(STALL_MS / 4);
});

/** Latencies of a half second with one frame in flight; the first answer takes STALL_MS. */
async function runThroughStall(frameMs: number | null): Promise<number[]> {
  const latenciesMs: number[] = [];
  const greeted = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<void>();
  const connection = new LoadConnection(
    {
      host: '127.0.0.1',
      port: await startStallingServer(),
      path: '/',
      key: 'none',
      slotCount: 1,
      onGreeting: () => greeted.resolve(),
      onLatency: (latencyMs) => latenciesMs.push(latencyMs),
      onDrained: () => drained.resolve(),
      onFailure: drained.reject,
    },
    new EchoReader(),
  );
  closing.push(() => connection.close());
  await greeted.promise;
  const form = { frameTransactions: 1, connectionCount: 1, connection: 0 };
  const pace =
    frameMs === null
      ? null
      : new Pace({ ...form, ratePerSecond: 1_000 / frameMs }, performance.now());
  connection.start(
    new CanonicalWorkload({
      ...form,
      accountCount: 10,
      identifiers: identifierForm(36),
      currency: 'EUR',
      seed: 1,
      run: 0,
      runCount: 1,
    }),
    pace,
  );
  setTimeout(() => connection.drain(), 500);
  await drained.promise;
  return latenciesMs;
}

/** Sends each frame back, the first one late. */
async function startStallingServer(): Promise<number> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  closing.push(() => {
    sockets.close();
    http.close();
  });
  sockets.on('connection', (socket: WebSocket) => {
    socket.send(GREETING);
    let delayMs = STALL_MS;
    socket.on('message', (frame: Buffer) => {
      if (delayMs > 0) setTimeout(() => socket.send(frame), delayMs);
      else socket.send(frame);
      delayMs = 0;
    });
  });
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  return (http.address() as AddressInfo).port;
}

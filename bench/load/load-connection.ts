// One WebSocket of the load generator on a plain socket: the upgrade by hand, many frames in one
// write, many answers from one read.
//
// Frames in flight lie one after another in a ring. Answers come in the order of requests, so what
// an answer frees is always what is filled next, and a frame's bytes are never touched before its
// answer proves that they were sent. One thread; whatever breaks is reported once through
// onFailure.
//
// Without a pace the loop is closed: an answer makes room, and what has room is sent. With one,
// frames are sent when they are due, and what finds no room then as soon as there is some.
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { assert } from '../../core/assert.ts';
import type { Pace } from './pace.ts';
import type { Workload } from './workload.ts';

/** Walks one answer from `at`, and holds its parts until the next. */
export interface AnswerReader {
  readonly requestId: number;
  readonly position: number;
  readonly outcomeCount: number;
  /** Returns where the answer ends; `end` is the frame's. */
  walk(bytes: Uint8Array, view: DataView, at: number, end: number): number;
}

/** Where to connect, and what is told. */
export interface LoadConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly key: string;
  readonly slotCount: number;
  readonly onGreeting: (payload: Uint8Array) => void;
  /** One frame's latency: from sent, or with a pace from due if that was earlier, to answered. */
  readonly onLatency: (latencyMs: number) => void;
  readonly onDrained: () => void;
  readonly onFailure: (error: Error) => void;
}

const READ_BYTES = 262_144;
const RECEIVE_BYTES_FIRST = 1_048_576;
const RECEIVE_BYTES_MAX = 67_108_864;
const PONG = Uint8Array.of(0x8a, 0x80, 0, 0, 0, 0);
const OPCODE_BINARY = 2;
const OPCODE_CLOSE = 8;
const OPCODE_PING = 9;
const HEADER_BYTES_MAX = 10;

/** Sends a workload's frames, at most slotCount of them unanswered. */
export class LoadConnection {
  answeredTransactions = 0;
  readonly #settings: LoadConnectionSettings;
  readonly #reader: AnswerReader;
  /** From when each frame's latency counts. */
  readonly #countsFromMs: Float64Array;
  readonly #slotRows: Uint32Array;
  readonly #socket: net.Socket;
  #receive = Buffer.alloc(RECEIVE_BYTES_FIRST);
  #receiveView = viewOf(this.#receive);
  #receivedBytes = 0;
  #isUpgraded = false;
  #isFailed = false;
  #workload: Workload | null = null;
  #pace: Pace | null = null;
  #ring = new Uint8Array(0);
  #ringView = viewOf(this.#ring);
  #ringAt = 0;
  #sentFrames = 0;
  #answeredFrames = 0;
  #isStopped = true;
  #positionBefore = 0;

  constructor(settings: LoadConnectionSettings, reader: AnswerReader) {
    this.#settings = settings;
    this.#reader = reader;
    this.#countsFromMs = new Float64Array(settings.slotCount);
    this.#slotRows = new Uint32Array(settings.slotCount);
    this.#socket = net.connect({
      host: settings.host,
      port: settings.port,
      noDelay: true,
      // One buffer for all reads: a new one for each would be garbage of a gigabyte a minute.
      onread: {
        buffer: Buffer.alloc(READ_BYTES),
        callback: (byteCount, buffer) => {
          this.#guard(() => this.#read(buffer, byteCount));
          return !this.#isFailed;
        },
      },
    });
    this.#socket.on('connect', () => this.#socket.write(upgradeRequest(settings)));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('The server closed the connection')));
  }

  /** Begins to send a workload's frames, as fast as they are answered or when they are due. */
  start(workload: Workload, pace: Pace | null): void {
    assert(this.#sentFrames === this.#answeredFrames, 'a workload starts with nothing in flight');
    this.#workload = workload;
    this.#pace = pace;
    // One frame more than can be unanswered: so much may be left unused at the ring's end.
    this.#ring = new Uint8Array(workload.frameBytesMax * (this.#settings.slotCount + 1));
    this.#ringView = viewOf(this.#ring);
    this.#ringAt = 0;
    this.#sentFrames = 0;
    this.#answeredFrames = 0;
    this.#isStopped = false;
    this.#fill();
  }

  /** Sends nothing more, due or not; onDrained follows once all is answered. */
  drain(): void {
    this.#isStopped = true;
    this.#pace?.stop();
    this.#reportDrained();
  }

  close(): void {
    this.#isFailed = true;
    this.#pace?.stop();
    this.#socket.destroy();
  }

  #read(buffer: Uint8Array, byteCount: number): void {
    this.#append(buffer, byteCount);
    if (!this.#isUpgraded && !this.#finishUpgrade()) return;
    const answeredBefore = this.#answeredFrames;
    this.#takeFrames();
    if (this.#answeredFrames > answeredBefore) this.#fill();
  }

  #append(buffer: Uint8Array, byteCount: number): void {
    const needed = this.#receivedBytes + byteCount;
    if (needed > this.#receive.byteLength) {
      assert(needed <= RECEIVE_BYTES_MAX, 'an answer frame has at most 64 MiB');
      const larger = Buffer.alloc(Math.min(RECEIVE_BYTES_MAX, needed * 2));
      larger.set(this.#receive.subarray(0, this.#receivedBytes));
      this.#receive = larger;
      this.#receiveView = viewOf(larger);
    }
    this.#receive.set(buffer.subarray(0, byteCount), this.#receivedBytes);
    this.#receivedBytes = needed;
  }

  #finishUpgrade(): boolean {
    const end = this.#receive.subarray(0, this.#receivedBytes).indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = this.#receive.toString('latin1', 0, end);
    if (!head.startsWith('HTTP/1.1 101')) {
      throw new Error(`Cannot connect because the upgrade was answered with: ${head.slice(0, 80)}`);
    }
    this.#isUpgraded = true;
    this.#consume(end + 4);
    return true;
  }

  #takeFrames(): void {
    let at = 0;
    while (this.#receivedBytes - at >= 2) {
      const short = this.#receive[at + 1];
      const headerBytes = short < 126 ? 2 : short === 126 ? 4 : HEADER_BYTES_MAX;
      if (this.#receivedBytes - at < headerBytes) break;
      let payloadBytes = short;
      if (short === 126) payloadBytes = this.#receiveView.getUint16(at + 2);
      else if (short === 127) payloadBytes = this.#receiveView.getUint32(at + 6);
      const end = at + headerBytes + payloadBytes;
      if (end > this.#receivedBytes) break;
      this.#takeFrame(this.#receive[at] & 0x0f, at + headerBytes, end);
      at = end;
    }
    this.#consume(at);
  }

  #takeFrame(opcode: number, start: number, end: number): void {
    if (opcode === OPCODE_PING) {
      this.#socket.write(PONG);
    } else if (opcode === OPCODE_CLOSE) {
      const closeCode = end - start >= 2 ? this.#receiveView.getUint16(start) : 0;
      throw new Error(`The server closed the connection with code ${closeCode}`);
    } else if (opcode === OPCODE_BINARY) {
      // The first element of a greeting's array is 0.
      if (this.#receive[start + 1] === 0) {
        this.#settings.onGreeting(this.#receive.slice(start, end));
      } else {
        this.#takeAnswers(start, end);
      }
    }
  }

  #takeAnswers(start: number, end: number): void {
    const nowMs = performance.now();
    const reader = this.#reader;
    let at = start;
    while (at < end) {
      at = reader.walk(this.#receive, this.#receiveView, at, end);
      const slot = this.#answeredFrames % this.#settings.slotCount;
      if (reader.requestId !== this.#answeredFrames >>> 0) {
        throw new Error(`Answer ${reader.requestId} came instead of ${this.#answeredFrames}`);
      }
      if (reader.outcomeCount !== this.#slotRows[slot] || reader.position < this.#positionBefore) {
        throw new Error(`Answer ${reader.requestId} has another count, or an older position`);
      }
      this.#positionBefore = reader.position;
      this.#answeredFrames += 1;
      this.answeredTransactions += reader.outcomeCount;
      this.#settings.onLatency(nowMs - this.#countsFromMs[slot]);
    }
    if (at !== end) throw new Error('An answer passes the end of its frame');
  }

  // Frames that follow one another in the ring go out in one write.
  #fill(): void {
    const { slotCount } = this.#settings;
    const workload = this.#workload;
    const pace = this.#pace;
    if (workload === null) return;
    const nowMs = performance.now();
    const dueFrames = pace?.frameCountAt(nowMs) ?? Number.POSITIVE_INFINITY;
    const frameCountMax = Math.min(this.#answeredFrames + slotCount, dueFrames);
    let start = this.#ringAt;
    while (!this.#isStopped && this.#sentFrames < frameCountMax) {
      if (this.#ring.byteLength - this.#ringAt < workload.frameBytesMax) {
        this.#write(start);
        this.#ringAt = 0;
        start = 0;
      }
      const end = workload.writeFrame(this.#ring, this.#ringView, this.#ringAt);
      if (end < 0) {
        this.#isStopped = true;
        break;
      }
      const slot = this.#sentFrames % slotCount;
      this.#slotRows[slot] = workload.lastRowCount;
      this.#countsFromMs[slot] = pace?.countsFromMs(this.#sentFrames, nowMs) ?? nowMs;
      this.#sentFrames += 1;
      this.#ringAt = end;
    }
    this.#write(start);
    if (!this.#isStopped && this.#sentFrames === dueFrames) {
      pace?.waitFor(dueFrames, nowMs, () => this.#guard(() => this.#fill()));
    }
    this.#reportDrained();
  }

  #write(start: number): void {
    if (this.#ringAt > start) this.#socket.write(this.#ring.subarray(start, this.#ringAt));
  }

  #reportDrained(): void {
    if (this.#workload === null || !this.#isStopped) return;
    if (this.#sentFrames > this.#answeredFrames) return;
    this.#workload = null;
    this.#settings.onDrained();
  }

  #consume(byteCount: number): void {
    if (byteCount === 0) return;
    this.#receive.copyWithin(0, byteCount, this.#receivedBytes);
    this.#receivedBytes -= byteCount;
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    if (this.#isFailed) return;
    this.close();
    this.#settings.onFailure(error);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function upgradeRequest(settings: LoadConnectionSettings): string {
  return [
    `GET ${settings.path} HTTP/1.1`,
    `Host: ${settings.host}:${settings.port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: kassa.v1',
    `Authorization: Bearer ${settings.key}`,
    '\r\n',
  ].join('\r\n');
}

// A WebSocket and an HTTP request on plain sockets, for tests that must see every byte that leaves
// the server: nothing is buffered or answered by a library in between. Text, pings
// and fragments are not understood.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { Packr, Unpackr } from 'msgpackr';

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });
const HEAD_END = '\r\n\r\n';
const ANSWER_TIMEOUT_MS = 10_000;
const FINAL_BINARY = 0x82;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** A socket that counts what it receives. */
class CountingSocket {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);
  #onReceived: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (data) => {
      this.received = Buffer.concat([this.received, data]);
      this.#onReceived();
    });
    this.socket.on('error', () => this.#onReceived());
    this.socket.on('close', () => this.#onReceived());
  }

  /** Resolves once the condition holds; rejects if the connection ends or it takes too long. */
  waitUntil(isThere: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (): void =>
        reject(new Error(`${what} did not come: ${this.received.length} B`));
      const timer = setTimeout(refuse, ANSWER_TIMEOUT_MS);
      const look = (): void => {
        if (!isThere() && !this.socket.destroyed) return;
        clearTimeout(timer);
        this.#onReceived = () => undefined;
        if (isThere()) resolve();
        else refuse();
      };
      this.#onReceived = look;
      look();
    });
  }
}

/** A stream of kassa.v1 after its hello. */
export class RawStream {
  readonly #counting: CountingSocket;
  #helloBytes = 0;

  private constructor(counting: CountingSocket) {
    this.#counting = counting;
  }

  /** Resolves when the hello is there. */
  static async open(port: number, key: string): Promise<RawStream> {
    const counting = new CountingSocket(port);
    const stream = new RawStream(counting);
    counting.socket.write(
      'GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n' +
        'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
        'Sec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Protocol: kassa.v1\r\nAuthorization: Bearer ${key}${HEAD_END}`,
    );
    await counting.waitUntil(() => stream.#payloads().length > 0, 'the hello');
    stream.#helloBytes = counting.received.length;
    return stream;
  }

  /** Bytes that came after the hello. */
  get receivedBytes(): number {
    return this.#counting.received.length - this.#helloBytes;
  }

  /** Answers that came, in the order of their coming. */
  get answers(): unknown[][] {
    return this.#payloads()
      .slice(1)
      .flatMap((payload) => unpackr.unpackMultiple(payload) as unknown[][]);
  }

  /** Sends one request frame. */
  send(request: readonly unknown[]): void {
    const payload = packr.pack(request);
    const mask = randomBytes(4);
    const head = frameHead(payload.length);
    const masked = payload.map((byte, place) => byte ^ mask[place % 4]);
    this.#counting.socket.write(Buffer.concat([head, mask, masked]));
  }

  /** The first answers, once so many are there. */
  async waitForAnswers(count: number): Promise<unknown[][]> {
    await this.#counting.waitUntil(() => this.answers.length >= count, `answer ${count}`);
    return this.answers;
  }

  /** From now on the socket fills up. */
  stopReading(): void {
    this.#counting.socket.pause();
  }

  /** Ends what stopReading began. */
  readOn(): void {
    this.#counting.socket.resume();
  }

  close(): void {
    this.#counting.socket.destroy();
  }

  /** Payloads of the complete frames behind the upgrade's answer. */
  #payloads(): Buffer[] {
    const bytes = this.#counting.received;
    const headEnd = bytes.indexOf(HEAD_END);
    const payloads: Buffer[] = [];
    let at = headEnd < 0 ? bytes.length : headEnd + HEAD_END.length;
    while (at + 2 <= bytes.length) {
      const frame = measureFrame(bytes, at);
      if (frame === undefined || frame.end > bytes.length) break;
      payloads.push(bytes.subarray(frame.start, frame.end));
      at = frame.end;
    }
    return payloads;
  }
}

/** One HTTP request. */
export class RawRequest {
  readonly #counting: CountingSocket;

  constructor(port: number, request: { readonly head: string; readonly body?: string }) {
    this.#counting = new CountingSocket(port);
    const { head, body = '' } = request;
    const length = body === '' ? '' : `\r\nContent-Length: ${Buffer.byteLength(body)}`;
    this.#counting.socket.write(`${head}\r\nHost: 127.0.0.1${length}${HEAD_END}${body}`);
  }

  get receivedBytes(): number {
    return this.#counting.received.length;
  }

  /** Status and body of the answer, once it is there. */
  async answer(): Promise<{ status: number; body: Record<string, unknown> }> {
    const text = (): string => String(this.#counting.received);
    await this.#counting.waitUntil(() => text().endsWith('}'), 'the answer');
    const [head, body] = text().split(HEAD_END);
    return { status: Number(head.split(' ')[1]), body: JSON.parse(body) };
  }

  close(): void {
    this.#counting.socket.destroy();
  }
}

/** Head of a masked binary frame. */
function frameHead(byteCount: number): Buffer {
  if (byteCount < LENGTH_16) return Buffer.of(FINAL_BINARY, MASKED | byteCount);
  const head = Buffer.alloc(10);
  head[0] = FINAL_BINARY;
  head[1] = MASKED | (byteCount > 0xffff ? LENGTH_64 : LENGTH_16);
  if (byteCount > 0xffff) head.writeBigUInt64BE(BigInt(byteCount), 2);
  else head.writeUInt16BE(byteCount, 2);
  return head.subarray(0, byteCount > 0xffff ? 10 : 4);
}

/** Where the payload of the frame at `at` lies; undefined while its head is incomplete. */
function measureFrame(bytes: Buffer, at: number): { start: number; end: number } | undefined {
  const short = bytes[at + 1] & 0x7f;
  if (short < LENGTH_16) return { start: at + 2, end: at + 2 + short };
  const headBytes = short === LENGTH_64 ? 10 : 4;
  if (at + headBytes > bytes.length) return undefined;
  const byteCount =
    short === LENGTH_64 ? Number(bytes.readBigUInt64BE(at + 2)) : bytes.readUInt16BE(at + 2);
  return { start: at + headBytes, end: at + headBytes + byteCount };
}

// A server of kassa.v1 for tests of the client: a table of keys and outcomes in memory, with a hand
// on what it answers. It breaks, refuses and delays as a test says, which the real one cannot be
// told.
import type { AddressInfo } from 'node:net';
import { Packr, Unpackr } from 'msgpackr';
import { type WebSocket, WebSocketServer } from 'ws';

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });

/** A request as it came. */
export interface TakenRequest {
  readonly type: number;
  readonly requestId: number;
  readonly items: readonly (readonly unknown[])[];
}

/** What to do with a request: answer it, refuse it with [code, text], or drop the connection. */
export type Verdict =
  | 'answer'
  | 'break before deciding'
  | 'break after deciding'
  | readonly [number, string];

const KEY = 'tester.secret';

/** Listens on a free port until stopped. */
export class FakeServer {
  /** Ids in the order in which they were executed; each once. */
  readonly executedIds: string[] = [];
  readonly requests: TakenRequest[] = [];
  decide: (request: TakenRequest) => Verdict = () => 'answer';
  /** While set, answers are kept back. */
  isHeld = false;
  connectionCount = 0;
  readonly key: string = KEY;
  readonly port: number;
  readonly #server: WebSocketServer;
  readonly #sequences = new Map<string, number>();
  readonly #held: (() => void)[] = [];

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#greet(socket));
  }

  static start(port = 0): Promise<FakeServer> {
    return new Promise((resolve) => {
      const server = new WebSocketServer({
        host: '127.0.0.1',
        port,
        path: '/v1/stream',
        handleProtocols: () => 'kassa.v1',
        verifyClient: ({ req }, done) =>
          done(req.headers.authorization === `Bearer ${KEY}`, 401, 'unknown key'),
      });
      server.on('listening', () => resolve(new FakeServer(server)));
    });
  }

  release(): void {
    this.isHeld = false;
    for (const send of this.#held.splice(0)) send();
  }

  breakConnections(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }

  stop(): Promise<void> {
    this.breakConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #greet(socket: WebSocket): void {
    this.connectionCount += 1;
    const limits = {
      batchTransactions: 10_000,
      atomicTransactions: 1_000,
      frameBytes: 65_536,
      unansweredTransactions: 20_000,
    };
    socket.send(
      packr.pack([
        0,
        0,
        {
          protocol: 'kassa.v1',
          version: '0',
          client: 'tester',
          operator: 'o',
          provider: 'p',
          permissions: [],
          lanes: 1,
          limits,
        },
      ]),
    );
    socket.on('message', (data: Buffer) => this.#take(socket, data));
  }

  #take(socket: WebSocket, data: Buffer): void {
    if (socket.readyState !== socket.OPEN) return;
    const [type, requestId, items = []] = unpackr.unpack(data);
    const request: TakenRequest = { type, requestId, items };
    this.requests.push(request);
    const verdict = this.decide(request);
    if (verdict === 'break before deciding') {
      socket.terminate();
    } else if (typeof verdict === 'object') {
      this.#send(socket, [9, requestId, ...verdict]);
    } else {
      const answer = this.#answer(request);
      if (verdict === 'break after deciding') socket.terminate();
      else this.#send(socket, answer);
    }
  }

  #answer({ type, requestId, items }: TakenRequest): unknown[] {
    if (type === 4) return [4, requestId, 7];
    if (type === 3) {
      return [
        3,
        requestId,
        7,
        items.map(([player]) => (player === 'nobody' ? 11 : [0, 5, 6, 7, 1, 0])),
      ];
    }
    const outcomes = items.map((item) => this.#execute(String(item[1])));
    return [1, requestId, this.executedIds.length, outcomes];
  }

  #execute(id: string): unknown {
    if (id.startsWith('unknown')) return 11;
    const known = this.#sequences.get(id);
    const sequence = known ?? this.executedIds.push(id);
    this.#sequences.set(id, sequence);
    return [0, known === undefined ? 0 : 1, sequence, 1_000, 2 ** 40, 0, 0, -5, 0];
  }

  #send(socket: WebSocket, answer: unknown[]): void {
    const send = () => socket.send(packr.pack(answer));
    if (this.isHeld) this.#held.push(send);
    else send();
  }
}

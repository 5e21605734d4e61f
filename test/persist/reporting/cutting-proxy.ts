// A way to Postgres that can be cut at a chosen moment: TCP in between, which sees what the
// reporter sends. The one cut that no other means can time: behind a commit and before its answer.
// Used by tests only.
import { connect as connectTo, createServer, type Server, type Socket } from 'node:net';

/** 'Q', the length, the text and its end: a simple query as pg sends it. */
const COMMIT: Buffer = Buffer.from('Q\0\0\0\u000bcommit\0', 'latin1');

/** When to cut, asked at each commit: before Postgres gets it, when it has answered, or not. */
export type CutAtCommit = () => 'before' | 'answered' | 'no';

/** See the head of this file. */
export class CuttingProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The proxy has no port');
    this.port = address.port;
    this.#server = server;
    this.#sockets = sockets;
  }

  /** Listens on a free port of 127.0.0.1 and passes on to a port there. */
  static async start(toPort: number, cutAtCommit: CutAtCommit): Promise<CuttingProxy> {
    const sockets = new Set<Socket>();
    const server = createServer((near) => join(near, toPort, { sockets, cutAtCommit }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new CuttingProxy(server, sockets);
  }

  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function join(
  near: Socket,
  toPort: number,
  { sockets, cutAtCommit }: { readonly sockets: Set<Socket>; readonly cutAtCommit: CutAtCommit },
): void {
  const far = connectTo(toPort, '127.0.0.1');
  let isLastAnswer = false;
  const cut = (): void => {
    near.destroy();
    far.destroy();
  };
  for (const socket of [near, far]) {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', cut);
    socket.on('close', () => {
      sockets.delete(socket);
      cut();
    });
  }
  near.on('data', (data: Buffer) => {
    const choice = data.includes(COMMIT) ? cutAtCommit() : 'no';
    if (choice === 'before') return cut();
    isLastAnswer = choice === 'answered';
    far.write(data);
  });
  far.on('data', (data: Buffer) => {
    if (isLastAnswer) cut();
    else near.write(data);
  });
}

// The server under test: gateway/main.ts as a child process on free ports and a folder of its own.
// What it prints is kept and shown only if it fails.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithBenchmark } from './clean-up.ts';

const PROGRAM = fileURLToPath(new URL('../gateway/main.ts', import.meta.url));
const READY_TIMEOUT_MS = 600_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
const OUTPUT_BYTES_MAX = 16_384;

/** Settings of a server by name, as the environment has them. */
export type ServerSettings = Readonly<Record<string, string>>;

/** The server without Postgres: what every workload measures but the one that is about it. */
export const WITHOUT_REPORTING: ServerSettings = { KASSA_REPORTING: 'off' };

/** A server that is ready, or was. */
export class ServerProcess {
  readonly port: number;
  readonly dataFolder: string;
  readonly #adminPort: number;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(
    dataFolder: string,
    ports: readonly [number, number],
    settings: ServerSettings,
  ) {
    this.dataFolder = dataFolder;
    [this.port, this.#adminPort] = ports;
    // A setting of the caller's shell must not change what is measured.
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KASSA_'));
    // With Node's arguments as `npm start` gives them to a server, and `npm run bench` to this.
    this.#child = spawn(process.execPath, [...process.execArgv, PROGRAM], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...Object.fromEntries(inherited),
        KASSA_DATA: dataFolder,
        KASSA_PORT: String(this.port),
        KASSA_ADMIN_PORT: String(this.#adminPort),
        KASSA_LOG_LEVEL: 'warn',
        KASSA_DEMO: 'on',
        ...settings,
      },
    });
    endWithBenchmark(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.#output = (this.#output + String(data)).slice(-OUTPUT_BYTES_MAX);
      });
    }
  }

  /** Starts a server on a folder and resolves when it takes transactions. */
  static async start(dataFolder: string, settings: ServerSettings): Promise<ServerProcess> {
    const server = new ServerProcess(dataFolder, await findFreePorts(), settings);
    await server.#waitUntilReady();
    return server;
  }

  get processId(): number {
    if (this.#child.pid === undefined) throw new Error('Cannot name a server that did not start');
    return this.#child.pid;
  }

  /** The key of the demo client, which may open, fund, bet and read. */
  readKey(): string {
    const text = readFileSync(join(this.dataFolder, 'demo.json'), 'utf8');
    const demo: { clientId: string; secret: string } = JSON.parse(text);
    return `${demo.clientId}.${demo.secret}`;
  }

  /** The value of a metric with these labels, or NaN. */
  async readMetric(name: string, labels = ''): Promise<number> {
    return findMetric(await this.readMetricsPage(), name, labels);
  }

  /** The text of /metrics: all values of one moment. */
  async readMetricsPage(): Promise<string> {
    try {
      // A kept connection may be closed by the server in the moment of the next request.
      const headers = { connection: 'close' };
      const response = await fetch(`http://127.0.0.1:${this.#adminPort}/metrics`, { headers });
      return await response.text();
    } catch (error) {
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      throw this.#failure(`did not show its metrics: ${String(cause)}`);
    }
  }

  /** Stops it by SIGTERM; rejects if it does not end cleanly. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const exited = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    }
    if (this.#child.exitCode !== 0) throw this.#failure('did not stop cleanly');
  }

  async #waitUntilReady(): Promise<void> {
    const deadlineMs = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadlineMs) {
      if (this.#child.exitCode !== null) throw this.#failure('ended before it was ready');
      if (await this.#isReady()) return;
      await sleep(POLL_MS);
    }
    throw this.#failure(`was not ready after ${READY_TIMEOUT_MS} ms`);
  }

  async #isReady(): Promise<boolean> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#adminPort}/readyz`);
      await response.arrayBuffer();
      return response.ok;
    } catch {
      // Not listening yet.
      return false;
    }
  }

  #failure(what: string): Error {
    const { exitCode, signalCode } = this.#child;
    return new Error(
      `Cannot measure because the server ${what} (exit ${exitCode ?? signalCode}): ${this.#output}`,
    );
  }
}

/** The value of a metric with these labels on a page of metrics, or NaN. */
export function findMetric(page: string, name: string, labels = ''): number {
  const lines = page.split('\n');
  const line = lines.find(
    (each) =>
      /^[ {]/.test(each.slice(name.length)) && each.startsWith(name) && each.includes(labels),
  );
  return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? Number.NaN);
}

async function findFreePorts(): Promise<readonly [number, number]> {
  // Both are held until both are known, else the kernel may give the same one twice.
  const first = await listen();
  const second = await listen();
  const ports = [portOf(first), portOf(second)] as const;
  first.close();
  second.close();
  return ports;
}

function listen(): Promise<net.Server> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('Cannot find a free port because the probe has no address');
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

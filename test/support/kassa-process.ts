// A real server for end-to-end tests: gateway/main.ts in a process of its own, on free ports, with
// what it prints kept. The test that starts one ends it.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../gateway/main.ts', import.meta.url));
const READY_TIMEOUT_MS = 20_000;
const POLL_MS = 10;

/** How a server ended. */
export interface ProcessEnd {
  /** The exit code, or the name of the signal that ended it. */
  readonly exit: number | string;
  readonly elapsedMs: number;
}

/** One server process. */
export class KassaProcess {
  /** What it wrote to standard output and standard error so far. */
  output = '';
  errors = '';
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;

  /** `wrapper` is a command that runs the server in its own place, such as `strace -D …`. */
  constructor(
    dataFolder: string,
    settings: Readonly<Record<string, string>> = {},
    wrapper: readonly string[] = [],
  ) {
    const startedMs = performance.now();
    const [program, ...parts] = [...wrapper, process.execPath, PROGRAM];
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KASSA_'));
    this.#child = spawn(program, parts, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...Object.fromEntries(inherited),
        KASSA_DATA: dataFolder,
        KASSA_PORT: '0',
        KASSA_ADMIN_PORT: '0',
        // A test of reporting turns it on.
        KASSA_REPORTING: 'off',
        ...settings,
      },
    });
    this.#child.stdout?.on('data', (data: Buffer) => {
      this.output += String(data);
    });
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.errors += String(data);
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        resolve({ exit: code ?? signal ?? 'nothing', elapsedMs: performance.now() - startedMs });
      });
    });
  }

  /** Resolves with both ports once the server takes transactions; rejects if it ends before. */
  async listening(): Promise<{ port: number; adminPort: number }> {
    const line = await this.waitForLog('listening');
    return { port: Number(line.port), adminPort: Number(line.adminPort) };
  }

  /** Resolves with the fields of the first log line that has this message. */
  async waitForLog(message: string): Promise<Record<string, unknown>> {
    const deadlineMs = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadlineMs && this.#child.exitCode === null) {
      for (const line of this.errors.split('\n').slice(0, -1)) {
        const fields: Record<string, unknown> = line.startsWith('{') ? JSON.parse(line) : {};
        if (fields.msg === message) return fields;
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error(`The server did not log "${message}":\n${this.errors}\n${this.output}`);
  }

  /** Resolves once standard output holds the text. */
  async waitForOutput(text: string): Promise<void> {
    const deadlineMs = performance.now() + READY_TIMEOUT_MS;
    while (!this.output.includes(text)) {
      if (performance.now() > deadlineMs || this.#child.exitCode !== null) {
        throw new Error(`The server did not print "${text}":\n${this.errors}\n${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Sends a signal and resolves when the process has ended; `elapsedMs` counts from the signal. */
  async end(signal: NodeJS.Signals): Promise<ProcessEnd> {
    const sentMs = performance.now();
    this.#child.kill(signal);
    const { exit } = await this.ended;
    return { exit, elapsedMs: performance.now() - sentMs };
  }

  /** Sends a signal and goes on. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

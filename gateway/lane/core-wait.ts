// How long the lane's thread was ready to run and had no core, as Linux counts it for each thread:
// a slice that the machine interrupted is told apart from one that took long. The file is a view of
// the kernel's counters, not on any disk; reading it takes 2 µs. Lane's thread only.
import { openSync, readSync } from 'node:fs';

/** "<ns on a core> <ns waiting for one> <turns>", each up to 20 digits. */
const SCHEDULE_FILE = '/proc/thread-self/schedstat';
const LINE_BYTES_MAX = 64;
const SPACE = 0x20;
const ZERO = 0x30;
const NS_PER_MS = 1_000_000;

/** The waiting time of the thread that made it. */
export class CoreWait {
  readonly #line: Uint8Array = new Uint8Array(LINE_BYTES_MAX);
  /** −1 where the kernel doesn't count. */
  readonly #descriptor: number;

  constructor(file: string = SCHEDULE_FILE) {
    this.#descriptor = tryOpen(file);
  }

  /** All of it so far; 0 where the kernel doesn't count. */
  readMs(): number {
    if (this.#descriptor < 0) return 0;
    const line = this.#line;
    const end = readSync(this.#descriptor, line, 0, LINE_BYTES_MAX, 0);
    let at = line.indexOf(SPACE) + 1;
    let waitedNs = 0;
    while (at < end && line[at] !== SPACE) {
      waitedNs = waitedNs * 10 + line[at] - ZERO;
      at += 1;
    }
    return waitedNs / NS_PER_MS;
  }
}

function tryOpen(file: string): number {
  try {
    return openSync(file, 'r');
  } catch {
    return -1;
  }
}

// The process's stop signal: one shared word that every thread watches. Its first value is the exit
// code of the first reason to stop; it never goes back to 0. Setting it is part of stopProcess in
// fatal.ts; a clean stop on SIGTERM does not use it.
import { assert } from '../core/assert.ts';
import type { ExitCodeValue } from './exit-codes.ts';

const STOP_WORD = 0;
const WORDS = 1;

/** Main watches at least this often, should a wake-up be lost. */
const POLL_MS = 100;

/** Memory of one process's stop signal, for all its threads. */
export function allocateStopSignal(): SharedArrayBuffer {
  return new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT);
}

/** Whether any thread has given a reason to stop: from then on nothing is decided or answered. */
export function isStopping(stop: SharedArrayBuffer): boolean {
  return stopCode(stop) !== 0;
}

/** The exit code of the first reason, or 0 while the process may go on. */
export function stopCode(stop: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(stop), STOP_WORD);
}

/** Sets the word unless another thread was first, and wakes who waits. */
export function raiseStop(stop: SharedArrayBuffer, code: ExitCodeValue): void {
  assert(code !== 0, 'a reason to stop has an exit code of its own');
  const words = new Int32Array(stop);
  Atomics.compareExchange(words, STOP_WORD, 0, code);
  Atomics.notify(words, STOP_WORD);
}

/** Resolves with the exit code once there is a reason to stop. Keeps no thread alive by itself. */
export async function waitForStop(stop: SharedArrayBuffer): Promise<number> {
  const words = new Int32Array(stop);
  for (;;) {
    const code = Atomics.load(words, STOP_WORD);
    if (code !== 0) return code;
    const waiting = Atomics.waitAsync(words, STOP_WORD, 0, POLL_MS);
    if (waiting.async) await waiting.value;
  }
}

// Long slices of a core, for work that nobody waits for: since Linux 6.12 a thread that wakes up
// need not let one with longer slices end its slice. Measured with a busy query of Postgres on the
// core that serves the disk's interrupts, p99 of a bet at 3,000/s: 18 to 24 ms without, 4 to 9 and
// once 15 with long slices and niceness 19 of its session, 10 to 23 with only one of the two. For
// the thread that calls it; what it starts inherits it.
import os from 'node:os';
import { findSystemFunction } from './system-function.ts';

const SLICE_NANOSECONDS = 50_000_000n;

/** The number of sched_setattr, which Node does not have and the C library of Debian 12 neither. */
const CALL_NUMBERS: Readonly<Record<string, number>> = { x64: 314, arm64: 274 };

// Places in Linux' struct sched_attr. Zeros elsewhere: an ordinary policy, no flags.
const ATTRIBUTES_BYTES = 48;
const SIZE_AT = 0;
const NICENESS_AT = 16;
const SLICE_AT = 24;

/** Gives the calling thread slices of 50 ms; false where the system has no such thing. */
export function tryLongSlices(): boolean {
  const number = CALL_NUMBERS[process.arch];
  if (number === undefined) return false;
  const attributes = Buffer.alloc(ATTRIBUTES_BYTES);
  attributes.writeUInt32LE(ATTRIBUTES_BYTES, SIZE_AT);
  // The call sets both; 0 means the calling thread, here and there.
  attributes.writeInt32LE(os.getPriority(0), NICENESS_AT);
  attributes.writeBigUInt64LE(SLICE_NANOSECONDS, SLICE_AT);
  const call = findSystemFunction('long syscall(long, int, const void *, unsigned int)');
  return call !== undefined && call(number, 0, attributes, 0) === 0;
}

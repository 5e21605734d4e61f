// Which threads run first when there are more of them than cores: those that answer, then those
// that help. Left equal, a lane waited up to 20 ms for its turn while others helped it. Linux keeps
// a niceness for each thread, and any user may raise it.
import { readlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** For lanes and the log writer: some nine times an equal thread's share of a core. */
const FIRST_NICENESS = -10;

/** Sets the calling thread's niceness: 10 is about a tenth of an equal thread's share. */
export function setNiceness(niceness: number): void {
  os.setPriority(Number(path.basename(readlinkSync('/proc/thread-self'))), niceness);
}

/** Puts the calling thread before others, where the process may; says whether it may. */
export function tryGoFirst(): boolean {
  try {
    setNiceness(FIRST_NICENESS);
    return true;
  } catch {
    // Not root, or a system without /proc: the lane works all the same.
    return false;
  }
}

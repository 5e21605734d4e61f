// Makes the niceness of Postgres count where the kernel schedules by session. With "autogroup" (on
// by default, outside of CPU control groups) niceness acts only among the processes of one session,
// and each Postgres process opens a session of its own: measured, one of niceness 5 took half of a
// processor that a lane wanted. The session's own niceness corrects that: the lane got 72 %.
// Postgres starts processes at any time, so the postmaster's children are looked through again and
// again. For the thread that started it.
import { readFileSync, writeFileSync } from 'node:fs';
import { NICENESS } from './embedded-command.ts';

const INTERVAL_MS = 100;

/** An ordinary user may change one session each 100 ms. */
const REFUSED_INTERVAL_MS = 110;

/** Keeps the sessions of a postmaster and of its children light, until `stop` is called. */
export class SessionWeights {
  readonly #postmasterPid: number;
  #timer: NodeJS.Timeout;
  /** Process ids that are done, of processes that still live. */
  #done = new Set<number>();

  constructor(postmasterPid: number) {
    this.#postmasterPid = postmasterPid;
    this.#timer = this.#runAfter(0);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #runAfter(delayMs: number): NodeJS.Timeout {
    const run = (): void => {
      const hasAll = this.#lightenNew();
      this.#timer = this.#runAfter(hasAll ? INTERVAL_MS : REFUSED_INTERVAL_MS);
    };
    return setTimeout(run, delayMs).unref();
  }

  /** False if one was refused for now. */
  #lightenNew(): boolean {
    const pids = [this.#postmasterPid, ...readChildren(this.#postmasterPid)];
    this.#done = new Set(pids.filter((pid) => this.#done.has(pid)));
    const waiting = pids.filter((pid) => !this.#done.has(pid));
    const group = readGroup(this.#postmasterPid);
    return waiting.every((pid) => {
      // In its first moments a child is still in the postmaster's session: next time.
      const isChild = pid !== this.#postmasterPid;
      if (isChild && group !== undefined && readGroup(pid) === group) return true;
      const isDone = lighten(pid);
      if (isDone) this.#done.add(pid);
      return isDone;
    });
  }
}

function readChildren(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    // It has just ended, or this kernel has no such list; then niceness alone has to do.
    return [];
  }
}

/** The name of a process's group; undefined where it is gone, or the kernel has none. */
function readGroup(pid: number): string | undefined {
  try {
    return /^\/autogroup-\d+/.exec(readFileSync(`/proc/${pid}/autogroup`, 'utf8'))?.[0];
  } catch {
    return undefined;
  }
}

/** False where it has to be tried again. Nothing else can be done about another error. */
function lighten(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(NICENESS));
    return true;
  } catch (error) {
    return !(error instanceof Error && Reflect.get(error, 'code') === 'EAGAIN');
  }
}

// Makes Postgres give way where the kernel schedules by session. With "autogroup" (on by default,
// outside of CPU control groups) niceness acts only among the processes of one session, and each
// Postgres process opens a session of its own: measured, one of niceness 5 took half of a processor
// that a lane wanted. The session's own niceness corrects that: the lane got 72 %.
//
//   in its first 10 s           19   a crash is recovered from, the reporter loads its memory
//   the reporter's, postmaster  5    a third of an equal share: it has to keep up with the lanes
//   all others                  10   checkpoints, vacuum, and what people ask
//
// Postgres starts processes at any time, so the postmaster's children are looked through again and
// again. For the process that started it.
import { readFileSync, writeFileSync } from 'node:fs';
import { KASSA_NAME } from './cluster-socket.ts';
import { NICENESS } from './embedded-command.ts';

const YOUNG_NICENESS = 19;
const OTHERS_NICENESS = 10;
const YOUNG_MS = 10_000;
const INTERVAL_MS = 100;
/** A new process has a full share until it is seen, and new ones come together. */
const YOUNG_INTERVAL_MS = 10;

/** An ordinary user may change one session each 100 ms. */
const REFUSED_INTERVAL_MS = 110;

/** How far a process is: seen, given its first niceness, given the one that it keeps. */
interface Known {
  readonly seenAtMs: number;
  stage: 'seen' | 'young' | 'done';
}

/** Keeps the sessions of a postmaster and of its children light, until `stop` is called. */
export class SessionWeights {
  readonly #postmasterPid: number;
  #timer: NodeJS.Timeout;
  /** By process id, of processes that still live. */
  #known = new Map<number, Known>();

  constructor(postmasterPid: number) {
    this.#postmasterPid = postmasterPid;
    this.#timer = this.#runAfter(0);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #runAfter(delayMs: number): NodeJS.Timeout {
    const run = (): void => {
      const hasAll = this.#weigh(performance.now());
      const isYoung = [...this.#known.values()].some(({ stage }) => stage !== 'done');
      const intervalMs = isYoung ? YOUNG_INTERVAL_MS : INTERVAL_MS;
      this.#timer = this.#runAfter(hasAll ? intervalMs : REFUSED_INTERVAL_MS);
    };
    return setTimeout(run, delayMs).unref();
  }

  /** False if one was refused for now. */
  #weigh(nowMs: number): boolean {
    const pids = [this.#postmasterPid, ...readChildren(this.#postmasterPid)];
    this.#known = new Map(
      pids.map((pid) => [pid, this.#known.get(pid) ?? { seenAtMs: nowMs, stage: 'seen' }] as const),
    );
    const group = readGroup(this.#postmasterPid);
    for (const [pid, known] of this.#known) {
      const stage = nowMs - known.seenAtMs < YOUNG_MS ? 'young' : 'done';
      if (known.stage === 'done' || known.stage === stage) continue;
      // In its first moments a child is still in the postmaster's session: next time.
      const isChild = pid !== this.#postmasterPid;
      if (isChild && group !== undefined && readGroup(pid) === group) continue;
      const lasting = !isChild || isReporter(pid) ? NICENESS : OTHERS_NICENESS;
      if (!setNiceness(pid, stage === 'young' ? YOUNG_NICENESS : lasting)) return false;
      known.stage = stage;
    }
    return true;
  }
}

/** Whether it works for Kassa's own user, by the title that Postgres gives to each process. */
function isReporter(pid: number): boolean {
  try {
    const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return title.includes(` ${KASSA_NAME} ${KASSA_NAME} `);
  } catch {
    return false;
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
function setNiceness(pid: number, niceness: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
    return true;
  } catch (error) {
    return !(error instanceof Error && Reflect.get(error, 'code') === 'EAGAIN');
  }
}

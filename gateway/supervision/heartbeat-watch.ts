// Tells a lane that hangs from one that works (design law 7): its heartbeat must change within 5 s.
// Pure: the caller brings the heartbeat's value and a monotonic time. Main thread only.
import { assert } from '../../core/assert.ts';

/** A lane without a heartbeat for this long stops the process (design law 7). */
export const HEARTBEAT_TIMEOUT_MS = 5_000;

// A process that was stopped and goes on (SIGSTOP, a frozen container, a machine asleep) finds main
// awake before the lane has beaten. So one look counts for this much silence at most, however late
// it comes: the lane gets its time after the pause too.
const SILENCE_PER_LOOK_MS_MAX = 500;

/** Watches one heartbeat. */
export class HeartbeatWatch {
  #heartbeat = 0;
  #lookedAtMs = 0;
  #silentMs = 0;

  constructor(nowMs: number) {
    this.#lookedAtMs = nowMs;
  }

  /** Looks once, at least twice a second; true when the lane has been silent for too long. */
  isSilent(heartbeat: number, nowMs: number): boolean {
    assert(nowMs >= this.#lookedAtMs, 'the time of a watch is monotonic');
    const elapsedMs = nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    if (heartbeat !== this.#heartbeat) {
      this.#heartbeat = heartbeat;
      this.#silentMs = 0;
    } else {
      this.#silentMs += Math.min(elapsedMs, SILENCE_PER_LOOK_MS_MAX);
    }
    return this.#silentMs >= HEARTBEAT_TIMEOUT_MS;
  }
}

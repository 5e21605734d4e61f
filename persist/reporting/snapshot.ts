// What a snapshot is: the state of Postgres after one transaction of the reporter, true at one
// position of the log. Words shared by what builds it, writes it and loads it.

/** 0 within a minute; 1, 2, 3: the last snapshot of its minute, hour, day (UTC). */
export type Tier = 0 | 1 | 2 | 3;

/** Where a snapshot stands. */
export interface SnapshotPlace {
  /** From 1, without gaps but for what is thinned out. */
  readonly snapshotId: number;
  /** The last block in it. */
  readonly position: number;
  /** That block's time. */
  readonly timeMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** What ended between two times of the log: the tier of the snapshot before the later one. */
export function tierBetween(beforeMs: number, afterMs: number): Tier {
  const differs = (unitMs: number): boolean =>
    Math.floor(beforeMs / unitMs) !== Math.floor(afterMs / unitMs);
  if (differs(DAY_MS)) return 3;
  if (differs(HOUR_MS)) return 2;
  return differs(MINUTE_MS) ? 1 : 0;
}

/** The minute that a time lies in. */
export function minuteOf(timeMs: number): number {
  return timeMs - (timeMs % MINUTE_MS);
}

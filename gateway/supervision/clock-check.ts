// Whether the clock may be trusted at a start: a log whose last record lies far ahead of it says
// that the clock was wrong then or is wrong now, and times of new records would stand still. Pure.

/** A log may be ahead of the clock by this much (design section 5). */
export const CLOCK_BEHIND_MS_MAX = 60_000;

/** The reason to refuse the start, or '' when the clock is good enough or accepted as it is. */
export function refuseClock(logLastTimeMs: number, nowMs: number, acceptClock: boolean): string {
  const behindMs = logLastTimeMs - nowMs;
  if (acceptClock || behindMs <= CLOCK_BEHIND_MS_MAX) return '';
  return (
    `Cannot start because the clock is ${Math.round(behindMs / 1000)} s behind the last record ` +
    `of the log (at most ${CLOCK_BEHIND_MS_MAX / 1000} s is taken for drift): the log ends at ` +
    `${new Date(logLastTimeMs).toISOString()}, the clock says ${new Date(nowMs).toISOString()}. ` +
    'Set the clock, or start with KASSA_ACCEPT_CLOCK=on: then records keep the log’s last time ' +
    'until the clock has caught up.'
  );
}

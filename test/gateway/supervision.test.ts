// What the supervision decides by itself: heartbeats, the clock, the Node version, log lines.
import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../core/limits.ts';
import { refuseClock } from '../../gateway/supervision/clock-check.ts';
import { HEARTBEAT_TIMEOUT_MS, HeartbeatWatch } from '../../gateway/supervision/heartbeat-watch.ts';
import { readManifest, refuseNode } from '../../gateway/supervision/pinned-node.ts';
import { readableLine } from '../../gateway/supervision/process-log.ts';
import { refuseRetention } from '../../gateway/supervision/retention-check.ts';

describe('the heartbeat', () => {
  /** The time at which a watch that looks every `everyMs` finds the lane silent. */
  function silentAt(everyMs: number, heartbeatAt: (nowMs: number) => number): number {
    const watch = new HeartbeatWatch(0);
    for (let nowMs = everyMs; nowMs <= 60_000; nowMs += everyMs) {
      if (watch.isSilent(heartbeatAt(nowMs), nowMs)) return nowMs;
    }
    return Number.POSITIVE_INFINITY;
  }

  test('that changes is never silent', () => {
    expect(silentAt(50, (nowMs) => Math.floor(nowMs / 4_000) + 1)).toBe(Number.POSITIVE_INFINITY);
  });

  test('that stands still is silent after 5 s, not before', () => {
    expect(silentAt(50, () => 0)).toBe(HEARTBEAT_TIMEOUT_MS);
    expect(silentAt(50, (nowMs) => Math.min(nowMs, 10_000))).toBe(10_000 + HEARTBEAT_TIMEOUT_MS);
  });

  test('that goes backwards with the clock is a sign of life', () => {
    expect(silentAt(50, (nowMs) => 1_000_000 - nowMs)).toBe(Number.POSITIVE_INFINITY);
  });

  test('is given time after the whole process was paused', () => {
    const watch = new HeartbeatWatch(0);
    expect(watch.isSilent(1, 50)).toBe(false);
    expect(watch.isSilent(1, 3_600_050)).toBe(false);
    expect(watch.isSilent(1, 3_604_500)).toBe(false);
    expect(watch.isSilent(2, 3_604_550)).toBe(false);
  });
});

describe('the clock', () => {
  const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);

  test.each([
    [-1_000_000, true],
    [0, true],
    [59_999, true],
    [60_000, true],
    [60_001, false],
    [86_400_000, false],
  ])('with a log that is %d ms ahead, a start is allowed: %s', (aheadMs, allowed) => {
    expect(refuseClock(nowMs + aheadMs, nowMs, false) === '').toBe(allowed);
    expect(refuseClock(nowMs + aheadMs, nowMs, true)).toBe('');
  });

  test('an empty log asks nothing of it', () => {
    expect(refuseClock(0, 0, false)).toBe('');
  });

  test('a refusal says both times and what to do', () => {
    const refusal = refuseClock(nowMs + 3_600_000, nowMs, false);
    expect(refusal).toContain('3600 s behind');
    expect(refusal).toContain('2026-01-02T04:04:05.000Z');
    expect(refusal).toContain('2026-01-02T03:04:05.000Z');
    expect(refusal).toContain('KASSA_ACCEPT_CLOCK=on');
  });
});

describe('the retention', () => {
  const operator = (name: string, roundAgeMs: number, holdExpiryMaxMs: number) => ({
    name,
    policies: { roundAgeMs, holdExpiryMaxMs },
  });

  test.each([
    [39, 40, 41],
    [40, 40, 40],
    [40, 39, 40],
  ])('covers a round age of %d and a hold expiry of %d days with %d', (round, hold, days) => {
    const operators = [operator('other', 1, 1), operator('one', round * DAY_MS, hold * DAY_MS)];
    expect(refuseRetention(operators, days * DAY_MS)).toBe('');
  });

  test.each([
    [41, 1],
    [1, 41],
    [40, 40 + 1 / DAY_MS],
  ])(
    'of 40 days is refused beside a round age of %d and a hold expiry of %d days',
    (round, hold) => {
      const operators = [operator('other', 1, 1), operator('one', round * DAY_MS, hold * DAY_MS)];
      const refusal = refuseRetention(operators, 40 * DAY_MS);
      expect(refusal).toContain('KASSA_RETENTION_DAYS');
      expect(refusal).toContain('operator one');
      expect(refusal).toContain('Set it to 41');
    },
  );
});

describe('the Node version', () => {
  test('that is pinned is the one that runs the tests', () => {
    expect(refuseNode(process.version, readManifest().pinnedNode)).toBe('');
  });

  test.each(['v20.19.0', 'v22.12.0', 'v22.23.4', 'v24.0.0'])(
    '%s is refused with advice',
    (version) => {
      expect(refuseNode(version, '22.23.3')).toMatch(
        new RegExp(`only on Node 22.23.3: this is ${version}.*npm start`),
      );
    },
  );
});

test('a log line is readable on a terminal, with its fields', () => {
  const line = JSON.stringify({
    level: 30,
    time: '2026-01-02T03:04:05.678Z',
    port: 7070,
    file: 'a b',
    msg: 'listening',
  });
  expect(readableLine(line)).toBe('03:04:05.678 info  listening port=7070 file="a b"\n');
});

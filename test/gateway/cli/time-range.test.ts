// Times on the command line: which texts are times, and which moments they mean.
import { expect, test } from 'vitest';
import { parseTime, timeRange } from '../../../gateway/cli/report/time-range.ts';

test.each([
  ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['2026-01-31T18:30', '2026-01-31T18:30:00.000Z'],
  ['2026-01-31 18:30', '2026-01-31T18:30:00.000Z'],
  ['2026-01-31T18:30:05Z', '2026-01-31T18:30:05.000Z'],
  ['2026-01-31T18:30+02:00', '2026-01-31T16:30:00.000Z'],
  ['2026-01-31T18:30-05:30', '2026-02-01T00:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
])('%s is %s', (text, iso) => {
  expect(parseTime(text).toISOString()).toBe(iso);
});

test.each(['', 'today', '2026', '2026-1-1', '2026-02-29', '2026-13-01', '2026-01-31T25:00', '1'])(
  '%s is no time',
  (text) => {
    expect(() => parseTime(text)).toThrow(/Give a date or time/);
  },
);

test('a range ends after it begins', () => {
  const [from, to] = [parseTime('2026-01-01'), parseTime('2026-01-02')];
  expect(timeRange(from, to)).toEqual({ from, to });
  expect(() => timeRange(to, from)).toThrow(/ends before it begins/);
  expect(() => timeRange(from, from)).toThrow(/ends before it begins/);
});

// The counters of a lane and the page that shows them.
import { describe, expect, test } from 'vitest';
import { Kind } from '../../core/kinds.ts';
import { ResultCode } from '../../core/result-codes.ts';
import { ANSWER_BOUNDS_MS, LaneCounters, LaneGauge } from '../../gateway/metrics/lane-counters.ts';
import { MetricsPage } from '../../gateway/metrics/metrics-page.ts';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

// The text format 0.0.4: comment lines, then `name{label="value",…} number`.
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?/y;
const UNIT_LAST = /_(seconds|bytes)(_total|_max)?$/;

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (match === null) throw new Error(`Cannot read the labels: ${text}`);
    labels[match[1]] = match[2];
  }
  return labels;
}

function parsePage(text: string): { samples: Sample[]; types: Map<string, string> } {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) types.set(type[1], type[2]);
    if (line === '' || line.startsWith('#')) continue;
    const match = LINE.exec(line);
    if (match === null) throw new Error(`Cannot read the line: ${line}`);
    const value = Number(match[3].replace('+Inf', 'Infinity'));
    if (Number.isNaN(value) && match[3] !== 'Nan' && match[3] !== 'NaN') throw new Error(line);
    samples.push({ name: match[1], labels: parseLabels(match[2] ?? ''), value });
  }
  return { samples, types };
}

function makePage(): { counters: LaneCounters; laneSide: LaneCounters; page: MetricsPage } {
  const shared = LaneCounters.allocate();
  const counters = new LaneCounters(shared);
  const page = new MetricsPage({ version: '1.2.3', lanes: [counters], isReady: () => true });
  return { counters, laneSide: new LaneCounters(shared), page };
}

async function readValue(
  page: MetricsPage,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  const { samples } = parsePage(await page.render());
  const wanted = Object.entries(labels);
  return samples.find(
    (sample) =>
      sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value),
  )?.value;
}

describe('the page', () => {
  test('parses, and each of its metrics has a help text, a type and its unit last', async () => {
    const { page, laneSide } = makePage();
    laneSide.countTransaction(Kind.bet, ResultCode.ok);
    const text = await page.render();
    const { samples, types } = parsePage(text);
    expect(samples.length).toBeGreaterThan(50);
    for (const [name, type] of types) {
      expect(text).toContain(`# HELP ${name} `);
      // The names of nodejs_ metrics are prom-client's own.
      if (!name.startsWith('kassa_')) continue;
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/_(ms|milliseconds|kb|mb|minutes)(_|$)/);
      if (/seconds|bytes/.test(name)) expect(name).toMatch(UNIT_LAST);
    }
  });

  test('counts transactions by the names of kind and code', async () => {
    const { page, laneSide } = makePage();
    laneSide.countTransaction(Kind.bet, ResultCode.ok, 3);
    laneSide.countTransaction(Kind.bet, ResultCode.ok);
    laneSide.countTransaction(Kind.win, ResultCode.diskReserve);
    laneSide.countTransaction(0, ResultCode.unknownKind);
    const count = (kind: string, code: string): Promise<number | undefined> =>
      readValue(page, 'kassa_transactions_total', { lane: '0', kind, code });
    expect(await count('bet', 'ok')).toBe(4);
    expect(await count('win', 'disk_reserve')).toBe(1);
    expect(await count('unknown', 'unknown_kind')).toBe(1);
    expect(await count('deposit', 'ok')).toBeUndefined();
  });

  test('a second scrape does not add to the first', async () => {
    const { page, laneSide } = makePage();
    laneSide.countTransaction(Kind.bet, ResultCode.ok);
    laneSide.countRefusal('slow_reader');
    await page.render();
    expect(await readValue(page, 'kassa_transactions_total', { kind: 'bet' })).toBe(1);
    expect(await readValue(page, 'kassa_refusals_total', { reason: 'slow_reader' })).toBe(1);
    expect(await readValue(page, 'kassa_refusals_total', { reason: 'malformed' })).toBe(0);
  });

  test('shows the gauges as they are now', async () => {
    const { page, laneSide } = makePage();
    laneSide.setGauge(LaneGauge.accounts, 7);
    expect(await readValue(page, 'kassa_accounts')).toBe(7);
    laneSide.setGauge(LaneGauge.accounts, 5);
    expect(await readValue(page, 'kassa_accounts')).toBe(5);
  });
});

describe('the histogram of answers', () => {
  test.each([
    [0, '0.0001'],
    [0.1, '0.0001'],
    [0.1001, '0.00016'],
    [9_999, '10'],
    [10_000, '10'],
    [10_001, '+Inf'],
  ])('takes %d ms into the bucket up to %s s', async (answerMs, bound) => {
    const { page, laneSide } = makePage();
    laneSide.observeAnswerMs(answerMs, 5);
    const { samples } = parsePage(await page.render());
    const buckets = samples.filter(({ name }) => name === 'kassa_answer_seconds_bucket');
    expect(buckets).toHaveLength(ANSWER_BOUNDS_MS.length + 1);
    expect(buckets.find(({ value }) => value > 0)?.labels.le).toBe(bound);
    expect(buckets.at(-1)?.value).toBe(5);
    expect(await readValue(page, 'kassa_answer_seconds_count')).toBe(5);
    expect(await readValue(page, 'kassa_answer_seconds_sum')).toBeCloseTo((answerMs * 5) / 1000, 9);
  });
});

describe('the longest slice', () => {
  test('since the last scrape starts anew after each, since the start never', async () => {
    const { page, laneSide } = makePage();
    const longest = (since: string): Promise<number | undefined> =>
      readValue(page, 'kassa_slice_seconds_max', { since });
    laneSide.observeSliceMs(2, 1.25, 500);
    laneSide.observeSliceMs(1, 0, 500);
    expect(await longest('scrape')).toBe(0.002);
    laneSide.observeSliceMs(0.5, 0, 10);
    expect(await longest('scrape')).toBe(0.0005);
    expect(await longest('scrape')).toBe(0);
    expect(await longest('start')).toBe(0.002);
  });

  test('is told without the wait for a core, too', async () => {
    const { page, laneSide } = makePage();
    laneSide.observeSliceMs(9, 8.5, 500);
    laneSide.observeSliceMs(1.5, 0, 500);
    const running = await readValue(page, 'kassa_slice_running_seconds_max', { since: 'start' });
    expect(running).toBe(0.0015);
  });

  test('slices, their time and their transactions add up', () => {
    const { counters, laneSide } = makePage();
    laneSide.observeSliceMs(2, 1.25, 500);
    laneSide.observeSliceMs(1, 0, 20);
    expect(counters.readSlices()).toEqual({
      count: 2,
      sumMs: 3,
      transactionCount: 520,
      maxMs: 2,
      runningMaxMs: 1,
    });
  });
});

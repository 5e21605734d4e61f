// The admin port in each phase of a start, with the lanes' counters set by hand.
import { afterEach, describe, expect, test } from 'vitest';
import { type AdminServer, listenAdmin } from '../../gateway/admin/admin-server.ts';
import { type Phase, Readiness } from '../../gateway/admin/readiness.ts';
import { LaneCounters, LaneGauge } from '../../gateway/metrics/lane-counters.ts';
import { MetricsPage } from '../../gateway/metrics/metrics-page.ts';

const open: AdminServer[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

interface Admin {
  readonly readiness: Readiness;
  readonly lane: LaneCounters;
  get(path: string, method?: string): Promise<Response>;
}

async function listen(): Promise<Admin> {
  const lane = new LaneCounters(LaneCounters.allocate());
  const readiness = new Readiness([lane]);
  const metrics = new MetricsPage({ version: '0', lanes: [lane], isReady: () => false });
  const server = await listenAdmin('127.0.0.1', 0, { readiness, metrics });
  open.push(server);
  const get = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  return { readiness, lane, get };
}

describe('/readyz', () => {
  test.each<[Phase, number]>([
    ['starting', 503],
    ['recovering', 503],
    ['opening', 503],
    ['listening', 200],
    ['stopping', 503],
    ['failed', 503],
  ])('answers %s with %d and a reason', async (phase, status) => {
    const { readiness, get } = await listen();
    readiness.enter(phase, 0);
    const response = await get('/readyz');
    expect(response.status).toBe(status);
    const report: unknown = await response.json();
    expect(report).toMatchObject({ ready: status === 200, phase, reason: expect.any(String) });
  });

  test('shows how far recovery is, how fast, and what is left', () => {
    const lane = new LaneCounters(LaneCounters.allocate());
    const readiness = new Readiness([lane]);
    readiness.enter('recovering', 1_000);
    lane.setGauge(LaneGauge.recoveryBlocksTotal, 400);
    expect(readiness.report(2_000).recovery).toMatchObject({ percent: 0, remainingSeconds: null });
    lane.setGauge(LaneGauge.recoveryBlocks, 100);
    lane.setGauge(LaneGauge.recoveryRecords, 50_000);
    expect(readiness.report(3_000).recovery).toEqual({
      blocks: 100,
      blocksTotal: 400,
      records: 50_000,
      percent: 25,
      recordsPerSecond: 25_000,
      remainingSeconds: 6,
    });
  });

  test('stays failed once the server failed', () => {
    const readiness = new Readiness([]);
    readiness.enter('failed', 0);
    readiness.enter('stopping', 1);
    expect(readiness.phase).toBe('failed');
  });
});

describe('the other paths', () => {
  test('/healthz is 200 in every phase, for the process is alive', async () => {
    const { readiness, get } = await listen();
    readiness.enter('recovering', 0);
    expect((await get('/healthz')).status).toBe(200);
  });

  test('/metrics has the content type of the text format', async () => {
    const { get } = await listen();
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(await response.text()).toContain('kassa_ready 0');
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])(
    '%s is refused: the port is read-only',
    async (method) => {
      const { get } = await listen();
      expect((await get('/metrics', method)).status).toBe(405);
    },
  );

  test('an unknown path is 404', async () => {
    const { get } = await listen();
    expect((await get('/')).status).toBe(404);
  });
});

test('an address that is taken is an error that names it and the setting', async () => {
  const { readiness, lane } = await listen();
  const metrics = new MetricsPage({ version: '0', lanes: [lane], isReady: () => false });
  const [taken] = open;
  await expect(listenAdmin('127.0.0.1', taken.port, { readiness, metrics })).rejects.toThrow(
    new RegExp(`127.0.0.1:${taken.port}.*KASSA_ADMIN_PORT`),
  );
});

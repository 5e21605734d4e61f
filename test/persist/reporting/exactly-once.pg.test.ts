// Whatever ends the reporter's session and whenever, each record is reported once: sessions ended
// by Postgres, by a cut line, by a crash of the server, by a stop; a schema that is dropped; two
// reporters. At the end of each story the reports are compared with the model, nothing left out.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasDebianPostgres } from '../../support/postgres-server.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { expectGgr, expectJournal, expectTurnover } from './journal-checks.ts';
import { playCommands } from './play-commands.ts';
import { expectHistory, expectNewest } from './report-checks.ts';
import { ReportStage } from './report-stage.ts';
import { ReportedPlay } from './reported-play.ts';

const COMMANDS = { embedded: 150, debian: 60 };

/** What is done to the reporter's session again and again. */
const INTERRUPTIONS = [
  { name: 'sessions that Postgres ends', call: 'pg_terminate_backend' },
  { name: 'queries that Postgres cancels', call: 'pg_cancel_backend' },
] as const;
const INTERRUPTIONS_MIN = 8;

describe.each(['embedded', 'debian'] as const)('the reporter and the %s server', (kind) => {
  const isThere = kind === 'embedded' || hasDebianPostgres();
  let stage: ReportStage;
  let play: ReportedPlay;
  let random: SeededRandom;

  beforeAll(async () => {
    if (!isThere) return;
    random = new SeededRandom(`the reporter and the ${kind} server`);
    play = new ReportedPlay(random);
    play.play(playCommands(random, COMMANDS[kind]));
    stage = await ReportStage.start(kind);
    play.writeLog(stage.folder);
  }, 60_000);

  beforeEach(() => stage?.dropReports());

  afterAll(() => stage?.end());

  /** So that a story has many snapshots. */
  const blocksAhead = (): number => 1 + random.below(4);

  async function expectAllOnce(): Promise<void> {
    const client = await stage.connect();
    await expectNewest(client, play, play.position);
    await expectHistory(client, play, { random, snapshotCount: 5 });
    await expectJournal(client, play);
    await expectTurnover(client, play);
    await expectGgr(client, play);
    expect((await client.query('select * from kassa.rejected_rows')).rows).toEqual([]);
    await client.end();
  }

  test.skipIf(!isThere).each(INTERRUPTIONS)(
    '$name at random moments lose nothing',
    async ({ call }) => {
      const client = await stage.connect();
      const done = new AbortController();
      const ending = interrupt(client, call, done.signal);
      const interruptions = await stage.reportWithoutWaits({
        lastPosition: play.position,
        blocksAhead,
      });
      done.abort();
      await ending;
      expect(interruptions).toBeGreaterThanOrEqual(INTERRUPTIONS_MIN);
      await expectAllOnce();
    },
    60_000,
  );

  /** Disturbs each session when it has committed a few snapshots, and some milliseconds. */
  async function interrupt(client: Client, call: string, signal: AbortSignal): Promise<void> {
    const query = `select ${call}(pid) from pg_stat_activity where application_name = 'reporter'`;
    while (!signal.aborted) {
      const { connections, snapshots, isUp } = stage.measures;
      const wanted = snapshots + random.below(5);
      while (stage.measures.snapshots < wanted && stage.measures.connections === connections) {
        if (signal.aborted) return;
        await sleep(1);
      }
      await sleep(random.below(12));
      // A cancel that comes between two queries does nothing.
      while (isUp && stage.measures.isUp && stage.measures.connections === connections) {
        await client.query(query);
      }
    }
  }

  test.skipIf(!isThere)(
    'commits whose answer is lost are neither lost nor repeated',
    async () => {
      const cuts = { before: 0, answered: 0, no: 0 };
      const proxy = await CuttingProxy.start(stage.server.port, () => {
        const choice = (['before', 'answered', 'no', 'no', 'no', 'no'] as const)[random.below(6)];
        cuts[choice] += 1;
        return choice;
      });
      const { connectionString = '' } = stage.connection();
      const url = connectionString.replace(`:${stage.server.port}/`, `:${proxy.port}/`);
      await stage.reportWithoutWaits({
        lastPosition: play.position,
        blocksAhead,
        connection: { connectionString: url },
      });
      await proxy.end();
      expect(Math.min(cuts.before, cuts.answered)).toBeGreaterThan(2);
      await expectAllOnce();
    },
    60_000,
  );

  test.skipIf(!isThere)(
    'a server that crashes and one that is restarted are waited for',
    async () => {
      const { lastPosition, reporting } = beginReport();
      await positionIs(lastPosition * 0.3);
      await stage.server.kill();
      await sleep(random.below(300));
      await stage.server.restart();
      await positionIs(lastPosition * 0.6);
      await stage.server.restart();
      await reporting;
      expect(stage.lines.filter(({ level }) => level === 'warn').length).toBeGreaterThanOrEqual(2);
      await expectAllOnce();
    },
    60_000,
  );

  test.skipIf(!isThere)(
    'a reporter that is stopped leaves all that the next one needs',
    async () => {
      const lastPosition = play.position;
      let stops = 0;
      while (stage.measures.position < lastPosition || stops === 0) {
        const stop = new AbortController();
        const reporting = stage.report({ lastPosition, blocksAhead, signal: stop.signal });
        await Promise.race([reporting, sleep(100 + random.below(400))]);
        stop.abort();
        await reporting;
        stops += 1;
      }
      expect(stops).toBeGreaterThan(1);
      await expectAllOnce();
    },
    60_000,
  );

  test.skipIf(!isThere)(
    'a schema that is dropped is filled again from the beginning',
    async () => {
      const { lastPosition, reporting } = beginReport();
      await positionIs(lastPosition / 2);
      const client = await stage.connect();
      await client.query('drop schema kassa cascade');
      await reporting;
      await expectAllOnce();
    },
    60_000,
  );

  test.skipIf(!isThere)(
    'of two reporters one writes, and the other when the first ends',
    async () => {
      const lastPosition = play.position;
      const stop = new AbortController();
      const first = stage.report({ lastPosition, blocksAhead, signal: stop.signal });
      await positionIs(1);
      const second = beginReport();
      await sleep(300);
      const texts = stage.lines.map(({ fields }) => String(fields.reason));
      expect(texts.join()).toContain('another reporter writes to the database kassa');
      stop.abort();
      await first;
      await second.reporting;
      await expectAllOnce();
    },
    60_000,
  );

  function beginReport(): { readonly lastPosition: number; readonly reporting: Promise<void> } {
    const lastPosition = play.position;
    return { lastPosition, reporting: stage.report({ lastPosition, blocksAhead }) };
  }

  async function positionIs(position: number): Promise<void> {
    while (stage.measures.position < position) await sleep(2);
  }
});

// What the reporter writes is what was played: random play of every kind on the engine and on the
// model, reported in many small snapshots, compared with the model at each stop and at the end.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasDebianPostgres } from '../../support/postgres-server.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { expectGgr, expectJournal, expectTurnover } from './journal-checks.ts';
import { playCommands } from './play-commands.ts';
import { expectHistory, expectNewest } from './report-checks.ts';
import { ReportStage } from './report-stage.ts';
import { ReportedPlay } from './reported-play.ts';

/** The older server is there for what it might do otherwise, not for more chance. */
const COMMANDS = { embedded: 800, debian: 250 };
const STOPS = 8;

describe.each(['embedded', 'debian'] as const)(
  'reports of random play in the %s server',
  (kind) => {
    const isThere = kind === 'embedded' || hasDebianPostgres();
    let stage: ReportStage;
    let play: ReportedPlay;
    let random: SeededRandom;

    beforeAll(async () => {
      if (!isThere) return;
      random = new SeededRandom(`reports of random play in the ${kind} server`);
      play = new ReportedPlay(random);
      play.play(playCommands(random, COMMANDS[kind]));
      stage = await ReportStage.start(kind);
      play.writeLog(stage.folder);
    }, 60_000);

    afterAll(() => stage?.end());

    test.skipIf(!isThere)(
      'agree with the model and the engine at every stop',
      async () => {
        const lastPosition = play.position;
        const client = await stage.connect();
        const stops = Array.from({ length: STOPS }, () => 1 + random.below(lastPosition));
        for (const untilPosition of [...stops, lastPosition].sort((one, other) => one - other)) {
          // Small snapshots and ones of a whole minute.
          const blocksAhead = (): number => 1 + random.below(random.below(3) === 0 ? 40 : 4);
          await stage.report({ lastPosition, untilPosition, blocksAhead });
          await expectNewest(client, play, untilPosition);
        }
        expect(stage.lines.filter(({ level }) => level !== 'info')).toEqual([]);
      },
      60_000,
    );

    test.skipIf(!isThere)(
      'agree with the model as of snapshots and are balanced at each',
      async () => {
        const client = await stage.connect();
        const kept = await expectHistory(client, play, { random, snapshotCount: 100 });
        expect(kept).toBeGreaterThan(COMMANDS[kind] / 50);
      },
      60_000,
    );

    test.skipIf(!isThere)(
      'have one row in the journal for each record, with game and round',
      async () => {
        await expectJournal(await stage.connect(), play);
      },
    );

    test.skipIf(!isThere)('have the turnover and revenue that were played', async () => {
      const client = await stage.connect();
      await expectTurnover(client, play);
      await expectGgr(client, play);
    });

    test.skipIf(!isThere)('have no rejected row', async () => {
      const client = await stage.connect();
      expect((await client.query('select * from kassa.rejected_rows')).rows).toEqual([]);
    });
  },
);

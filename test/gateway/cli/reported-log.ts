// Data folders with a real log for tests of the reports: what the engine's shard decided, written
// by the real log writer, each block at the time of its last record. Used by tests only.
import type pg from 'pg';
import { RecordColumns } from '../../../core/records/record-columns.ts';
import { RecordReader } from '../../../core/records/record-reader.ts';
import { TransactionColumns } from '../../../core/transaction-columns.ts';
import { reportToEnd } from '../../../persist/reporting/report-to-end.ts';
import type { Draft } from '../../model/model-stage.ts';
import { makeTemporaryFolder, TestLog } from '../../persist/test-log.ts';
import { EngineStage, type StoredBlock } from '../../support/engine-stage.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';

const SEGMENT_BYTES_MAX = 400_000;
const PLAYERS = 200;
const MESSAGE_TRANSACTIONS = 120;
const MESSAGES = 40;

/** A folder, and how to add further blocks to its log. */
export interface ReportedLog {
  readonly folder: string;
  readonly recordCount: number;
  append(blocks: readonly StoredBlock[]): void;
}

/**
 * Plays every kind at random; between two messages passes up to `stepMsMax`. Over some hours as it
 * is, so that midnight lies within it.
 */
export function makePlayedLog(random: SeededRandom, stepMsMax = 900_000): ReportedLog {
  const stage = new EngineStage({
    ...{ roundAgeMs: 900_000, unknownBetRollback: 'noop', spentWinRollback: 'negative' },
  });
  stage.closeBlock();
  stage.nowMs = Date.parse('2026-01-31T20:00:00Z');
  stage.send({ kind: 'setOperator', operator: 'two', definition: { currencies: { JPY: 0 } } });
  for (let player = 0; player < PLAYERS; player += 1) {
    stage.sendAll([{ kind: 'open', player: `player-${player}` }]);
  }
  stage.send({ kind: 'open', player: 'player-1', operator: 'two', currency: 'JPY' });
  for (let message = 0; message < MESSAGES; message += 1) {
    stage.sendAll(Array.from({ length: MESSAGE_TRANSACTIONS }, () => draftOf(random)));
    stage.batch(...Array.from({ length: 4 }, () => ({ ...playOf(random), player: 'player-1' })));
    // A block's records lie close to each other in time.
    if (stepMsMax > 3_600_000 || random.below(3) > 0) stage.closeBlock();
    stage.nowMs += random.below(stepMsMax);
    stage.advance();
  }
  playRareKinds(stage);
  stage.closeBlock();
  return makeLog(stage.blocks);
}

/** What random play may leave out: each once, whatever the seed. */
function playRareKinds(stage: EngineStage): void {
  stage.send({ kind: 'deposit', player: 'bob', amount: 100_000 });
  const holds = ['fixed-1', 'fixed-2'].map((transactionId) => ({
    ...{ kind: 'hold', player: 'bob', amount: 50, transactionId, expiresIn: 60_000 },
  }));
  const codes = stage.codes(
    ...holds,
    { kind: 'capture', player: 'bob', amount: 20, reference: 'fixed-1' },
    { kind: 'release', player: 'bob', amount: 20, reference: 'fixed-1' },
    { kind: 'grant', player: 'bob', amount: 90 },
    { kind: 'convert', player: 'bob', amount: 30 },
    { kind: 'forfeit', player: 'bob', amount: 30 },
    { kind: 'withdraw', player: 'bob', amount: 30 },
    { kind: 'rollback', player: 'bob', reference: 'fixed-bet' },
    { kind: 'bet', player: 'bob', amount: 30, transactionId: 'fixed-bet' },
    { kind: 'bet', player: 'bob', amount: 30, round: 'fixed-round' },
  );
  if (codes.some((code) => code !== 0)) throw new Error(`The fixed play was refused: ${codes}`);
  stage.nowMs += 3_600_000;
  stage.advance();
}

/** Writes blocks of one shard as the log of a new folder. */
export function makeLog(blocks: readonly StoredBlock[]): ReportedLog {
  const folder = makeTemporaryFolder();
  const append = (added: readonly StoredBlock[]): void => {
    const log = new TestLog({ folder, segmentBytesMax: SEGMENT_BYTES_MAX });
    for (const block of added) {
      log.handOverRecords(block, lastTimeMsOf(block));
      log.commit();
    }
    log.close();
  };
  append(blocks);
  return { folder, recordCount: blocks.reduce((sum, each) => sum + each.recordCount, 0), append };
}

/** Reports the log as it is to its end, with the journal. */
export async function reportLog(folder: string, connection: pg.ClientConfig): Promise<void> {
  await reportToEnd({
    ...{ dataFolder: folder, connection, journal: true },
    ...{ snapshotIntervalMs: 1, segmentBytesMax: SEGMENT_BYTES_MAX },
  });
}

function lastTimeMsOf({ content, recordCount }: StoredBlock): number {
  const reader = new RecordReader();
  const columns = new TransactionColumns(1);
  const records = new RecordColumns(1);
  reader.begin(content);
  for (let place = 0; place < recordCount; place += 1) reader.read(columns, records, 0);
  return reader.lastTimeMs;
}

/** Bets, wins and rollbacks; ids repeat, so that rollbacks and references find something. */
function playOf(random: SeededRandom): Draft {
  const player = `player-${random.below(PLAYERS)}`;
  const amount = random.below(500);
  const round = `round-${random.below(60)}`;
  const transactionId = `${player}-${random.below(60)}`;
  const reference = `${player}-${random.below(60)}`;
  switch (random.below(8)) {
    case 0:
      return { kind: 'rollback', player, reference, of: random.below(2) === 0 ? 'bet' : 'win' };
    case 1:
      return { kind: 'win', player, amount, reference, roundEnd: random.below(3) === 0 };
    case 2:
      return { kind: 'win', player, amount, round, transactionId, stakeless: true };
    case 3:
      return { kind: 'bet', player, amount, transactionId };
    default:
      return { kind: 'bet', player, amount, round, transactionId, game: `game-${amount % 5}` };
  }
}

function draftOf(random: SeededRandom): Draft {
  const player = `player-${random.below(PLAYERS)}`;
  const amount = 1 + random.below(500);
  // Few hold, and have money, so that what is captured and released is found.
  const holder = `player-${random.below(5)}`;
  const transactionId = `hold-${random.below(100)}`;
  const reference = `hold-${random.below(100)}`;
  const to = `player-${random.below(PLAYERS)}`;
  switch (random.below(24)) {
    case 0:
      return { kind: 'deposit', player: 'player-1', operator: 'two', currency: 'JPY', amount };
    case 1:
    case 2:
      return { kind: 'deposit', player: amount % 2 === 0 ? player : holder, amount: amount * 100 };
    case 3:
    case 4:
      return { kind: 'grant', player, amount };
    case 5:
      return { kind: 'withdraw', player, amount };
    case 6:
    case 7:
      return {
        kind: 'hold',
        player,
        amount,
        transactionId,
        expiresIn: 1 + random.below(3_600_000),
      };
    case 8:
    case 9:
      return { kind: 'capture', player: holder, amount: 1 + (amount % 20), reference };
    case 10:
      return { kind: 'release', player: holder, amount: 1 + (amount % 20), reference };
    case 11:
      return { kind: 'transfer', player, amount, to };
    case 12:
      return { kind: random.below(2) === 0 ? 'convert' : 'forfeit', player, amount };
    case 13: {
      const bucket = random.below(2) === 0 ? 'cash' : 'bonus';
      const signed = random.below(2) === 0 ? -amount : amount;
      return { kind: 'adjust', player, amount: signed, bucket, reason: 'ticket' };
    }
    case 14: {
      const status = random.below(3) === 0 ? 'frozen' : 'active';
      return { kind: 'setStatus', player, status };
    }
    default:
      return playOf(random);
  }
}

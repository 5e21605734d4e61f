// A log with real records for the tests of replay: random play of many kinds on a real shard, cut
// into blocks of very different sizes, written by the real log writer between blocks of another
// shard. Used by tests only.
import type { Draft } from '../model/model-stage.ts';
import type { ModelTransaction } from '../model/model-transaction.ts';
import { EngineStage, type StoredBlock } from '../support/engine-stage.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { TestLog } from './test-log.ts';

const PLAYERS = 300;
const FIRST_MS = 1_700_000_000_000;

/** What was played: the live shard, its blocks, and everything that was sent. */
export interface Play {
  readonly stage: EngineStage;
  readonly blocks: readonly StoredBlock[];
  readonly sent: readonly ModelTransaction[];
}

/** Plays; blocks of one record, of some, and of more than a batch of the replay has rows. */
export function play(random: SeededRandom): Play {
  const stage = new EngineStage({ roundAgeMs: 5_000 });
  const sent: ModelTransaction[] = [];
  const send = (drafts: readonly Draft[]): void => {
    const transactions = drafts.map((draft) => stage.fill(draft));
    sent.push(...transactions);
    stage.decide(transactions);
  };
  for (const count of [1, 2, 700, 1, 2_600, 40, 3, 1_024, 1, 1, 900, 300, 60]) {
    const drafts = Array.from({ length: count }, () => draftOf(random));
    if (count === 1) send(drafts);
    else for (let at = 0; at < count; at += 250) send(drafts.slice(at, at + 250));
    if (count === 40) send([{ kind: 'setOperator', definition: { currencies: DEFINITION } }]);
    stage.nowMs += random.below(4_000);
    stage.advance();
    stage.closeBlock();
  }
  return { stage, blocks: stage.blocks, sent };
}

const DEFINITION = { EUR: 2, USD: 2, JPY: 0 };

/** Writes blocks as shard 0's, with a block of shard 1 behind every third. */
export function writeLog(folder: string, blocks: readonly StoredBlock[]): void {
  const log = new TestLog({ folder, segmentBytesMax: 400_000, lanes: 2 });
  for (const [place, block] of blocks.entries()) {
    const timeMs = FIRST_MS + 10_000_000;
    log.handOverRecords(block, timeMs);
    if (place % 3 === 2) log.handOver({ bytes: 100, records: 4, lane: 1, timeMs });
    log.commit();
  }
  log.close();
}

/** Short and long ids, so that some lie beside the account's row. */
function playerOf(random: SeededRandom): string {
  const number = random.below(PLAYERS);
  return `player-${number}${number % 7 === 0 ? '-with-a-name-of-more-than-24-bytes' : ''}`;
}

function draftOf(random: SeededRandom): Draft {
  const player = playerOf(random);
  const amount = 1 + random.below(500);
  const round = `round-${random.below(400)}`;
  const roundEnd = random.below(4) === 0;
  const transactionId = `${player}-${random.below(100_000)}`;
  switch (random.below(12)) {
    case 0:
    case 1:
      return { kind: 'open', player };
    case 2:
    case 3:
      return { kind: 'deposit', player, amount: amount * 50 };
    case 4:
      return { kind: 'grant', player, amount };
    case 5:
      return { kind: 'hold', player, amount, transactionId, expiresIn: 1 + random.below(9_000) };
    case 6:
      return { kind: 'transfer', player, amount, to: playerOf(random) };
    case 7:
      return { kind: 'rollback', player, reference: `${player}-${random.below(100_000)}` };
    case 8:
      return { kind: 'win', player, round, amount, metadata: 'm'.repeat(random.below(200)) };
    default:
      return { kind: 'bet', player, round, amount, game: 'game', transactionId, roundEnd };
  }
}

// Where a snapshot ends must not show in the reports: the same log is reported in one snapshot, in
// one for each block, and in two. Each case is one in which a record stands for another one before
// it.
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Draft } from '../../model/model-stage.ts';
import type { OperatorDefinition } from '../../model/model-transaction.ts';
import { makeTemporaryFolder, removeFolder } from '../test-log.ts';
import { HandLog } from './hand-log.ts';
import { ReportStage } from './report-stage.ts';

/** Blocks of the first snapshot, with two before the story, and of the others. */
const CUTS = [
  [1, 1],
  [100, 100],
  [3, 100],
] as const;

/** A story told in blocks, and the rounds that are open at its end. */
interface Story {
  readonly policies?: OperatorDefinition;
  readonly blocks: readonly Draft[][];
  readonly codes: readonly number[];
  /** [transaction id, game, round] of play and of closings by age, which have no id. */
  readonly rows: readonly (readonly [string | null, string | null, string | null])[];
  readonly openRounds: readonly string[];
}

const bet = (transactionId: string, fields: Partial<Draft> = {}): Draft => {
  return { kind: 'bet', amount: 1, transactionId, ...fields };
};
const win = (transactionId: string, fields: Partial<Draft> = {}): Draft => {
  return { kind: 'win', amount: 1, transactionId, ...fields };
};
const takeBack = (transactionId: string, reference: string, of: 'bet' | 'win' = 'bet'): Draft => {
  return { kind: 'rollback', transactionId, reference, of };
};

const STORIES: Readonly<Record<string, Story>> = {
  'a win that joins a round which ends behind it leaves the round ended': {
    blocks: [
      [bet('b', { round: 'r', game: 'dice' })],
      [win('w', { reference: 'b' })],
      [win('x', { round: 'r', roundEnd: true })],
    ],
    codes: [0, 0, 0],
    rows: [
      ['b', 'dice', 'r'],
      ['w', 'dice', 'r'],
      ['x', 'dice', 'r'],
    ],
    openRounds: [],
  },
  'a win by reference that ends its round ends it, named or nameless': {
    blocks: [
      [bet('b', { round: 'r' }), bet('n', { game: 'dice' }), bet('o')],
      [win('w', { reference: 'b', roundEnd: true }), win('x', { reference: 'n', roundEnd: true })],
    ],
    codes: [0, 0, 0, 0, 0],
    rows: [
      ['b', null, 'r'],
      ['n', 'dice', null],
      ['o', null, null],
      ['w', null, 'r'],
      ['x', 'dice', null],
    ],
    openRounds: ['bo'],
  },
  'a win opens its round where it stands, though its game is looked for later': {
    policies: { winNeedsBet: false },
    blocks: [
      [win('w', { round: 'r' })],
      [bet('b', { round: 'r', game: 'dice' })],
      [win('x', { round: 'r', roundEnd: true })],
    ],
    codes: [0, 0, 0],
    rows: [
      ['w', null, 'r'],
      ['b', 'dice', 'r'],
      ['x', 'dice', 'r'],
    ],
    openRounds: [],
  },
  'a win without a bet is in a nameless round of its own, not in that of a refused bet': {
    blocks: [
      [bet('b', { round: 'r', game: 'dice', amount: 9_999 })],
      [win('w', { reference: 'b', stakeless: true })],
    ],
    codes: [10, 0],
    rows: [
      ['b', 'dice', 'r'],
      ['w', 'dice', null],
    ],
    openRounds: ['ww'],
  },
  'a bet that was rolled back before it came opens no round that has ended': {
    policies: { unknownBetRollback: 'noop' },
    blocks: [
      [takeBack('t', 'late'), takeBack('u', 'first')],
      [bet('b', { round: 'r', roundEnd: true })],
      [bet('late', { round: 'r' }), bet('first', { round: 's' })],
    ],
    codes: [0, 0, 0, 0, 0],
    rows: [
      ['t', null, null],
      ['u', null, null],
      ['b', null, 'r'],
      ['late', null, 'r'],
      ['first', null, 's'],
    ],
    openRounds: ['rs'],
  },
  'a bet shortly before its round is closed by age leaves it closed': {
    policies: { roundAgeMs: 2_500 },
    blocks: [
      [bet('b', { round: 'r', game: 'dice' })],
      [bet('c', { round: 'r' })],
      [],
      [bet('d', { round: 'r' }), win('w', { round: 'r' }), win('x', { reference: 'c' })],
    ],
    codes: [0, 0, 15, 0, 0],
    rows: [
      ['b', 'dice', 'r'],
      ['c', null, 'r'],
      [null, 'dice', 'r'],
      ['d', null, 'r'],
      ['w', 'dice', 'r'],
      ['x', null, 'r'],
    ],
    openRounds: [],
  },
  'a closing by age has its names, though a late win ends the round behind it': {
    policies: { roundAgeMs: 1_500 },
    blocks: [
      [bet('b', { round: 'r', game: 'dice' }), bet('n')],
      [],
      [win('w', { round: 'r', roundEnd: true }), win('x', { reference: 'n', roundEnd: true })],
    ],
    codes: [0, 0, 0, 0],
    rows: [
      ['b', 'dice', 'r'],
      ['n', null, null],
      [null, 'dice', 'r'],
      [null, null, null],
      ['w', 'dice', 'r'],
      ['x', null, null],
    ],
    openRounds: [],
  },
  'a win counts in the game of the last accepted bet before it, not of a refused or later one': {
    blocks: [
      [bet('a', { round: 'r', game: 'dice' })],
      [bet('b', { round: 'r', game: 'wheel', amount: 9_999 })],
      [win('w', { round: 'r' })],
      [bet('c', { round: 'r', game: 'book' })],
      [win('x', { round: 'r' })],
    ],
    codes: [0, 10, 0, 0, 0],
    rows: [
      ['a', 'dice', 'r'],
      ['b', 'wheel', 'r'],
      ['w', 'dice', 'r'],
      ['c', 'book', 'r'],
      ['x', 'book', 'r'],
    ],
    openRounds: ['rr'],
  },
  'a rollback counts where what it takes back does, through a win that named nothing': {
    blocks: [
      [bet('b', { round: 'r', game: 'dice' })],
      [win('w', { reference: 'b' })],
      [takeBack('t', 'w', 'win')],
      [takeBack('u', 'b')],
    ],
    codes: [0, 0, 0, 0],
    rows: [
      ['b', 'dice', 'r'],
      ['w', 'dice', 'r'],
      ['t', 'dice', 'r'],
      ['u', 'dice', 'r'],
    ],
    openRounds: ['rr'],
  },
};

describe('reported in one snapshot, in many and in two', () => {
  let stage: ReportStage;
  let client: Client;

  beforeAll(async () => {
    stage = await ReportStage.start('embedded');
    client = await stage.connect();
  }, 60_000);

  afterAll(() => stage.end());

  test.each(Object.entries(STORIES))('%s', async (_, story) => {
    for (const [first, others] of CUTS) {
      const folder = makeTemporaryFolder();
      const log = new HandLog(folder, story.policies);
      log.send({ kind: 'deposit', amount: 500 });
      const codes = story.blocks.flatMap((drafts) => log.send(...drafts));
      expect(codes).toEqual(story.codes);
      await stage.dropReports();
      const lastPosition = log.position;
      let blockCount = first;
      const blocksAhead = (): number => {
        const count = blockCount;
        blockCount = others;
        return count;
      };
      await stage.report({ dataFolder: folder, lastPosition, blocksAhead });
      await expectStory(story);
      removeFolder(folder);
    }
  });

  async function expectStory(story: Story): Promise<void> {
    const rows = await client.query<unknown[]>({
      text: `
        select transaction_id, games.name, round
        from kassa.transactions left join kassa.games using (game_id)
        where kind in (3, 4, 5, 32) order by sequence`,
      rowMode: 'array',
    });
    expect(rows.rows).toEqual(story.rows);
    const open = await client.query<{ round_key: string }>(
      'select round_key from kassa.unfinished_rounds order by opened_sequence',
    );
    expect(open.rows.map(({ round_key }) => round_key)).toEqual(story.openRounds);
  }
});

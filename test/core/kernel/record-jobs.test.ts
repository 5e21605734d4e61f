// What the kernel takes for a usual record, the general reader reads alike: on real blocks, on
// damaged ones and on cut ones.
import { expect, test } from 'vitest';
import { JobField, JobPart, JobText } from '../../../core/kernel/job-layout.ts';
import { jobAt, kernelBytes, kernelDoubles, kernelWords } from '../../../core/kernel/kernel.ts';
import { RecordJobs } from '../../../core/kernel/record-jobs.ts';
import { Kind } from '../../../core/kinds.ts';
import { PASS_TRANSACTIONS_MAX } from '../../../core/limits.ts';
import { RecordColumns } from '../../../core/records/record-columns.ts';
import { RecordReader, sourceOfContent } from '../../../core/records/record-reader.ts';
import { OutcomeTrait } from '../../../core/tables/outcome-rows.ts';
import { type TextColumn, TransactionColumns } from '../../../core/transaction-columns.ts';
import { play } from '../../persist/played-log.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { bet, move } from '../rules/drafts.ts';

const columns = new TransactionColumns(1);
const records = new RecordColumns(1);
const jobs = new RecordJobs();

function textOfJob(job: number, text: number): string {
  const at = kernelWords[(job + text + JobText.at) / 4];
  const byteCount = kernelWords[(job + text + JobText.byteCount) / 4];
  return Buffer.from(kernelBytes.subarray(at, at + byteCount)).toString('latin1');
}

function ownerOfJob(job: number): number {
  const operator = kernelWords[(job + JobField.player) / 4];
  return operator * 256 + kernelWords[(job + JobField.currency) / 4];
}

function textOfColumn(content: Uint8Array, { at, byteCount }: TextColumn): string {
  return Buffer.from(content.subarray(at[0], at[0] + byteCount[0])).toString('latin1');
}

/** What is in a job, by names; texts that its kind doesn't have are left out. */
function jobFacts(place: number): Record<string, unknown> {
  const job = jobAt(place);
  const kind = kernelWords[(job + JobField.recordHead) / 4];
  const has = (part: number): boolean => (kernelWords[(job + JobField.parts) / 4] & part) !== 0;
  return {
    kind,
    fields: kernelWords[(job + JobField.bodyFields) / 4],
    accountRow: kernelWords[(job + JobField.account) / 4] - 1,
    timeMs: kernelDoubles[(job + JobField.timeMs) / 8],
    amountMinor: kernelDoubles[(job + JobField.amountMinor) / 8],
    cashMinor: kernelDoubles[(job + JobField.cashMinor) / 8],
    provider: kernelWords[(job + JobField.transactionId) / 4] >>> 8,
    transactionId: textOfJob(job, JobField.transactionId),
    round: has(JobPart.round) ? textOfJob(job, JobField.round) : '',
    reference: has(JobPart.reference) ? textOfJob(job, JobField.reference) : '',
    game: has(JobPart.game) ? textOfJob(job, JobField.game) : '',
    player: kind === Kind.open ? textOfJob(job, JobField.player) : '',
    owner: kind === Kind.open ? ownerOfJob(job) : 0,
  };
}

/** The same of the record that the general reader read last. */
function readerFacts(content: Uint8Array): Record<string, unknown> {
  const isOpen = columns.kind[0] === Kind.open;
  return {
    kind: columns.kind[0],
    fields: columns.fields[0],
    accountRow: records.accountRow[0],
    timeMs: records.timeMs[0],
    amountMinor: columns.amountMinor[0],
    cashMinor: records.cashMinor[0],
    provider: columns.provider[0],
    transactionId: textOfColumn(content, columns.transactionId),
    round: textOfColumn(content, columns.round),
    reference: textOfColumn(content, columns.reference),
    game: textOfColumn(content, columns.game),
    player: isOpen ? textOfColumn(content, columns.player) : '',
    owner: isOpen ? records.owner[0] : 0,
  };
}

/** Whether a record moved nothing but its amount of cash, or opened an account. */
function isUsual(): boolean {
  const kind = columns.kind[0];
  const moved = kind === Kind.bet ? -columns.amountMinor[0] : columns.amountMinor[0];
  const isPlay = kind === Kind.bet || kind === Kind.win || kind === Kind.deposit;
  const isMade = (records.traits[0] & OutcomeTrait.made) !== 0;
  return (
    records.code[0] === 0 &&
    (isPlay ? !isMade && records.cashMovedMinor[0] === moved : kind === Kind.open && isMade) &&
    records.bonusMovedMinor[0] === 0 &&
    records.bonusMinor[0] === 0 &&
    records.heldMinor[0] === 0
  );
}

/** What the kernel took of contents that followed each other. */
interface Taken {
  plays: number;
  openings: number;
  /** Accounts opened so far, by either reader. */
  openedCount: number;
}

/**
 * Reads a content with both readers, the kernel first, record by record where it stops, and adds up
 * what the kernel took. What the general reader refuses ends it.
 */
function compare(content: Uint8Array, accountCount: number, taken: Taken): void {
  const reader = new RecordReader();
  columns.sources[0] = sourceOfContent(content);
  reader.begin(content);
  jobs.begin(content);
  const noteOpening = (): void => {
    const isMade = (records.traits[0] & OutcomeTrait.made) !== 0;
    if (isMade) taken.openedCount = records.accountRow[0] + 1;
  };
  while (!reader.isAtEnd) {
    const { at, lastTimeMs } = reader;
    const { openedCount } = taken;
    const count = jobs.read(at, lastTimeMs, 0, PASS_TRANSACTIONS_MAX, accountCount, openedCount);
    const end = { at: jobs.at, timeMs: jobs.timeMs };
    for (let place = 0; place < count; place += 1) {
      reader.read(columns, records, 0);
      expect(jobFacts(place)).toEqual(readerFacts(content));
      expect(isUsual()).toBe(true);
      noteOpening();
      if (columns.kind[0] === Kind.open) taken.openings += 1;
      else taken.plays += 1;
    }
    expect({ at: reader.at, timeMs: reader.lastTimeMs }).toEqual(end);
    if (reader.isAtEnd || count === PASS_TRANSACTIONS_MAX) continue;
    try {
      reader.read(columns, records, 0);
      noteOpening();
    } catch {
      break;
    }
  }
}

test('real blocks: the kernel takes usual records, as the general reader reads them', () => {
  const { blocks, stage } = play(new SeededRandom('record jobs'));
  const taken: Taken = { plays: 0, openings: 0, openedCount: 0 };
  for (const { content } of blocks) compare(content, stage.shard.accounts.rowCount, taken);
  expect(taken.plays).toBeGreaterThan(500);
  expect(taken.openings).toBeGreaterThan(1);
  expect(taken.openedCount).toBe(stage.shard.accounts.rowCount);
});

test('damaged and cut blocks: it takes nothing that the general reader does not read alike', () => {
  const random = new SeededRandom('record jobs');
  const { blocks, stage } = play(random);
  const largest = blocks.reduce((one, other) =>
    other.content.length > one.content.length ? other : one,
  );
  const whole = largest.content.slice(0, 20_000);
  for (let run = 0; run < 300; run += 1) {
    const content = whole.slice(0, random.below(3) === 0 ? random.below(whole.length) : undefined);
    for (let damage = random.below(20); damage > 0; damage -= 1) {
      content[random.below(content.length)] = random.below(256);
    }
    const taken: Taken = { plays: 0, openings: 0, openedCount: 0 };
    if (content.length > 0) compare(content, stage.shard.accounts.rowCount, taken);
  }
});

test('an account that is not known yet ends the run, and so does an opening of another row', () => {
  const stage = new EngineStage();
  stage.closeBlock();
  stage.sendAll([move('deposit', 100), bet('b')]);
  stage.closeBlock();
  const [opening, plays] = stage.blocks;
  const countOf = (content: Uint8Array, at: number, accounts: number, opened: number): number => {
    jobs.begin(content);
    return jobs.read(at, 0, 0, PASS_TRANSACTIONS_MAX, accounts, opened);
  };
  expect(countOf(plays.content, 0, 1, 3)).toBe(2);
  expect(countOf(plays.content, 0, 0, 3)).toBe(0);
  const at = placeOfFirst(Kind.open, opening.content);
  expect(countOf(opening.content, at, 0, 0)).toBe(3);
  expect(countOf(opening.content, at, 0, 1)).toBe(0);
});

/** Where the first record of a kind begins. */
function placeOfFirst(kind: number, content: Uint8Array): number {
  const reader = new RecordReader();
  columns.sources[0] = sourceOfContent(content);
  reader.begin(content);
  for (;;) {
    const { at } = reader;
    reader.read(columns, records, 0);
    if (columns.kind[0] === kind) return at;
  }
}

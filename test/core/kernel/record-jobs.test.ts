// What the kernel takes for a usual record, the general reader reads alike: on real blocks, on
// damaged ones and on cut ones.
import { expect, test } from 'vitest';
import { JobField, JobText } from '../../../core/kernel/job-layout.ts';
import { jobAt, kernelBytes, kernelDoubles, kernelWords } from '../../../core/kernel/kernel.ts';
import { RecordJobs } from '../../../core/kernel/record-jobs.ts';
import { Kind } from '../../../core/kinds.ts';
import { PASS_TRANSACTIONS_MAX } from '../../../core/limits.ts';
import { RecordColumns } from '../../../core/records/record-columns.ts';
import { RecordReader, sourceOfContent } from '../../../core/records/record-reader.ts';
import { OutcomeTrait } from '../../../core/tables/outcome-rows.ts';
import { type TextColumn, TransactionColumns } from '../../../core/transaction-columns.ts';
import { play } from '../../persist/played-log.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const columns = new TransactionColumns(1);
const records = new RecordColumns(1);
const jobs = new RecordJobs();

function textOfJob(job: number, text: number): string {
  const at = kernelWords[(job + text + JobText.at) / 4];
  const byteCount = kernelWords[(job + text + JobText.byteCount) / 4];
  return Buffer.from(kernelBytes.subarray(at, at + byteCount)).toString('latin1');
}

function textOfColumn(content: Uint8Array, { at, byteCount }: TextColumn): string {
  return Buffer.from(content.subarray(at[0], at[0] + byteCount[0])).toString('latin1');
}

/** What is in a job, by names; texts that its kind doesn't have are left out. */
function jobFacts(place: number): Record<string, unknown> {
  const job = jobAt(place);
  const kind = kernelWords[(job + JobField.recordHead) / 4];
  const has = (field: number): boolean => (kernelWords[(job + JobField.parts) / 4] & field) !== 0;
  return {
    kind,
    fields: kernelWords[(job + JobField.bodyFields) / 4],
    accountRow: kernelWords[(job + JobField.account) / 4] - 1,
    timeMs: kernelDoubles[(job + JobField.timeMs) / 8],
    amountMinor: kernelDoubles[(job + JobField.amountMinor) / 8],
    cashMinor: kernelDoubles[(job + JobField.cashMinor) / 8],
    provider: kernelWords[(job + JobField.transactionId) / 4] >>> 8,
    transactionId: textOfJob(job, JobField.transactionId),
    round: has(8) ? textOfJob(job, JobField.round) : '',
    reference: has(16) ? textOfJob(job, JobField.reference) : '',
    game: has(32) ? textOfJob(job, JobField.game) : '',
    player: kind === Kind.open ? textOfJob(job, JobField.player) : '',
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

/**
 * Reads a content with both readers, the kernel first, record by record where it stops; returns how
 * many records the kernel took. What the general reader refuses ends it.
 */
function compare(content: Uint8Array, accountCount: number): number {
  const reader = new RecordReader();
  columns.sources[0] = sourceOfContent(content);
  reader.begin(content);
  jobs.begin(content);
  let taken = 0;
  while (!reader.isAtEnd) {
    const count = jobs.read(
      reader.at,
      reader.lastTimeMs,
      0,
      PASS_TRANSACTIONS_MAX,
      accountCount,
      0,
    );
    const end = { at: jobs.at, timeMs: jobs.timeMs };
    for (let place = 0; place < count; place += 1) {
      reader.read(columns, records, 0);
      expect(jobFacts(place)).toEqual(readerFacts(content));
      expect(isUsual()).toBe(true);
    }
    expect({ at: reader.at, timeMs: reader.lastTimeMs }).toEqual(end);
    taken += count;
    if (reader.isAtEnd || count === PASS_TRANSACTIONS_MAX) continue;
    try {
      reader.read(columns, records, 0);
    } catch {
      break;
    }
  }
  return taken;
}

test('real blocks: the kernel takes usual records, as the general reader reads them', () => {
  const { blocks, stage } = play(new SeededRandom('record jobs'));
  let taken = 0;
  for (const { content } of blocks) taken += compare(content, stage.shard.accounts.rowCount);
  expect(taken).toBeGreaterThan(500);
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
    if (content.length > 0) compare(content, stage.shard.accounts.rowCount);
  }
});

test('an account that is not known yet ends the run, an opening must be of the next row', () => {
  const { blocks } = play(new SeededRandom('record jobs'));
  jobs.begin(blocks[0].content);
  const known = blocks.map(({ content }) => {
    jobs.begin(content);
    return jobs.read(0, 0, 0, PASS_TRANSACTIONS_MAX, 0, 1_000_000);
  });
  expect(known.every((count) => count === 0)).toBe(true);
});

// Writes the records of decided rows of a pass: usual ones many at a time by the kernel, which has
// their ids already, all others one by one, in the order of the rows. Its content lasts from
// `begin` to `flush`. Shard's thread only.
import type { BlockContent } from '../block-content.ts';
import { JobField } from '../kernel/job-layout.ts';
import { kernelDoubles, kernelWords, writeJobRecords } from '../kernel/kernel.ts';
import { USUAL_CONTENTS } from '../kernel/record-code.ts';
import type { TransactionColumns } from '../transaction-columns.ts';
import type { Decision } from './decision.ts';
import { contentsOf, writeRecord } from './record-writer.ts';

const HEAD = JobField.recordHead >>> 2;
const CONTENTS = JobField.contents >>> 2;
const ACCOUNT = JobField.account >>> 2;
const PROVIDER = JobField.provider >>> 2;
const ELAPSED_MS = JobField.elapsedMs >>> 3;
const AMOUNT_MINOR = JobField.recordAmountMinor >>> 3;
const CASH_MOVED_MINOR = JobField.cashMovedMinor >>> 3;
const CASH_MINOR = JobField.cashMinor >>> 3;

/** Where the jobs of a pass are; TransactionKeys has this shape. */
export interface RowJobs {
  /** The job of a row, as a number of kernelWords. */
  jobOf(row: number): number;
  /** The number of a row's job. */
  placeOf(row: number): number;
}

/** The records of one shard's passes. */
export class RecordBatch {
  readonly #jobs: RowJobs;
  /** First row whose job is not written or passed over. */
  #from = 0;
  #count = 0;
  #firstSequence = 0;
  #lastTimeMs = 0;

  constructor(jobs: RowJobs) {
    this.#jobs = jobs;
  }

  /** Begins with a row of a pass. */
  begin(block: BlockContent, row: number): void {
    this.#from = row;
    this.#count = 0;
    this.#lastTimeMs = block.lastTimeMs;
  }

  /** Passes over a row. */
  skip(row: number): void {
    kernelWords[this.#jobs.jobOf(row) + HEAD] = 0;
  }

  /** Adds the record of the next row. */
  add(block: BlockContent, decision: Decision, columns: TransactionColumns, row: number): void {
    const contents = contentsOf(decision, row);
    if ((contents & ~USUAL_CONTENTS) !== 0 || decision.accountRow < 0) {
      this.flush(block, row);
      writeRecord(block, decision, columns, row);
      this.begin(block, row + 1);
      return;
    }
    const job = this.#jobs.jobOf(row);
    const double = job >>> 1;
    kernelWords[job + HEAD] = decision.kind | (decision.code << 8);
    kernelWords[job + CONTENTS] = contents;
    kernelWords[job + ACCOUNT] = decision.accountRow + 1;
    kernelWords[job + PROVIDER] = decision.provider;
    kernelDoubles[double + ELAPSED_MS] = decision.timeMs - this.#lastTimeMs;
    kernelDoubles[double + AMOUNT_MINOR] = decision.amountMinor;
    kernelDoubles[double + CASH_MOVED_MINOR] = decision.cashMovedMinor;
    kernelDoubles[double + CASH_MINOR] = decision.cashMinor;
    if (this.#count === 0) this.#firstSequence = decision.sequence;
    this.#lastTimeMs = decision.timeMs;
    this.#count += 1;
  }

  /** Writes what was added of the rows before `until`. */
  flush(block: BlockContent, until: number): void {
    if (this.#count > 0) {
      const from = this.#jobs.placeOf(this.#from);
      const place = this.#jobs.placeOf(until);
      block.usedBytes += writeJobRecords(from, place, block.bytes, block.usedBytes);
      if (block.recordCount === 0) block.firstSequence = this.#firstSequence;
      block.recordCount += this.#count;
      block.lastTimeMs = this.#lastTimeMs;
    }
    this.begin(block, until);
  }
}

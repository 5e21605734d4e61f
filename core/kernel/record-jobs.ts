// Reads runs of usual records of a block into jobs, and makes the rows of their outcomes, by the
// kernel's functions. The content of one block at a time lies in the kernel's memory, so nothing
// else may use the kernel's reading functions before the block is done.
import { assert } from '../assert.ts';
import { BLOCK_CONTENT_BYTES_MAX } from '../limits.ts';
import { OUTCOME_WORDS } from '../tables/outcome-rows.ts';
import { JOB_BYTES } from './job-layout.ts';
import {
  CONTENT_AT,
  jobAt,
  kernelBytes,
  kernelDoubles,
  kernelWords,
  OUTCOMES_AT,
  READ_STATE_AT,
  readFunctions,
} from './kernel.ts';
import { READ_STATE_BYTES, ReadState } from './record-read-code.ts';

const TIME_DOUBLE = (READ_STATE_AT + ReadState.timeMs) / 8;
const AT_WORD = (READ_STATE_AT + ReadState.at) / 4;
const JOB_WORD = (READ_STATE_AT + ReadState.job) / 4;
const SEQUENCE_AT = READ_STATE_AT + READ_STATE_BYTES;

/** The records of one block; `begin` starts one. */
export class RecordJobs {
  #end = 0;

  /** Takes a block's content. */
  begin(content: Uint8Array): void {
    assert(content.byteLength <= BLOCK_CONTENT_BYTES_MAX, 'a block has a bound');
    kernelBytes.set(content, CONTENT_AT);
    this.#end = CONTENT_AT + content.byteLength;
  }

  /**
   * Fills jobs from number `place` to `placesEnd` − 1 at most, from the records at a place in the
   * block, of accounts with rows below `accountCount`; the next account to be opened has the row
   * `openedCount`. Returns how many were usual, one after the other; `at` and `timeMs` then tell of
   * the last of them.
   */
  read(
    at: number,
    timeMs: number,
    place: number,
    placesEnd: number,
    accountCount: number,
    openedCount: number,
  ): number {
    kernelDoubles[TIME_DOUBLE] = timeMs;
    const job = jobAt(place);
    readFunctions.read(
      CONTENT_AT + at,
      this.#end,
      job,
      jobAt(placesEnd),
      accountCount,
      openedCount,
      READ_STATE_AT,
    );
    return (kernelWords[JOB_WORD] - job) / JOB_BYTES;
  }

  /** The place behind the last usual record in its block. */
  get at(): number {
    return kernelWords[AT_WORD] - CONTENT_AT;
  }

  /** Its time. */
  get timeMs(): number {
    return kernelDoubles[TIME_DOUBLE];
  }

  /**
   * Makes the rows of the outcomes of the first `count` jobs, whose hashes are those of `row` and
   * the rows after it, and copies them; the rows of other jobs are void.
   */
  copyOutcomes(count: number, row: number, sequence: number, target: Int32Array, at: number): void {
    kernelDoubles[SEQUENCE_AT / 8] = sequence;
    readFunctions.outcomes(jobAt(0), jobAt(count), row, OUTCOMES_AT, SEQUENCE_AT);
    const from = OUTCOMES_AT / 4;
    target.set(kernelWords.subarray(from, from + count * OUTCOME_WORDS), at);
  }
}

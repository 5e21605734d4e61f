// A log written by hand for the tests of the reporter: what a test sends to an EngineStage becomes
// blocks of a real log, one a call. Used by tests only.
import type { Draft } from '../../model/model-stage.ts';
import type { OperatorDefinition } from '../../model/model-transaction.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { TestLog } from '../test-log.ts';
import { SEGMENT_BYTES_MAX } from './reported-play.ts';

/** The operator `op` with players ann and bob; see EngineStage. */
export class HandLog {
  readonly stage: EngineStage;
  readonly #folder: string;
  #written = 0;

  /** Its first block has the directory and the accounts. */
  constructor(folder: string, policies: OperatorDefinition = {}) {
    this.#folder = folder;
    this.stage = new EngineStage(policies);
    this.stage.closeBlock();
    this.#write();
  }

  /** The last block's number. */
  get position(): number {
    return this.#written;
  }

  /** Sends the drafts one by one, as a block of their own; returns their codes. */
  send(...drafts: Draft[]): number[] {
    this.stage.nowMs += 1_000;
    const codes = this.stage.codes(...drafts);
    this.stage.closeBlock();
    this.#write();
    return codes;
  }

  #write(): void {
    const log = new TestLog({ folder: this.#folder, segmentBytesMax: SEGMENT_BYTES_MAX });
    for (const block of this.stage.blocks.slice(this.#written)) {
      log.handOverRecords(block, this.stage.shard.lastTimeMs);
      log.commit();
    }
    log.close();
    this.#written = this.stage.blocks.length;
  }
}

// Replay in one thread: both halves, decoding and applying, for a block at a time. For small logs,
// for states that go on from where they are, and for whoever follows a log.
import { ReplayBatch } from './replay-batch.ts';
import { type BlockRecords, ReplayDecoder } from './replay-decoder.ts';
import { refuseSequence } from './replay-error.ts';
import type { Replay } from './replay-records.ts';
import type { ShardState } from './shard-state.ts';

/** Works in memory of its own: a batch, and the hash states of all players. */
export class BlockReplay {
  readonly #state: ShardState;
  readonly #replay: Replay;
  readonly #decoder: ReplayDecoder;
  readonly #batch = new ReplayBatch();

  constructor(state: ShardState, replay: Replay, hashSeed: Uint8Array) {
    this.#state = state;
    this.#replay = replay;
    this.#decoder = new ReplayDecoder(hashSeed);
  }

  /** Applies a block whose checksum was verified. Throws ReplayError, the state is void then. */
  apply(block: BlockRecords): void {
    const { accounts, sequence } = this.#state;
    const decoder = this.#decoder;
    const batch = this.#batch;
    if (block.firstSequence !== sequence + 1) {
      throw refuseSequence(block.firstSequence, sequence + 1);
    }
    decoder.learnAccounts(accounts);
    decoder.begin(block);
    while (!decoder.isFinished) {
      batch.clear();
      const firstSequence = decoder.nextSequence;
      const until = decoder.decode(batch, 0);
      this.#replay.applyRows(batch, { from: 0, until, firstSequence, batchUntil: until });
    }
    if (decoder.failure !== null) throw decoder.failure;
  }
}

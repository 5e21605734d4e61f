// What the reader's thread does in a replay: reads and checks the log, decodes the blocks of one
// shard into batches, and hands them over in the order of the log. Runs until the log's end, an
// error, or until nobody wants more.
import { ReplayDecoder } from '../core/decisions/replay-decoder.ts';
import type { LogBlock, LogEnd } from './log-chain.ts';
import { refuseBlock } from './log-errors.ts';
import { type ReadOptions, readBlocks } from './log-reader.ts';
import type { ReaderSlots, ReplaySlot } from './replay-port.ts';

/** What is read, and for whom. */
export interface ReaderOptions {
  readonly log: ReadOptions;
  /** Only this shard's blocks are decoded; all are checked. */
  readonly shard: number;
  readonly hashSeed: Uint8Array;
  readonly slots: ReaderSlots;
}

/**
 * Reads the whole log into the slots. Returns its end, or null when the replay was abandoned. What
 * it throws belongs behind all that was published.
 */
export function readIntoSlots(options: ReaderOptions): LogEnd | null {
  const { log, slots, shard } = options;
  const filler = new SlotFiller(options);
  const blocks = readBlocks(log);
  try {
    for (;;) {
      const next = blocks.next();
      if (next.done === true) return filler.flush() ? next.value : null;
      const isOwn = next.value.header.shard === shard;
      const isTaken = isOwn ? filler.addBlock(next.value) : filler.addForeignBlock(next.value);
      if (!isTaken || slots.isAbandoned) return null;
      slots.beat();
    }
  } catch (error) {
    filler.flush();
    throw error;
  } finally {
    blocks.return(log.after);
  }
}

/** Fills slot after slot. Its functions return false once the replay is abandoned. */
class SlotFiller {
  readonly #slots: ReaderSlots;
  readonly #decoder: ReplayDecoder;
  #slot: ReplaySlot | null = null;

  constructor({ hashSeed, slots }: ReaderOptions) {
    this.#slots = slots;
    this.#decoder = new ReplayDecoder(hashSeed);
  }

  addBlock({ header, content, segment }: LogBlock): boolean {
    const decoder = this.#decoder;
    const { recordCount, firstSequence, blockNumber: block } = header;
    decoder.begin({ content, recordCount, firstSequence });
    while (!decoder.isFinished) {
      const slot = this.#takeSlot();
      if (slot === null) return false;
      const { spans, batch } = slot;
      const sequence = decoder.nextSequence;
      const rowUntil = decoder.decode(batch, spans.rowCount);
      spans.add({ blockNumber: block, segment, rowUntil, firstSequence: sequence });
      if (decoder.failure !== null) throw refuseBlock({ segment, block }, decoder.failure);
      if (decoder.isFinished) spans.endBlock(header);
      else this.flush();
    }
    return true;
  }

  /** A block of another shard. */
  addForeignBlock({ header, segment }: LogBlock): boolean {
    const slot = this.#takeSlot();
    if (slot === null) return false;
    const { spans } = slot;
    if (!spans.endsWithoutRows) {
      const { blockNumber, firstSequence } = header;
      spans.add({ blockNumber, segment, rowUntil: spans.rowCount, firstSequence });
    }
    spans.endBlock(header);
    return true;
  }

  /** Publishes what the slot in work holds. */
  flush(): boolean {
    if (this.#slot !== null && this.#slot.spans.count > 0) this.#slots.publish();
    this.#slot = null;
    return !this.#slots.isAbandoned;
  }

  /** A slot with room for one span and one row at least. */
  #takeSlot(): ReplaySlot | null {
    const slot = this.#slot;
    if (slot !== null && !slot.spans.isFull && slot.batch.hasRoomFor(slot.spans.rowCount)) {
      return slot;
    }
    if (slot !== null) this.flush();
    this.#slot = this.#slots.waitForRoom();
    return this.#slot;
  }
}

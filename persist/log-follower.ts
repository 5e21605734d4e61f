// Follows the log behind the log writer, block by block, and checks each like any reader. Belongs
// to one thread, which holds no other segment open meanwhile; changes nothing on disk.
//
// What always holds: a block is given out only if it is durable, as its caller was told, and fits
// to all before it. A read transaction lives for one block at most, so that no page of LMDB is held
// back. What a crash leaves is the caller's: it starts again from the end that it kept.
import { assert } from '../core/assert.ts';
import { decodeBlockHeader, hex } from './block-header.ts';
import { ChainChecker, type LogBlock, type LogEnd } from './log-chain.ts';
import { DamagedLogError } from './log-errors.ts';
import { Segment } from './segment.ts';
import { listSegments, segmentName } from './segment-list.ts';

/** What is followed, and from where. */
export interface FollowOptions {
  readonly logFolder: string;
  /** The first block given out is the one after this end. */
  readonly after: LogEnd;
  /** The log writer's own setting: inside one process all open a segment alike. */
  readonly segmentBytesMax: number;
  /** True in processes other than the server's. */
  readonly readOnly?: boolean;
}

/** The end that a follower was given is not an end of this log. */
export class ForeignLogEndError extends Error {
  override readonly name = 'ForeignLogEndError';
}

/** A reader that goes on as the log grows. */
export class LogFollower {
  readonly #options: FollowOptions;
  readonly #checker: ChainChecker;
  #segment: Segment | null = null;

  /** Throws ForeignLogEndError when the log does not have the block that `after` names. */
  constructor(options: FollowOptions) {
    this.#options = options;
    this.#checker = new ChainChecker(options.after);
    if (options.after.blockNumber > 0) this.#checkStart(options.after);
  }

  /** Number of the last block that was given out. */
  get position(): number {
    return this.#checker.nextBlock - 1;
  }

  /** Where the log ends for this follower: what to start the next one with. */
  get end(): LogEnd {
    return this.#checker.end(this.#segment?.firstBlock ?? this.#options.after.lastSegment, 0);
  }

  /**
   * The next block, or undefined when it is not among the durable ones, up to `durablePosition`.
   * The content is valid until the next call.
   */
  next(durablePosition: number): LogBlock | undefined {
    const number = this.#checker.nextBlock;
    if (number > durablePosition) return undefined;
    const segment = this.#segment ?? this.#openSegmentOf(number);
    segment.renewRead();
    const stored = segment.find(number);
    if (stored !== undefined) return this.#checker.check(stored, segment.name);
    return this.#nextInNewSegment(number);
  }

  /** Lets go of the segment. */
  close(): void {
    this.#segment?.close();
    this.#segment = null;
  }

  /** The block is durable and not in the open segment: then it is the first of the next one. */
  #nextInNewSegment(number: number): LogBlock {
    const before = this.#segment?.name ?? 'before';
    this.close();
    const segment = this.#openSegmentOf(number);
    const stored = segment.firstBlock === number ? segment.find(number) : undefined;
    if (stored === undefined) {
      throw new DamagedLogError({
        segment: before,
        block: number,
        expected: `block ${number}, which was durable`,
        found: 'none, here or at the start of another segment',
      });
    }
    return this.#checker.check(stored, segment.name);
  }

  #openSegmentOf(number: number): Segment {
    assert(this.#segment === null, 'a follower holds one segment');
    const { logFolder, segmentBytesMax } = this.#options;
    const firstBlock = listSegments(logFolder).findLast((first) => first <= number);
    if (firstBlock === undefined) {
      throw new DamagedLogError({
        segment: segmentName(number),
        block: number,
        expected: `a segment that holds block ${number}`,
        found: 'none (a segment is missing or was renamed)',
      });
    }
    const readOnly = this.#options.readOnly === true;
    this.#segment = Segment.open({ logFolder, firstBlock, segmentBytesMax, readOnly });
    return this.#segment;
  }

  #checkStart({ blockNumber, headerChecksum }: LogEnd): void {
    const folder = this.#options.logFolder;
    const isThere = listSegments(folder).some((first) => first <= blockNumber);
    const stored = isThere ? this.#openSegmentOf(blockNumber).find(blockNumber) : undefined;
    const reading = stored === undefined ? undefined : decodeBlockHeader(stored);
    if (reading?.kind === 'header' && reading.checksum === headerChecksum) return;
    this.close();
    const found = reading?.kind === 'header' ? hex(reading.checksum) : 'no such block';
    throw new ForeignLogEndError(
      `Cannot follow the log from block ${blockNumber} because the log's own block must have the ` +
        `header checksum ${hex(headerChecksum)}: ${found}`,
    );
  }
}

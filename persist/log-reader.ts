// Reads the log in order and checks all that can be checked without knowing the records: magic,
// version, both checksums, numbering, the chain of headers, times, sequences of each shard, and the
// segments' names. Any thread that holds no segment open; changes nothing on disk.
//
// What always holds: a block is given out only after every check on it and on all before it. The
// first thing that does not fit ends the reading with a DamagedLogError or an UnknownVersionError.
// What cannot be seen here: that whole segments are missing at the end of the log.
import { ChainChecker, type LogBlock, type LogEnd } from './log-chain.ts';
import { DamagedLogError } from './log-errors.ts';
import { Segment } from './segment.ts';
import { listSegments, segmentName } from './segment-list.ts';

/** What is read, and how. */
export interface ReadOptions {
  readonly logFolder: string;
  /** Reading starts with the block after this one; emptyLogEnd for the whole log. */
  readonly after: LogEnd;
  /** True in processes other than the server's. */
  readonly readOnly?: boolean;
}

/** Blocks between two renewals of the read transaction: far less than a second's work. */
const BLOCKS_PER_READ = 256;
const READ_MAP_BYTES = 1_073_741_824;

/** Gives out every block after `after`, checked; returns the log's end. */
export function* readBlocks(options: ReadOptions): Generator<LogBlock, LogEnd> {
  const checker = new ChainChecker(options.after);
  const segments = listSegments(options.logFolder);
  const startAt = findStart(segments, options.after.blockNumber + 1);
  let logBytes = 0;
  for (const [index, firstBlock] of segments.entries()) {
    const isLast = index === segments.length - 1;
    const segment = Segment.open({
      logFolder: options.logFolder,
      firstBlock,
      segmentBytesMax: READ_MAP_BYTES,
      readOnly: options.readOnly === true,
    });
    try {
      logBytes += segment.measureBytes();
      if (index >= startAt) yield* readSegment(segment, { checker, isLast });
    } finally {
      segment.close();
    }
  }
  return checker.end(segments.at(-1) ?? 0, logBytes);
}

/** Index of the segment that holds the block, or would; 0 leaves the complaint to the checks. */
function findStart(segments: readonly number[], blockNumber: number): number {
  const index = segments.findLastIndex((firstBlock) => firstBlock <= blockNumber);
  return Math.max(index, 0);
}

function* readSegment(
  segment: Segment,
  place: { readonly checker: ChainChecker; readonly isLast: boolean },
): Generator<LogBlock> {
  const { checker, isLast } = place;
  const { firstBlock, name } = segment;
  const isMiddle = firstBlock < checker.nextBlock;
  if (!isMiddle) checkFirst(segment, checker.nextBlock);
  for (;;) {
    const number = checker.nextBlock;
    const stored = segment.find(number);
    if (stored === undefined) break;
    yield checker.check(stored, name);
    if (number % BLOCKS_PER_READ === 0) segment.renewRead();
  }
  checkRest(segment, { nextBlock: checker.nextBlock, isLast });
}

/** The segment's name against the block that has to come, and against its own first block. */
function checkFirst(segment: Segment, nextBlock: number): void {
  const { firstBlock, name } = segment;
  if (firstBlock !== nextBlock) {
    throw new DamagedLogError({
      segment: name,
      block: nextBlock,
      expected: `segment ${segmentName(nextBlock)} at this place`,
      found: `segment ${name} (a segment is missing or was renamed)`,
    });
  }
  const first = segment.findNumberFrom(0);
  if (first === 0 || first === firstBlock) return;
  throw new DamagedLogError({
    segment: name,
    block: firstBlock,
    expected: `first block ${firstBlock} as the segment's name says`,
    found: first < 0 ? 'a key that is no block number' : `first block ${first}`,
  });
}

/** What the segment holds beside the row of blocks that was read. */
function checkRest(
  segment: Segment,
  place: { readonly nextBlock: number; readonly isLast: boolean },
): void {
  const { nextBlock, isLast } = place;
  const { firstBlock, name } = segment;
  const refuse = (expected: string, found: string): never => {
    throw new DamagedLogError({ segment: name, block: nextBlock, expected, found });
  };
  const following = segment.findNumberFrom(nextBlock);
  if (following > 0) refuse(`block ${nextBlock}`, `none; the next is block ${following}`);
  if (following < 0) refuse('block numbers as keys', 'a key that is no block number');
  const blockCount = nextBlock - firstBlock;
  if (segment.entryCount !== blockCount) {
    refuse(`${blockCount} blocks in the segment`, `${segment.entryCount} values`);
  }
  if (blockCount === 0 && !isLast) refuse(`block ${nextBlock}`, 'an empty segment before the last');
}

// One segment of the log: an LMDB environment in `log/<first block, 16 digits>/`. One thread at a
// time holds a segment; inside one process all use the same options (a rule of lmdb-js).
//
// What always holds: keys are block numbers as 8 bytes big-endian, appended in order, never changed
// or deleted; an append has reached the disk when it returns (data pages, fdatasync, meta page
// through an O_DSYNC descriptor). A new segment is made under the name `<…>.next` and renamed when
// its own files are on disk, so a crash leaves either that leftover, which the next start removes,
// or an empty segment with the right name, which it uses.
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { assert } from '../core/assert.ts';
import { BLOCK_CONTENT_BYTES_MAX, BLOCKS_PER_LANE } from '../core/limits.ts';
import { syncFile, syncFolder, UNFINISHED_SUFFIX } from './durable-files.ts';
import { DamagedLogError } from './log-errors.ts';
import { findFileProblem } from './segment-file.ts';
import { segmentName } from './segment-list.ts';

const DATA_FILE = 'data.mdb';
const KEY_BYTES = 8;
/** More than the two files of a new environment take (8 KiB each). */
const ROOM_BYTES = 65_536;
const APPEND = { append: true };

/** Address space beyond the rotation size: LMDB's own pages, and what one commit may add. */
const MAP_SLACK_BYTES = 64 * 1_048_576;

/** Which segment, and how it is opened. */
export interface SegmentOptions {
  readonly logFolder: string;
  readonly firstBlock: number;
  /** Address space to reserve, so that the map does not grow while commits wait. */
  readonly segmentBytesMax: number;
  /** For processes other than the server's; inside it all must open alike. */
  readonly readOnly?: boolean;
}

/** An open segment. */
export class Segment {
  readonly name: string;
  readonly firstBlock: number;
  readonly #database: RootDatabase<Uint8Array, Uint8Array>;
  readonly #dataFile: string;
  readonly #key: Buffer = Buffer.alloc(KEY_BYTES);

  private constructor(options: SegmentOptions) {
    this.firstBlock = options.firstBlock;
    this.name = segmentName(options.firstBlock);
    const folder = join(options.logFolder, this.name);
    this.#dataFile = join(folder, DATA_FILE);
    this.#database = openEnvironment(folder, options);
  }

  /** Makes an empty segment that a crash of the machine does not lose, and opens it. */
  static create(options: SegmentOptions): Segment {
    const folder = join(options.logFolder, segmentName(options.firstBlock));
    assert(!existsSync(folder), 'a segment is made once');
    const unfinished = `${folder}${UNFINISHED_SUFFIX}`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { mode: 0o700 });
    probeRoom(join(unfinished, 'room'));
    void openEnvironment(unfinished, options).close();
    for (const file of [DATA_FILE, 'lock.mdb']) chmodSync(join(unfinished, file), 0o600);
    syncFile(join(unfinished, DATA_FILE));
    syncFolder(unfinished);
    renameSync(unfinished, folder);
    syncFolder(options.logFolder);
    return new Segment(options);
  }

  /** Opens an existing segment; a DamagedLogError when its file is none or was cut short. */
  static open(options: SegmentOptions): Segment {
    const name = segmentName(options.firstBlock);
    const refuse = (expected: string, found: string, cause?: unknown): never => {
      throw new DamagedLogError({ segment: name, block: 0, expected, found }, cause);
    };
    const file = join(options.logFolder, name, DATA_FILE);
    if (!existsSync(file)) refuse(`a file ${DATA_FILE}`, 'none');
    const problem = findFileProblem(file);
    if (problem !== null) refuse(`in ${DATA_FILE} ${problem.expected}`, problem.found);
    if (options.readOnly !== true) accessSync(file, constants.R_OK | constants.W_OK);
    try {
      return new Segment(options);
    } catch (cause) {
      return refuse('an environment that LMDB can open', String(cause), cause);
    }
  }

  /**
   * Runs `write`, which calls put for each block in order, as one LMDB transaction. When this
   * returns, the blocks are on disk. Throws when the commit failed: stop the process then.
   */
  commit(write: () => void): void {
    // Without flags the commit is synchronous and flushed, whatever the environment's options.
    this.#database.transactionSync(write);
  }

  /** Only inside commit. `stored` is plain memory (never shared), free again when this returns. */
  put(blockNumber: number, stored: Uint8Array): void {
    assert(stored.buffer instanceof ArrayBuffer, 'lmdb is handed plain memory only');
    const isStored: unknown = this.#database.putSync(this.#keyOf(blockNumber), stored, APPEND);
    // lmdb reports a key that is not above the last one by `false`, everything else by throwing.
    assert(isStored === true, 'a block number is above every number in its segment');
  }

  /** The stored block, valid until the next call on any segment of this thread, or undefined. */
  find(blockNumber: number): Uint8Array | undefined {
    const stored = this.#database.getBinaryFast(this.#keyOf(blockNumber));
    // The buffer is one large reused piece of memory whose `length` was set to the value's.
    return stored && new Uint8Array(stored.buffer, stored.byteOffset, stored.length);
  }

  /** The number of the first block at or above this one, or 0; −1 for a key that is no number. */
  findNumberFrom(blockNumber: number): number {
    for (const key of this.#database.getKeys({ start: this.#keyOf(blockNumber), limit: 1 })) {
      if (key.byteLength !== KEY_BYTES) return -1;
      const number = Buffer.from(key).readBigUInt64BE();
      return number > BigInt(Number.MAX_SAFE_INTEGER) ? -1 : Number(number);
    }
    return 0;
  }

  /** How many values the segment holds, whatever their keys. */
  get entryCount(): number {
    const value: unknown = Reflect.get(this.#database.getStats(), 'entryCount');
    assert(typeof value === 'number', 'LMDB tells its statistics as numbers');
    return value;
  }

  /** Bytes of the file on disk. */
  measureBytes(): number {
    return statSync(this.#dataFile).size;
  }

  /** Lets go of the read transaction, so that the next read sees what was written since. */
  renewRead(): void {
    this.#database.resetReadTxn();
  }

  /** Closes the environment. Never after a failed commit (see fatal.ts). */
  close(): void {
    // Without asynchronous writes lmdb closes before it returns its promise, which is resolved.
    void this.#database.close();
  }

  #keyOf(blockNumber: number): Buffer {
    this.#key.writeUInt32BE(Math.floor(blockNumber / 0x1_0000_0000), 0);
    this.#key.writeUInt32BE(blockNumber >>> 0, 4);
    return this.#key;
  }
}

/** Throws as Node does when the disk has no room: lmdb-js ends the process if its open fails. */
function probeRoom(file: string): void {
  writeFileSync(file, Buffer.alloc(ROOM_BYTES), { mode: 0o600, flush: true });
  rmSync(file);
}

/** Removes what a crash left of segments that were being made; the log writer does it at start. */
export function removeUnfinishedSegments(logFolder: string): void {
  for (const name of readdirSync(logFolder)) {
    if (name.endsWith(UNFINISHED_SUFFIX)) rmSync(join(logFolder, name), { recursive: true });
  }
}

function openEnvironment(
  folder: string,
  options: SegmentOptions,
): RootDatabase<Uint8Array, Uint8Array> {
  assert(existsSync(folder), 'lmdb would make a missing folder without a word');
  return open<Uint8Array, Uint8Array>(folder, {
    noSubdir: false,
    keyEncoding: 'binary',
    encoding: 'binary',
    compression: false,
    cache: false,
    maxDbs: 1,
    // New pages are zeroed: nothing of the process's memory ends up in a file.
    noMemInit: false,
    // A commit returns after its flush, not before.
    overlappingSync: false,
    mapSize: options.segmentBytesMax + MAP_SLACK_BYTES,
    ...(options.readOnly === true ? { readOnly: true } : {}),
  });
}

assert(
  BLOCK_CONTENT_BYTES_MAX * BLOCKS_PER_LANE * 8 <= MAP_SLACK_BYTES,
  'the reserve holds one full commit of eight lanes',
);

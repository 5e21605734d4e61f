// The data folder: identity.json says what it is and carries its secrets; the log lies beside it.
// Main makes or opens it, under the lock of folder-lock.ts; every thread may read the identity.
// identity.json is written last and as a whole: a crash while the folder is made leaves a folder
// without it, which the next start finishes.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { assert } from '../core/assert.ts';
import { syncFolder, UNFINISHED_SUFFIX, writeFileDurably } from './durable-files.ts';
import { ExitCode, type ExitCodeValue } from './exit-codes.ts';
import { UnknownVersionError } from './log-errors.ts';

const IDENTITY_FILE = 'identity.json';
const SEED_BYTES = 16;

/** Version of the folder's layout and of identity.json. */
const FOLDER_FORMAT_VERSION = 1;

/** What may lie in a folder that is not yet a data folder: the lock, and what a crash left. */
const NAMES_BEFORE_IDENTITY = new Set([
  'lock',
  'log',
  'last-error',
  `${IDENTITY_FILE}${UNFINISHED_SUFFIX}`,
]);

/** What a data folder was made as; never changes. Seeds and folder id are 16 bytes as hex. */
export interface FolderIdentity {
  readonly formatVersion: number;
  /** Random; seeds the chain of block headers, so that another folder's log is refused. */
  readonly folderId: string;
  readonly lanes: number;
  /** Public: which shard a player belongs to. */
  readonly shardHashSeed: string;
  /** Secret: the core's tables. Without it the log cannot be used. */
  readonly secretHashSeed: string;
  /** When it was made, ISO 8601. */
  readonly created: string;
}

/** The data folder cannot be made or used as it is. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
  readonly exitCode: ExitCodeValue = ExitCode.damagedLog;
}

/** Opens the data folder, or makes it when it is new. The caller holds its lock. */
export function openDataFolder(folder: string, lanes: number): FolderIdentity {
  if (!existsSync(join(folder, IDENTITY_FILE))) makeDataFolder(folder, lanes);
  const identity = readIdentity(folder);
  if (identity.lanes !== lanes) {
    throw new DataFolderError(
      `Cannot use ${folder} with ${lanes} lanes because a data folder's lanes are fixed when it ` +
        `is made: ${identity.lanes}. Set the lanes to ${identity.lanes}, ` +
        'or start with a new folder.',
    );
  }
  return identity;
}

/** Makes the folder itself (0700) if it is missing; its content is openDataFolder's. */
export function makeFolder(folder: string): void {
  const path = resolve(folder);
  if (existsSync(path)) return;
  const made = mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  // Every folder that was made on the way has to be found again after a crash.
  for (let at = path; at.length >= (made ?? path).length; at = dirname(at)) {
    syncFolder(dirname(at));
    if (at === dirname(at)) break;
  }
}

/** Reads and checks identity.json. */
export function readIdentity(folder: string): FolderIdentity {
  const file = join(folder, IDENTITY_FILE);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new DataFolderError(
      `Cannot use ${folder} because its identity cannot be read: ${file}. It holds the secret ` +
        'that the log depends on: put it back from a backup, ' +
        'never make a new one beside an old log.',
      { cause },
    );
  }
  return checkIdentity(content, file);
}

/** Folder of the log's segments. */
export function logFolderOf(folder: string): string {
  return join(folder, 'log');
}

/** What stands in the first block's header as the checksum of the block before. */
export function chainSeedOf(identity: FolderIdentity): number {
  assert(identity.folderId.length === SEED_BYTES * 2, 'a folder id has 16 bytes');
  return crc32(identity.folderId);
}

function makeDataFolder(folder: string, lanes: number): void {
  assert(Number.isInteger(lanes) && lanes > 0, 'a data folder has at least one lane');
  makeFolder(folder);
  const log = logFolderOf(folder);
  const foreign = readdirSync(folder).filter((name) => !NAMES_BEFORE_IDENTITY.has(name));
  const segments = existsSync(log) ? readdirSync(log) : [];
  if (foreign.length > 0 || segments.length > 0) {
    const found = [...foreign, ...segments.map((name) => `log/${name}`)].slice(0, 5).join(', ');
    throw new DataFolderError(
      `Cannot make a data folder in ${folder} because it has no ${IDENTITY_FILE} but holds other ` +
        `files: ${found}. Name an empty or new folder, or put ${IDENTITY_FILE} back from a backup.`,
    );
  }
  mkdirSync(log, { recursive: true, mode: 0o700 });
  chmodSync(log, 0o700);
  syncFolder(folder);
  const identity: FolderIdentity = {
    formatVersion: FOLDER_FORMAT_VERSION,
    folderId: randomBytes(SEED_BYTES).toString('hex'),
    lanes,
    shardHashSeed: randomBytes(SEED_BYTES).toString('hex'),
    secretHashSeed: randomBytes(SEED_BYTES).toString('hex'),
    created: new Date().toISOString(),
  };
  writeFileDurably(join(folder, IDENTITY_FILE), `${JSON.stringify(identity, null, 2)}\n`);
}

function checkIdentity(content: unknown, file: string): FolderIdentity {
  const fields = typeof content === 'object' && content !== null ? content : {};
  const field = (name: string): unknown => Reflect.get(fields, name);
  const formatVersion = field('formatVersion');
  if (formatVersion !== FOLDER_FORMAT_VERSION) {
    const part = `the data folder ${basename(dirname(resolve(file)))}`;
    throw new UnknownVersionError(part, { known: FOLDER_FORMAT_VERSION, found: formatVersion });
  }
  const text = (name: string, pattern: RegExp): string => {
    const value = field(name);
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw new DataFolderError(
      `Cannot use ${file} because its field ${name} is wrong: ${JSON.stringify(value)}. ` +
        'Put the file back from a backup.',
    );
  };
  const lanes = field('lanes');
  if (typeof lanes !== 'number' || !Number.isInteger(lanes) || lanes < 1) {
    throw new DataFolderError(
      `Cannot use ${file} because its field lanes is wrong: ${JSON.stringify(lanes)}. ` +
        'Put the file back from a backup.',
    );
  }
  return {
    formatVersion,
    folderId: text('folderId', /^[0-9a-f]{32}$/),
    lanes,
    shardHashSeed: text('shardHashSeed', /^[0-9a-f]{32}$/),
    secretHashSeed: text('secretHashSeed', /^[0-9a-f]{32}$/),
    created: text('created', /^\d{4}-\d\d-\d\dT/),
  };
}

// Looks at a segment's file before LMDB maps it: lmdb-js was seen to end the process by SIGSEGV on
// a file that is no LMDB file, and reading a map beyond its file's end raises SIGBUS; neither
// leaves a word. Reads the file's first two pages only, changes nothing; any thread.
//
// LMDB keeps two descriptions of the file, on pages 0 and 1; the one of the later transaction
// counts. Offsets within the page, little endian, of data version 2 (lmdb-js 3.5):
//   24 magic (4), 28 version (4), 48 page bytes (4), 88 root of the free list (8),
//   136 root of the data (8), 144 last page (8), 152 transaction (8)
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { assert } from '../core/assert.ts';

const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const MAGIC_AT = 24;
const VERSION_AT = 28;
const PAGE_BYTES_AT = 48;
const FREE_ROOT_AT = 88;
const DATA_ROOT_AT = 136;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const DESCRIPTION_BYTES = 160;

/** The pages that hold the descriptions are no roots. */
const FIRST_TREE_PAGE = 2n;
const NO_PAGE = 2n ** 64n - 1n;
const PAGE_BYTES_MIN = 512;
const PAGE_BYTES_MAX = 65_536;

/** What is wrong with a file, for a message. */
export interface FileProblem {
  readonly expected: string;
  readonly found: string;
}

/**
 * Whether LMDB can be let at the file; null if so. The length is checked against the last page:
 * LMDB may leave pages that one transaction both took and freed unwritten, but appends free none.
 */
export function findFileProblem(file: string): FileProblem | null {
  const descriptor = openSync(file, 'r');
  try {
    const first = readDescription(descriptor, 0);
    const problem = findDescriptionProblem(first);
    if (problem !== null) return problem;
    const pageBytes = first.readUInt32LE(PAGE_BYTES_AT);
    const second = readDescription(descriptor, pageBytes);
    const secondProblem = findDescriptionProblem(second);
    if (secondProblem !== null) return secondProblem;
    const isSecondLater = transactionOf(second) > transactionOf(first);
    const latest = isSecondLater ? second : first;
    // After the descriptions, so that a file that grows meanwhile is not found too short.
    return findLengthProblem(latest, pageBytes, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

function readDescription(descriptor: number, position: number): Buffer {
  const description = Buffer.alloc(DESCRIPTION_BYTES);
  const readBytes = readSync(descriptor, description, 0, DESCRIPTION_BYTES, position);
  assert(readBytes <= DESCRIPTION_BYTES, 'a read fills no more than its buffer');
  return description;
}

function findDescriptionProblem(description: Buffer): FileProblem | null {
  const magic = description.readUInt32LE(MAGIC_AT);
  if (magic !== MAGIC) {
    return { expected: `LMDB's magic ${MAGIC.toString(16)}`, found: magic.toString(16) };
  }
  const version = description.readUInt32LE(VERSION_AT) & 0xffff;
  if (version !== DATA_VERSION) {
    return { expected: `LMDB's data version ${DATA_VERSION}`, found: String(version) };
  }
  const pageBytes = description.readUInt32LE(PAGE_BYTES_AT) & 0xfffff;
  if (pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX) {
    return { expected: 'a page size of LMDB', found: `${pageBytes} bytes` };
  }
  return null;
}

function findLengthProblem(
  description: Buffer,
  pageBytes: number,
  fileBytes: number,
): FileProblem | null {
  const lastPage = description.readBigUInt64LE(LAST_PAGE_AT);
  const expectedBytes = (lastPage + 1n) * BigInt(pageBytes);
  if (BigInt(fileBytes) < expectedBytes) {
    return { expected: `a file of at least ${expectedBytes} bytes`, found: `${fileBytes} bytes` };
  }
  for (const at of [FREE_ROOT_AT, DATA_ROOT_AT]) {
    const root = description.readBigUInt64LE(at);
    if (root === NO_PAGE || (root >= FIRST_TREE_PAGE && root <= lastPage)) continue;
    return { expected: `a tree's root on a page up to ${lastPage}`, found: `page ${root}` };
  }
  return null;
}

function transactionOf(description: Buffer): bigint {
  return description.readBigUInt64LE(TRANSACTION_AT);
}

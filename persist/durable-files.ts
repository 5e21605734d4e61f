// Files and folders that must survive a crash of the machine: what is made here is on disk, under
// its final name, when the call returns. A crash leaves the old state or the new one, and at most a
// leftover under the temporary name `<name>.next`, which the next write replaces.
import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { assert } from '../core/assert.ts';

/** Ending of a file or folder that is not yet what its name will say. */
export const UNFINISHED_SUFFIX = '.next';

/** Puts a folder's entries (not their contents) on disk. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Puts a file's content on disk. */
export function syncFile(file: string): void {
  syncFolder(file);
}

/** Makes or replaces a file as a whole, readable by its owner only (0600). */
export function writeFileDurably(file: string, text: string): void {
  assert(text.length > 0, 'a durable file has content');
  const unfinished = `${file}${UNFINISHED_SUFFIX}`;
  const descriptor = openSync(unfinished, 'w', 0o600);
  try {
    fchmodSync(descriptor, 0o600);
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(descriptor, bytes, written);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(unfinished, file);
  syncFolder(dirname(file));
}

// How large a log is on disk, without opening it. Any thread; changes nothing. Only a measure:
// files that are missing or damaged are the log reader's to find.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { listSegments, segmentName } from './segment-list.ts';

const DATA_FILE = 'data.mdb';

/** Bytes of the files of all segments. */
export function measureLogBytes(logFolder: string): number {
  let byteCount = 0;
  for (const firstBlock of listSegments(logFolder)) {
    const file = join(logFolder, segmentName(firstBlock), DATA_FILE);
    byteCount += statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }
  return byteCount;
}

// How many blocks a log holds, for the progress of a recovery: read from the last segment's name
// and size, without reading a block. Called in the thread that replays the log, before it does;
// changes nothing. Only a measure: whether the blocks are all there and sound is the log reader's
// to say.
import { logFolderOf } from './data-folder.ts';
import { Segment } from './segment.ts';
import { listSegments } from './segment-list.ts';

const READ_MAP_BYTES = 1_073_741_824;

/**
 * The number of the last block, if the log is sound; 0 for an empty one. `readOnly` is for
 * processes other than the server's.
 */
export function countBlocks(dataFolder: string, readOnly = false): number {
  const logFolder = logFolderOf(dataFolder);
  const firstBlock = listSegments(logFolder).at(-1);
  if (firstBlock === undefined) return 0;
  const segment = Segment.open({
    ...{ logFolder, firstBlock, readOnly },
    segmentBytesMax: READ_MAP_BYTES,
  });
  try {
    return firstBlock - 1 + segment.entryCount;
  } finally {
    segment.close();
  }
}

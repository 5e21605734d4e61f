// The position that a log has reached, for a process beside the server's: from the last segment's
// name and the number of its blocks, without reading one. Changes nothing.
import { logFolderOf } from '../data-folder.ts';
import { Segment } from '../segment.ts';
import { listSegments } from '../segment-list.ts';

const READ_MAP_BYTES = 1_073_741_824;

/** The number of the log's last block as it is now; 0 for an empty log. */
export function readLogPosition(dataFolder: string): number {
  const logFolder = logFolderOf(dataFolder);
  const firstBlock = listSegments(logFolder).at(-1);
  if (firstBlock === undefined) return 0;
  const segment = Segment.open({
    ...{ logFolder, firstBlock, segmentBytesMax: READ_MAP_BYTES },
    readOnly: true,
  });
  try {
    return firstBlock - 1 + segment.entryCount;
  } finally {
    segment.close();
  }
}

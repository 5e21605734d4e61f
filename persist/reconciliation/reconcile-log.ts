// Reads the log up to a position for the comparison with Postgres. Another process may be writing
// the log: it is opened read-only, and blocks up to a position that Postgres has are durable. Used
// by one thread, which gets a turn for other things every 50 ms.
import { chainSeedOf, logFolderOf, readIdentity } from '../data-folder.ts';
import { emptyLogEnd } from '../log-chain.ts';
import { readBlocks } from '../log-reader.ts';
import { type LogFacts, LogTally } from './reconcile-records.ts';

/** What is read, and how far. */
export interface LogFactsOptions {
  readonly dataFolder: string;
  readonly position: number;
  /** Records after this position are counted for the journal; null: none. */
  readonly journalFrom: number | null;
  /** Called at most every 50 ms with the number of records read. */
  readonly onProgress: (recordCount: number) => void;
  readonly signal: AbortSignal;
}

/** How long reading may keep others of the thread waiting: progress, Ctrl-C. */
const TURN_MS = 50;

/** Reads the log from its start; throws DamagedLogError and the signal's reason. */
export async function readLogFacts(options: LogFactsOptions): Promise<LogFacts> {
  const { dataFolder, position, signal } = options;
  const after = emptyLogEnd(chainSeedOf(readIdentity(dataFolder)));
  const tally = new LogTally(options.journalFrom);
  let turnEndMs = performance.now() + TURN_MS;
  if (position === 0) return tally.facts();
  for (const block of readBlocks({ logFolder: logFolderOf(dataFolder), after, readOnly: true })) {
    tally.addBlock(block.header, block.content);
    if (performance.now() >= turnEndMs) {
      options.onProgress(tally.recordCount);
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      turnEndMs = performance.now() + TURN_MS;
    }
    if (block.header.blockNumber === position) break;
  }
  options.onProgress(tally.recordCount);
  return tally.facts();
}

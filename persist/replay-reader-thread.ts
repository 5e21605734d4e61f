// Entry of the thread that reads the log ahead of a replay (replay-pipeline.ts). It ends by itself:
// at the log's end, on an error, or when the replay is abandoned. What it has to say last, the
// log's end or the error, lies in the message port before `finished` is seen.

import type { MessagePort } from 'node:worker_threads';
import { workerData } from 'node:worker_threads';
import type { LogEnd } from './log-chain.ts';
import type { ReadOptions } from './log-reader.ts';
import { type PlainFailure, packFailure } from './replay-failure.ts';
import { ReaderSlots } from './replay-port.ts';
import { readIntoSlots } from './replay-reader.ts';

/** What the starter passes as workerData. */
export interface ReplayReaderData {
  readonly log: ReadOptions;
  readonly shard: number;
  readonly hashSeed: Uint8Array;
  readonly port: SharedArrayBuffer;
  /** Takes one ReaderResult. */
  readonly results: MessagePort;
}

/** How the reading ended; an end of null: it was abandoned. */
export type ReaderResult =
  | { readonly type: 'end'; readonly end: LogEnd | null }
  | { readonly type: 'failure'; readonly failure: PlainFailure };

function read(data: ReplayReaderData, slots: ReaderSlots): ReaderResult {
  const { log, shard, hashSeed } = data;
  try {
    return { type: 'end', end: readIntoSlots({ log, shard, hashSeed, slots }) };
  } catch (error) {
    return { type: 'failure', failure: packFailure(error) };
  }
}

const data: ReplayReaderData = workerData;
const slots = new ReaderSlots(data.port);
data.results.postMessage(read(data, slots));
slots.finish();

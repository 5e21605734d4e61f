// Entry of a thread that makes the pages of one piece of memory and ends (lane/warmed-memory.ts).
import { workerData } from 'node:worker_threads';
import { warmMemory } from './supervision/memory-warmer.ts';

const memory: SharedArrayBuffer = workerData;
warmMemory(memory);

// Loads what a pass of transactions will read, before any of them is decided or replayed. One by
// one the lookups would each wait for memory, 170 ns at 64 MB; independent loads in a row overlap,
// 10 to 20 ns each. Nothing is remembered: the caches are, so a wrong guess costs time only.
import type { KeyColumns } from '../records/key-columns.ts';
import type { ShardState } from './shard-state.ts';

/** Where the loads' results go, so that the compiler keeps them. */
export interface LoadSink {
  loaded: number;
}

/** Loads slots and rows of all keys of rows `from` to `until` − 1. */
export function loadKeys(
  state: ShardState,
  keys: KeyColumns,
  from: number,
  until: number,
  sink: LoadSink,
): void {
  const { index } = state;
  // Slots of all first, then rows: the second loads need what the first ones bring.
  let loaded = index.loadSlots(keys.key, from, until);
  loaded ^= index.loadSlots(keys.round, from, until);
  loaded ^= index.loadSlots(keys.reference, from, until);
  loaded ^= index.loadOutcomes(keys.reference, from, until);
  loaded ^= index.loadRounds(keys.round, from, until);
  sink.loaded ^= loaded;
}

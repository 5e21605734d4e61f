// Makes the function that applies usual plays (play-code.ts) to one shard's tables.
import { kernelMemory, MEMORY_PAGES } from './kernel.ts';
import { playFunction, playMemories } from './play-code.ts';
import { wasmModuleOver } from './wasm-code.ts';

/** The memories of a shard's tables. */
export interface PlayTables {
  readonly accounts: WasmMemory;
  readonly slots: WasmMemory;
  readonly rounds: WasmMemory;
  readonly lists: WasmMemory;
}

/** Applies the rows between two addresses of the kernel's memory; see play-code.ts. */
export type ApplyPlays = (rows: number, rowsEnd: number, state: number) => void;

let compiled: WasmModule | null = null;

/** The function over these tables; the shard's thread compiles it once. */
export function applyPlaysOver(tables: PlayTables): ApplyPlays {
  compiled ??= new WebAssembly.Module(wasmModuleOver(playMemories(MEMORY_PAGES), [playFunction()]));
  const memories = { kernel: kernelMemory, ...tables };
  return new WebAssembly.Instance(compiled, { memories }).exports.apply;
}

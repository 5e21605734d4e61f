// Makes the kernel's functions that work on tables where they lie, for the tables of one owner.
import { kernelMemory, MEMORY_PAGES } from './kernel.ts';
import { playFunction, playMemories } from './play-code.ts';
import { stateFunction, stateMemories } from './state-code.ts';
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

/** Fills the states of the jobs between two addresses; see state-code.ts. */
export type TakeStates = (jobs: number, jobsEnd: number, loaded: number) => void;

/** The function over these tables. */
export function applyPlaysOver(tables: PlayTables): ApplyPlays {
  const bytes = wasmModuleOver(playMemories(MEMORY_PAGES), [playFunction()]);
  const memories = { kernel: kernelMemory, ...tables };
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { memories }).exports.apply;
}

/** The function over the states of these players. */
export function takeStatesOver(players: WasmMemory): TakeStates {
  const bytes = wasmModuleOver(stateMemories(MEMORY_PAGES), [stateFunction()]);
  const memories = { kernel: kernelMemory, players };
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { memories }).exports.takeStates;
}

// Functions of the C library that Node does not have.
import { createRequire } from 'node:module';
import type Koffi from 'koffi';

/**
 * The function with this prototype, or undefined where there is none: another system than Linux, or
 * one that the package which calls it has nothing for. What it does is then left out.
 */
export function findSystemFunction(
  prototype: string,
): ((...values: unknown[]) => unknown) | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const koffi: typeof Koffi = createRequire(import.meta.url)('koffi');
    return koffi.load(null).func(prototype);
  } catch {
    return undefined;
  }
}

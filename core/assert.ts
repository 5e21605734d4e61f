// A programmer's error is an assert: it throws, the thread that runs it stops the process before
// anything more is acknowledged (design law 7). Never used for bad input or business refusals.

/** The error of a broken invariant. Whoever catches it stops the process. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * Throws an InvariantError when the condition does not hold. The rule is a constant text, so that
 * a passing assert on the hot path builds no string.
 */
export function assert(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new InvariantError(`Broken invariant: ${rule}`);
}

/** Ends a switch over a union: the compiler proves that no case is left. */
export function unreachable(value: never): never {
  throw new InvariantError(`Broken invariant: no case handles ${String(value)}`);
}

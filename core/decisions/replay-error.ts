// The one way in which a replay refuses what it was given.

/**
 * A record that cannot be applied to the state before it: the log is damaged or of another state.
 */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
}

/** The refusal of the record with this number in its shard, for what a broken invariant told. */
export function refuseRecord(sequence: number, cause: Error): ReplayError {
  const rule = "it doesn't fit the state before it";
  return new ReplayError(`Cannot replay record ${sequence} because ${rule}. ${cause.message}`, {
    cause,
  });
}

/** The refusal of records that start with another number than the one that is next. */
export function refuseSequence(firstSequence: number, nextSequence: number): ReplayError {
  return new ReplayError(
    `Cannot replay a block because its first record has number ${firstSequence} ` +
      `where ${nextSequence} is next`,
  );
}

// Where the fields of a job lie: one transaction as the kernel sees it, its texts and numbers, from
// which its hashes are made and then its record, or, in replay, the row of its outcome.
// transaction-keys.ts, record-batch.ts, record-read-code.ts and state-code.ts fill jobs;
// hash-code.ts, record-code.ts and outcome-code.ts work on them. Places are in bytes from the job's
// beginning.
/** Bytes of a job. */
export const JOB_BYTES = 176;

/** A text of a job: three words. */
export const JobText = { domain: 0, at: 4, byteCount: 8 } as const;

/** The fields. */
export const JobField = {
  /** Bits of JobPart. */
  parts: 0,
  player: 4,
  transactionId: 16,
  round: 28,
  reference: 40,
  game: 52,
  currency: 64,
  /** Bits of what the body holds. */
  bodyFields: 68,
  /** A double: its bits are hashed, so −0 is not to be given. */
  amountMinor: 72,
  /** How many further words (of eight bytes) the body has. */
  restCount: 80,
  /** Four words of 64 bits: the state behind operator and player. */
  playerState: 88,
  /** The job's record (record-code.ts): kind + code × 256; 0 where it has none to be written. */
  recordHead: 120,
  /** Bits of Content. */
  contents: 124,
  /** Account row + 1. */
  account: 128,
  provider: 132,
  // Doubles.
  elapsedMs: 136,
  recordAmountMinor: 144,
  cashMovedMinor: 152,
  cashMinor: 160,
  /** Of a record that was read. */
  timeMs: 168,
} as const;

/** What is to be made of a job. */
export const JobPart = {
  /** The state behind operator and player; without it that state is given. */
  player: 1,
  account: 2,
  /** The key, the body, and what of the next three is named. */
  transaction: 4,
  round: 8,
  reference: 16,
  game: 32,
} as const;

/**
 * What stands before a text, in the place of its kind, to keep the texts' meanings apart: with
 * provider × 256 before it where an id is the provider's own.
 */
export const JobDomain = {
  /** A rollback's kind, and that it is a win's. */
  rollbackOfWin: 0x45,
  game: 0xb0,
  to: 0xb1,
  reason: 0xb2,
  definition: 0xb3,
  round: 0xe0,
  /** In the place of an operator: of what the operators themselves are told. */
  operatorsOwn: 0xffffff,
} as const;

/** Tells a round without a name from its key: no other key has these words but by chance. */
export const NAMELESS_ROUND = 0x6e616d65;

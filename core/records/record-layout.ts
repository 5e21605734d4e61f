// Which parts a record has and in which order: the one place that the writer, the reader and
// persist/LOG-FORMAT.md agree on. Numbers here are the log's format, version 1.

/** Version of the records' format; a block's header carries it. */
export const RECORD_FORMAT_VERSION = 1;

/**
 * Bits of a record's contents, a varint behind kind and code. The common ones are low, so that a
 * usual bet or win spends two bytes on them. Parts follow in the order of the comments at the end.
 */
export const Content = {
  /** An amount was named (varint). */
  amount: 1 << 0,
  /** Cash moved (signed varint); without the bit 0. */
  cashMoved: 1 << 1,
  /** Bonus moved and bonus after (signed varints); without the bit both 0. */
  bonus: 1 << 2,
  /** Held after (varint); without the bit 0. */
  held: 1 << 3,
  round: 1 << 4,
  game: 1 << 5,
  roundEnd: 1 << 6,
  reference: 1 << 7,
  /** Number of the provider (varint); without the bit 0, none. */
  provider: 1 << 8,
  metadata: 1 << 9,
  stakeless: 1 << 10,
  ofWin: 1 << 11,
  noop: 1 << 12,
  made: 1 << 13,
  /** The sender's time in ms (varint). */
  sentAt: 1 << 14,
  /** transfer: the receiver's id, its row + 1 and, where accepted, its cash after. */
  to: 1 << 15,
  bucketBonus: 1 << 16,
  reason: 1 << 17,
  /** ms (varint). */
  expiresIn: 1 << 18,
  /** The status set (varint). */
  status: 1 << 19,
  /** JSON text of a definition, length as varint. */
  definition: 1 << 20,
  /** open, setOperator: owner (varint) and the player's id or the operator's name. */
  player: 1 << 21,
  /** A member of an atomic batch. */
  atomic: 1 << 22,
  amountNegative: 1 << 23,
  /** setStatus: the status before; rollback: the mark that it leaves (varint). */
  extra: 1 << 24,
} as const;

// Order of a record: byte count of the rest (varint); kind (byte); code (byte); contents (varint);
// account row + 1 (varint, 0 none); ms since the record before in the block, since 1970 for the
// first (varint); amount; cash moved; cash after (signed, where there is an account); bonus moved,
// bonus after; held after; provider. Kinds from 32 on then have the subject (varint: the sequence of
// the record that opened the round or made the hold, 0 for setRetention) and end. The others have
// sent at; expires in; status; extra; transaction id; round; reference; game; metadata; to (id,
// receiver's row + 1, with code 0 its cash after); reason; player; definition.
// Texts have their length before them: one byte, metadata and definition a varint.

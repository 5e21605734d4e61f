// Which parts a record has and in which order: the one place that the writer, the reader and
// persist/LOG-FORMAT.md agree on. Numbers here are the log's format, version 2.

/** Version of the records' format; a block's header carries it. */
export const RECORD_FORMAT_VERSION = 2;

/**
 * Bits of a record's contents, a varint behind kind and code. The common ones are low, so that a
 * usual bet or win spends two bytes on them. Parts follow in the order of the comments at the end.
 */
export const Content = {
  /** An amount was named (varint). */
  amount: 0x1,
  /** Cash moved (signed varint); without the bit 0. */
  cashMoved: 0x2,
  /** Bonus moved and bonus after (signed varints); without the bit both 0. */
  bonus: 0x4,
  /** Held after (varint); without the bit 0. */
  held: 0x8,
  round: 0x10,
  game: 0x20,
  roundEnd: 0x40,
  reference: 0x80,
  /** Number of the provider (varint); without the bit 0, none. */
  provider: 0x100,
  metadata: 0x200,
  stakeless: 0x400,
  ofWin: 0x800,
  noop: 0x1000,
  made: 0x2000,
  /** The sender's time in ms (varint). */
  sentAt: 0x4000,
  /** transfer: the receiver's id, its row + 1 and, where accepted, its cash after. */
  to: 0x8000,
  bucketBonus: 0x10000,
  reason: 0x20000,
  /** ms (varint). */
  expiresIn: 0x40000,
  /** The status set (varint). */
  status: 0x80000,
  /** JSON text of a definition, length as varint. */
  definition: 0x100000,
  /** open, setOperator: owner (varint) and the player's id or the operator's name. */
  player: 0x200000,
  /** A member of an atomic batch. */
  atomic: 0x400000,
  amountNegative: 0x800000,
  /** setStatus: the status before; rollback: the mark that it leaves (varint). */
  extra: 0x1000000,
  /** A win in the round of the bet that it refers to, which it did not name itself. */
  joined: 0x2000000,
} as const;

// Order of a record: byte count of the rest (varint); kind (byte); code (byte); contents (varint);
// account row + 1 (varint, 0 none); ms since the record before in the block, since 1970 for the
// first (varint); amount; cash moved; cash after (signed, where there is an account); bonus moved,
// bonus after; held after; provider. Kinds from 32 on then have the subject (varint: the sequence
// of the record that opened the round or made the hold, 0 for setRetention) and end. The others
// have sent at; expires in; status; extra; transaction id; round; reference; game; metadata; to
// (id, receiver's row + 1, with code 0 its cash after); reason; player; definition. Texts have
// their length before them: one byte, metadata and definition a varint.

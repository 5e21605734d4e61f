// Every bound of the engine, by name and with its reason (design law 8). Bounds that an operator
// may tune stand in the configuration; these are the ones that formats and buffers depend on.
import { assert } from './assert.ts';

/** The largest amount and balance in minor units: the largest integer a double holds exactly. */
export const AMOUNT_MINOR_MAX: number = Number.MAX_SAFE_INTEGER;

/** Ids of players, transactions, rounds and games, in bytes of UTF-8 (design section 4). */
export const ID_BYTES_MAX = 64;

/** A transaction's metadata in bytes (design section 5). */
export const METADATA_BYTES_MAX = 256;

/** The reason of an adjust or a change of status, in bytes: a ticket's number or a short phrase. */
export const REASON_BYTES_MAX = 64;

/** A currency's code in bytes: ISO 4217 has 3, token and points systems use up to 8. */
export const CURRENCY_BYTES_MAX = 8;

/** The JSON text of an operator's or a client's definition: some hundred currencies fit. */
export const DEFINITION_BYTES_MAX = 16_384;

/** Transactions of one independent batch (design section 7). */
export const BATCH_TRANSACTIONS_MAX = 10_000;

/** Transactions of one atomic batch (rule 30): it is decided in one slice. */
export const ATOMIC_TRANSACTIONS_MAX = 1_000;

/** Transactions decided in one slice of a lane (design law 9). */
export const SLICE_TRANSACTIONS_MAX = 500;

/**
 * Transactions that are hashed, looked up and decided together. Their lookups' cache misses
 * overlap; what they touch, some 15 cache lines and 8 pages each, must stay in the second-level
 * cache and its address translations until it is used.
 */
export const PASS_TRANSACTIONS_MAX = 64;

/**
 * The longest record but those with a definition: fixed part 90, six ids of 64 with lengths,
 * metadata 258, rounded up. A block takes a further record only while this much is free.
 */
export const RECORD_BYTES_MAX = 768;

/** The content of one block: it holds the records of a whole atomic batch, and a definition. */
export const BLOCK_CONTENT_BYTES_MAX = 1_048_576;

/** Blocks of a lane that may be handed over or open at the same time. */
export const BLOCKS_PER_LANE = 4;

/** Operators, clients and providers of a shard: small tables, numbered in 16 bits. */
export const OPERATORS_MAX = 4_096;
/** See OPERATORS_MAX. */
export const CLIENTS_MAX = 65_535;
/** See OPERATORS_MAX. */
export const PROVIDERS_MAX = 65_535;

/** Currencies of one operator: numbered in 8 bits. */
export const CURRENCIES_PER_OPERATOR_MAX = 255;

/** A day, for windows, retention and defaults. */
export const DAY_MS = 86_400_000;

assert(
  ATOMIC_TRANSACTIONS_MAX * RECORD_BYTES_MAX < BLOCK_CONTENT_BYTES_MAX,
  'a block holds every record of the largest atomic batch',
);
assert(
  DEFINITION_BYTES_MAX + RECORD_BYTES_MAX < BLOCK_CONTENT_BYTES_MAX,
  'a block holds a definition',
);
assert(
  (PASS_TRANSACTIONS_MAX & (PASS_TRANSACTIONS_MAX - 1)) === 0,
  'rows of a pass are numbered by their low bits',
);
assert(
  SLICE_TRANSACTIONS_MAX <= ATOMIC_TRANSACTIONS_MAX,
  'columns for an atomic batch hold a slice',
);

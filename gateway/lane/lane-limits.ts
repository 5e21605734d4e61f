// The bounds of a lane that are not settings, each with its reason (design law 8).
import { assert } from '../../core/assert.ts';
import {
  ATOMIC_TRANSACTIONS_MAX,
  BLOCK_CONTENT_BYTES_MAX,
  BLOCKS_PER_LANE,
  RECORD_BYTES_MAX,
} from '../../core/limits.ts';

/** Received bytes are copied into chunks of this size; a longer frame gets a chunk of its own. */
export const INBOX_CHUNK_BYTES = 1_048_576;

/** Received and undecided bytes of a lane; beyond it: overloaded. 64 frames of 4 MiB. */
export const INBOX_BYTES_MAX = 268_435_456;

/** Bytes decoded in one slice: 500 transactions of 512 bytes, several times the usual 110. */
export const SLICE_BYTES_MAX = 262_144;

/** Pairs of one request for balances: worked in one slice. */
export const BALANCES_MAX = 1_000;

/** Time-driven records written before the decisions of a slice. */
export const ADVANCE_RECORDS_MAX = 200;

/**
 * No pass of a slice begins later than this after the slice began. Design law 9 says 1 ms and no
 * hold-up above 5: another thread that gets the core keeps it up to the next tick, 4 ms at 250 a
 * second, and with it, a last pass and cold caches behind it a slice must stay below. Shorter
 * slices cost throughput: 3 to 5 % of it at 0.35, against 0.75.
 */
export const SLICE_MS_MAX = 0.4;

/** A pass that took longer makes the next one half as long, down to the fewest transactions. */
export const PASS_MS_TARGET = 0.25;
/** See PASS_MS_TARGET. */
export const PASS_TRANSACTIONS_MIN = 8;

/** While work is left, a block is handed over when it holds this much, or after GROUP_MS_MAX. */
export const GROUP_BYTES_MIN = 131_072;

/** While work is left, a block is handed over this long after the one before (group commit). */
export const GROUP_MS_MAX = 5;

/**
 * Blocks handed over and not durable from which on a turn's end keeps its block open: one is being
 * written, one waits, so the disk never idles, and records gather meanwhile (group commit).
 */
export const UNDURABLE_BLOCKS_MAX = 2;

/** Answers are put together into frames up to this size. */
export const ANSWER_FRAME_BYTES_MAX = 1_048_576;

/** Unread bytes of a client from which on it is closed: four frames of the largest size. */
export const UNREAD_BYTES_MAX: number = 4 * ANSWER_FRAME_BYTES_MAX;

/** A connection without a sign of life is closed after this; pings go out by themselves. */
export const IDLE_TIMEOUT_SECONDS = 60;

/** Told to a client that is refused as overloaded: a few commits later there is room again. */
export const RETRY_DELAY_MS = 50;

/** The lane shows that it lives, and looks for expired holds, this often. */
export const HEARTBEAT_MS = 100;

/** How long a client may take to answer a close before its socket is cut. */
export const CLOSE_GRACE_MS = 1_000;

assert(
  (ATOMIC_TRANSACTIONS_MAX + ADVANCE_RECORDS_MAX + 1) * RECORD_BYTES_MAX < BLOCK_CONTENT_BYTES_MAX,
  'an empty block has room for the largest turn',
);
assert(UNDURABLE_BLOCKS_MAX < BLOCKS_PER_LANE, 'a block can be open beside the undurable ones');

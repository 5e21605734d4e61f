// The transactions of one slice, decoded: a column for each field, so that a frame is worked in
// passes without an object per transaction (design section 5). The gateway's decoder fills it, the
// core reads it. Ids and texts are not copied: a column holds their place in a frame's bytes.
import { ColumnMemory } from './column-memory.ts';
import { ATOMIC_TRANSACTIONS_MAX } from './limits.ts';

/** Bytes that came from a client; both views cover the same memory. */
export interface FrameSource {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Where a text of each transaction lies in its source; a length of 0 means absent. */
export interface TextColumn {
  readonly at: Uint32Array;
  readonly byteCount: Uint16Array;
}

/**
 * Up to `capacity` transactions. Rows 0 to `count` − 1 are filled. `problem` is a result code that
 * the decoder found (unknown_kind, malformed, id_too_long, too_large; the first in this order), or
 * 0. Beside unknown_kind and malformed the other columns may hold anything; beside the other two
 * they are filled, a text that is too long with a length of 0. The decoder rejects wrong types, a
 * missing transaction id, ill-formed UTF-8 and control characters; which fields fit a kind, and
 * ranges, are the core's to judge.
 */
export class TransactionColumns {
  readonly capacity: number;
  count = 0;
  /** The sources that `sourceIndex` points into; the filler keeps them alive until decided. */
  readonly sources: FrameSource[] = [];
  readonly sourceIndex: Uint16Array;
  readonly problem: Uint8Array;
  readonly kind: Uint8Array;
  /** Bits of Field: what the sender named. */
  readonly fields: Uint32Array;
  /** The client's permissions: bit k says that kind k is allowed to it. */
  readonly kindsAllowed: Uint32Array;
  /** Numbers of the operator (0: unknown) and of the provider in the shard's directory. */
  readonly operator: Uint16Array;
  readonly provider: Uint16Array;
  /** A whole number, 0 if not named; the range is checked by the core. */
  readonly amountMinor: Float64Array;
  /** The sender's time in ms since 1970, 0 if not named. */
  readonly sentAtMs: Float64Array;
  readonly expiresInMs: Float64Array;
  readonly status: Uint8Array;
  readonly transactionId: TextColumn;
  readonly player: TextColumn;
  readonly currency: TextColumn;
  readonly round: TextColumn;
  readonly reference: TextColumn;
  readonly game: TextColumn;
  readonly metadata: TextColumn;
  readonly to: TextColumn;
  readonly reason: TextColumn;
  readonly definition: TextColumn;

  constructor(
    capacity: number = ATOMIC_TRANSACTIONS_MAX,
    memory: ColumnMemory = new ColumnMemory(),
  ) {
    this.capacity = capacity;
    this.sourceIndex = memory.uint16(capacity);
    this.problem = memory.uint8(capacity);
    this.kind = memory.uint8(capacity);
    this.fields = memory.uint32(capacity);
    this.kindsAllowed = memory.uint32(capacity);
    this.operator = memory.uint16(capacity);
    this.provider = memory.uint16(capacity);
    this.amountMinor = memory.float64(capacity);
    this.sentAtMs = memory.float64(capacity);
    this.expiresInMs = memory.float64(capacity);
    this.status = memory.uint8(capacity);
    this.transactionId = textColumn(capacity, memory);
    this.player = textColumn(capacity, memory);
    this.currency = textColumn(capacity, memory);
    this.round = textColumn(capacity, memory);
    this.reference = textColumn(capacity, memory);
    this.game = textColumn(capacity, memory);
    this.metadata = textColumn(capacity, memory);
    this.to = textColumn(capacity, memory);
    this.reason = textColumn(capacity, memory);
    this.definition = textColumn(capacity, memory);
  }
}

function textColumn(capacity: number, memory: ColumnMemory): TextColumn {
  return { at: memory.uint32(capacity), byteCount: memory.uint16(capacity) };
}

// The transactions of one slice, decoded: a column for each field, so that a frame is worked in
// passes without an object per transaction (design section 5). The gateway's decoder fills it, the
// core reads it. Ids and texts are not copied: a column holds their place in a frame's bytes.
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

  constructor(capacity: number = ATOMIC_TRANSACTIONS_MAX) {
    this.capacity = capacity;
    this.sourceIndex = new Uint16Array(capacity);
    this.problem = new Uint8Array(capacity);
    this.kind = new Uint8Array(capacity);
    this.fields = new Uint32Array(capacity);
    this.kindsAllowed = new Uint32Array(capacity);
    this.operator = new Uint16Array(capacity);
    this.provider = new Uint16Array(capacity);
    this.amountMinor = new Float64Array(capacity);
    this.sentAtMs = new Float64Array(capacity);
    this.expiresInMs = new Float64Array(capacity);
    this.status = new Uint8Array(capacity);
    this.transactionId = textColumn(capacity);
    this.player = textColumn(capacity);
    this.currency = textColumn(capacity);
    this.round = textColumn(capacity);
    this.reference = textColumn(capacity);
    this.game = textColumn(capacity);
    this.metadata = textColumn(capacity);
    this.to = textColumn(capacity);
    this.reason = textColumn(capacity);
    this.definition = textColumn(capacity);
  }
}

function textColumn(capacity: number): TextColumn {
  return { at: new Uint32Array(capacity), byteCount: new Uint16Array(capacity) };
}

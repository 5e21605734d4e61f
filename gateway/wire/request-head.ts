// Reads the head of a request frame: [type, requestId, list…]. Done once when the frame arrives, to
// count what it asks for, and nothing more of it is looked at before its turn. Lane's thread only.
import { BROKEN, countHeadBytes, readArrayCount, readWholeNumber } from './msgpack-value.ts';

/** The types of requests in kassa.v1. */
export const RequestType = { transactions: 1, atomicBatch: 2, balances: 3, ping: 4 } as const;

/** What the head says; an owner keeps one and has it filled. */
export interface RequestHead {
  /** A number of RequestType, or 0 for a request of another type or form, to be refused. */
  type: number;
  requestId: number;
  /** Elements of the list; 0 for a ping. */
  count: number;
  /** Offset of the list's first element. */
  at: number;
}

const scratch: Float64Array = new Float64Array(1);

/**
 * Fills `head` from the bytes; false when they are no request at all (no array, no request id), so
 * that it cannot be answered.
 */
export function readRequestHead(
  view: DataView,
  at: number,
  end: number,
  head: RequestHead,
): boolean {
  const elements = readArrayCount(view, at, end);
  if (elements < 2) return false;
  let next = readWholeNumber(view, at + countHeadBytes(view, at), end, scratch, 0);
  if (next === BROKEN) return false;
  const type = scratch[0];
  next = readWholeNumber(view, next, end, scratch, 0);
  if (next === BROKEN) return false;
  const requestId = scratch[0];
  if (!(requestId >= 0 && requestId <= Number.MAX_SAFE_INTEGER)) return false;
  head.requestId = requestId;
  head.type = 0;
  head.count = 0;
  head.at = next;
  if (type === RequestType.ping) {
    if (elements === 2 && next === end) head.type = type;
    return true;
  }
  if (!(type >= RequestType.transactions && type <= RequestType.balances)) return true;
  if (elements !== 3) return true;
  const count = readArrayCount(view, next, end);
  if (count < 0) return true;
  head.type = type;
  head.count = count;
  head.at = next + countHeadBytes(view, next);
  return true;
}

// Collects the body of an HTTP request up to a bound. The library's chunks are valid only inside
// its callback, so they are copied. Lane's thread only; an aborted request is forgotten.
import type { HttpResponse } from 'uWebSockets.js';

/**
 * Calls `done` once with the whole body, or with undefined as soon as it passes `bytesMax`; not at
 * all when the client goes away before.
 */
export function collectBody(
  response: HttpResponse,
  bytesMax: number,
  done: (body: Uint8Array | undefined) => void,
): void {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  let isOver = false;
  response.onAborted(() => {
    isOver = true;
  });
  response.onData((chunk, isLast) => {
    if (isOver) return;
    byteCount += chunk.byteLength;
    if (byteCount > bytesMax) {
      isOver = true;
      done(undefined);
      return;
    }
    if (isLast) {
      isOver = true;
      done(chunks.length === 0 ? new Uint8Array(chunk) : joined(chunks, chunk, byteCount));
    } else chunks.push(new Uint8Array(chunk.slice(0)));
  });
}

function joined(chunks: readonly Uint8Array[], last: ArrayBuffer, byteCount: number): Uint8Array {
  const body = new Uint8Array(byteCount);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  body.set(new Uint8Array(last), at);
  return body;
}

// Reads what an echo server sends back: the request itself. For the calibration, which measures the
// same sockets and frames with a server that does nothing.
import type { AnswerReader } from './load-connection.ts';

// After the array's head, the type and the byte that opens a 32-bit number.
const REQUEST_ID_OFFSET = 3;

/** Takes each frame as the answer to one transaction. */
export class EchoReader implements AnswerReader {
  requestId = 0;
  readonly position = 0;
  readonly outcomeCount = 1;

  walk(_bytes: Uint8Array, view: DataView, at: number, end: number): number {
    this.requestId = view.getUint32(at + REQUEST_ID_OFFSET);
    return end;
  }
}

// Brings texts into the kernel's memory, where they must lie to be hashed and recorded. Those of
// one pass mostly lie close together in one frame or block, so a run of them is copied in one
// piece. All stages of a thread write to the same place; the content lasts for one pass.
import { assert } from '../assert.ts';
import type { FrameSource } from '../transaction-columns.ts';
import { kernelBytes, SLACK_BYTES, SPAN_BYTES_MAX, STAGE_AT, STAGE_BYTES } from './kernel.ts';

/** What `place` returns for a span that is too long: no distance between two places. */
export const NOT_STAGED = 0x7fffffff;

/**
 * Copies texts of rows to the kernel. `place` tells where the bytes of a source will be; they are
 * there once `flush` was called.
 */
export class TextStage {
  #usedBytes = 0;
  #source: FrameSource | null = null;
  /** The run in hand: bytes of its source. */
  #from = 0;
  #until = 0;

  /** Begins anew: what was staged is not needed any more. */
  clear(): void {
    this.#usedBytes = 0;
    this.#source = null;
  }

  /**
   * Sees to the bytes from `from` to `until` − 1 of a source; returns what is to be added to a
   * place there to get its address here, or NOT_STAGED where that would lengthen what is staged by
   * more than SPAN_BYTES_MAX.
   */
  place(source: FrameSource, from: number, until: number): number {
    const fits =
      source === this.#source && from >= this.#from && until <= this.#until + SPAN_BYTES_MAX;
    if (!fits) {
      if (until - from > SPAN_BYTES_MAX) return NOT_STAGED;
      this.flush();
      this.#source = source;
      this.#from = from;
      this.#until = until;
    } else if (until > this.#until) this.#until = until;
    return STAGE_AT + this.#usedBytes - this.#from;
  }

  /** Copies one text by itself; returns its address. */
  placeAlone(source: FrameSource, from: number, byteCount: number): number {
    this.flush();
    const distance = this.place(source, from, from + byteCount);
    assert(distance !== NOT_STAGED, 'a text that is hashed is short');
    this.flush();
    return from + distance;
  }

  /** Copies the run in hand. */
  flush(): void {
    const source = this.#source;
    if (source === null) return;
    const at = STAGE_AT + this.#usedBytes;
    const byteCount = this.#until - this.#from;
    assert(this.#usedBytes + byteCount + SLACK_BYTES <= STAGE_BYTES, 'texts of a pass are staged');
    kernelBytes.set(source.bytes.subarray(this.#from, this.#until), at);
    this.#usedBytes += byteCount + SLACK_BYTES;
    this.#source = null;
  }
}

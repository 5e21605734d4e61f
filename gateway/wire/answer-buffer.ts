// A growing run of bytes that answers are written to, msgpack value by msgpack value. Owned by one
// connection (or one HTTP request) of a lane; lane's thread only. Nothing is allocated per value.
// Callers reserve room first, so that the writers below check no bounds of their own.
import { assert } from '../../core/assert.ts';

/** Size of a buffer's memory before the first growth: an idle connection costs no more. */
export const ANSWER_BYTES_START = 512;

/** Above this an emptied buffer gives its memory back. */
const ANSWER_BYTES_KEPT = 262_144;

const TWO_TO_32 = 4_294_967_296;
const TWO_TO_MINUS_32: number = 1 / TWO_TO_32;

/**
 * Answers not sent yet lie at `startAt` to `usedBytes`. Offsets given to callers stay valid until
 * `discard` is told that everything before an offset was sent: marks count from `base`.
 */
export class AnswerBuffer {
  bytes: Uint8Array = new Uint8Array(ANSWER_BYTES_START);
  view: DataView = new DataView(this.bytes.buffer);
  /** Offset in `bytes` of the first byte that is not sent. */
  startAt = 0;
  usedBytes = 0;
  /** Bytes that ever lay before bytes[0]: mark = base + offset. */
  base = 0;

  /** Makes room for so many more bytes. */
  reserve(byteCount: number): void {
    if (this.usedBytes + byteCount > this.bytes.byteLength) this.#grow(byteCount);
  }

  /** The end of what was written, as a mark that survives growth and discards. */
  get mark(): number {
    return this.base + this.usedBytes;
  }

  /** The unsent bytes before the mark: a view, valid until the next call on this buffer. */
  takeUntil(mark: number): Uint8Array {
    const end = mark - this.base;
    assert(end >= this.startAt && end <= this.usedBytes, 'a mark lies in the unsent bytes');
    const taken = this.bytes.subarray(this.startAt, end);
    this.startAt = end;
    return taken;
  }

  /** Gives back the memory of what was taken, when that costs no copying. */
  discard(): void {
    if (this.startAt < this.usedBytes) return;
    this.base += this.usedBytes;
    this.startAt = 0;
    this.usedBytes = 0;
    if (this.bytes.byteLength > ANSWER_BYTES_KEPT) this.#replace(ANSWER_BYTES_START);
  }

  // Moves the unsent bytes to the front when that frees half, else doubles.
  #grow(byteCount: number): void {
    const unsentBytes = this.usedBytes - this.startAt;
    const neededBytes = unsentBytes + byteCount;
    let capacityBytes = this.bytes.byteLength;
    while (capacityBytes < neededBytes * 2) capacityBytes *= 2;
    if (capacityBytes === this.bytes.byteLength) {
      this.bytes.copyWithin(0, this.startAt, this.usedBytes);
    } else {
      const unsent = this.bytes.subarray(this.startAt, this.usedBytes);
      this.#replace(capacityBytes);
      this.bytes.set(unsent);
    }
    this.base += this.startAt;
    this.startAt = 0;
    this.usedBytes = unsentBytes;
  }

  #replace(capacityBytes: number): void {
    this.bytes = new Uint8Array(capacityBytes);
    this.view = new DataView(this.bytes.buffer);
  }
}

/** Writes a whole number between −(2^53−1) and 2^53−1 in its shortest form: 9 bytes at most. */
export function writeWhole(buffer: AnswerBuffer, value: number): void {
  buffer.usedBytes = putWhole(buffer.view, buffer.usedBytes, value);
}

/**
 * The same at an offset; returns the one behind it. Outcomes are written with this: nine values
 * through the buffer's fields took twice as long.
 */
export function putWhole(view: DataView, at: number, value: number): number {
  if (value >= 0 && value < 0x80) {
    view.setUint8(at, value);
    return at + 1;
  }
  if (value >= 0 && value <= 0xffffffff) return putUnsigned(view, at, value);
  return putSigned(view, at, value);
}

function putUnsigned(view: DataView, at: number, value: number): number {
  if (value <= 0xff) {
    view.setUint16(at, 0xcc00 | value);
    return at + 2;
  }
  if (value <= 0xffff) {
    view.setUint8(at, 0xcd);
    view.setUint16(at + 1, value);
    return at + 3;
  }
  view.setUint8(at, 0xce);
  view.setUint32(at + 1, value);
  return at + 5;
}

function putSigned(view: DataView, at: number, value: number): number {
  if (value >= 0) return putLong(view, at, 0xcf, value);
  if (value >= -32) {
    view.setInt8(at, value);
    return at + 1;
  }
  if (value < -0x80000000) return putLong(view, at, 0xd3, value);
  view.setUint8(at, 0xd2);
  view.setInt32(at + 1, value);
  return at + 5;
}

function putLong(view: DataView, at: number, head: 0xcf | 0xd3, value: number): number {
  view.setUint8(at, head);
  setLong(view, at + 1, value);
  return at + 9;
}

/** Writes an unsigned 64-bit form whatever the value: a position that is filled in later. */
export function writeLong(buffer: AnswerBuffer, value: number): void {
  buffer.usedBytes = putLong(buffer.view, buffer.usedBytes, 0xcf, value);
}

/** Stores the 64 bits of a whole number, two's complement below zero. */
export function setLong(view: DataView, at: number, value: number): void {
  const high = Math.floor(value * TWO_TO_MINUS_32);
  view.setInt32(at, high);
  view.setUint32(at + 4, value - high * TWO_TO_32);
}

/** Writes the head of an array. */
export function writeArrayHead(buffer: AnswerBuffer, elementCount: number): void {
  const { view, usedBytes: at } = buffer;
  if (elementCount < 16) {
    view.setUint8(at, 0x90 | elementCount);
    buffer.usedBytes = at + 1;
  } else {
    assert(elementCount <= 0xffff, 'an answer has at most 65,535 elements');
    view.setUint8(at, 0xdc);
    view.setUint16(at + 1, elementCount);
    buffer.usedBytes = at + 3;
  }
}

/** Writes a short text of ASCII, at most 255 bytes; the caller reserved 2 bytes more than that. */
export function writeShortText(buffer: AnswerBuffer, text: string): void {
  assert(text.length <= 0xff, 'texts in answers are short');
  const { view } = buffer;
  view.setUint16(buffer.usedBytes, 0xd900 | text.length);
  for (let place = 0; place < text.length; place += 1) {
    view.setUint8(buffer.usedBytes + 2 + place, text.charCodeAt(place));
  }
  buffer.usedBytes += 2 + text.length;
}

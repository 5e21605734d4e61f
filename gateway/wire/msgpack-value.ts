// Reading single msgpack values out of a client's bytes: whole numbers in every encoding, the heads
// of arrays and maps, and passing over a value of any type. Free functions, any thread; nothing is
// allocated, nothing thrown, nothing recursive: a client cannot exhaust the stack by nesting.
// https://github.com/msgpack/msgpack/blob/master/spec.md
import { assert } from '../../core/assert.ts';

/** What a reader returns in place of the next offset when the value is cut off or no msgpack. */
export const BROKEN = -1;

/** The byte of nil. */
export const NIL = 0xc0;

const TWO_TO_32 = 4_294_967_296;
/** Bytes of the head of 0xc4…0xdf that has no elements of its own; 0: see passOver. */
const FIXED_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, head) => {
  if (head <= 0x7f || head >= 0xe0 || head === 0xc0 || head === 0xc2 || head === 0xc3) return 1;
  if (head >= 0xa0 && head <= 0xbf) return 1 + (head & 0x1f);
  const known: Record<number, number> = {
    202: 5,
    203: 9,
    204: 2,
    205: 3,
    206: 5,
    207: 9,
    208: 2,
    209: 3,
    210: 5,
    211: 9,
    212: 3,
    213: 4,
    214: 6,
    215: 10,
    216: 18,
  };
  return known[head] ?? 0;
});

/**
 * Reads the number at `at` into `into[slot]` and returns the offset behind it, or BROKEN. A value
 * that is no whole number (a fraction, NaN, an infinity, another type) is passed over and stored as
 * NaN. Beyond ±2^53 the nearest double is stored, which stays beyond: the range check refuses it.
 */
export function readWholeNumber(
  view: DataView,
  at: number,
  end: number,
  into: Float64Array,
  slot: number,
): number {
  if (at >= end) return BROKEN;
  const head = view.getUint8(at);
  if (head > 0x7f) return readWideNumber(view, at, end, into, slot);
  into[slot] = head;
  return at + 1;
}

// Apart, so that the compiler puts the short form above into its callers.
function readWideNumber(
  view: DataView,
  at: number,
  end: number,
  into: Float64Array,
  slot: number,
): number {
  const head = view.getUint8(at);
  if (head >= 0xe0) {
    into[slot] = head - 256;
    return at + 1;
  }
  if (head < 0xca || head > 0xd3) {
    into[slot] = Number.NaN;
    return passOver(view, at, end);
  }
  const next = at + FIXED_BYTES[head];
  if (next > end) return BROKEN;
  const value = readLongNumber(view, head, at + 1);
  into[slot] = Number.isInteger(value) ? value + 0 : Number.NaN;
  return next;
}

// The forms with a head of their own, 0xca to 0xd3; `+ 0` above makes a float's −0 a plain 0.
function readLongNumber(view: DataView, head: number, at: number): number {
  switch (head) {
    case 0xca:
      return view.getFloat32(at);
    case 0xcb:
      return view.getFloat64(at);
    case 0xcc:
      return view.getUint8(at);
    case 0xcd:
      return view.getUint16(at);
    case 0xce:
      return view.getUint32(at);
    case 0xcf:
      return view.getUint32(at) * TWO_TO_32 + view.getUint32(at + 4);
    case 0xd0:
      return view.getInt8(at);
    case 0xd1:
      return view.getInt16(at);
    case 0xd2:
      return view.getInt32(at);
    default:
      return view.getInt32(at) * TWO_TO_32 + view.getUint32(at + 4);
  }
}

/** Elements of the array at `at`, or BROKEN if it is cut off, or −2 for a value of another type. */
export function readArrayCount(view: DataView, at: number, end: number): number {
  return readCount(view, at, end, 0x90);
}

/** Pairs of the map at `at`, or BROKEN if it is cut off, or −2 for a value of another type. */
export function readMapCount(view: DataView, at: number, end: number): number {
  return readCount(view, at, end, 0x80);
}

function readCount(view: DataView, at: number, end: number, fixedHead: number): number {
  if (at >= end) return BROKEN;
  const head = view.getUint8(at);
  if ((head & 0xf0) === fixedHead) return head & 0x0f;
  const shortHead = fixedHead === 0x90 ? 0xdc : 0xde;
  if (head === shortHead) return at + 3 > end ? BROKEN : view.getUint16(at + 1);
  if (head === shortHead + 1) return at + 5 > end ? BROKEN : view.getUint32(at + 1);
  return -2;
}

/** Bytes of the head of the array or map at `at`, which readArrayCount or readMapCount accepted. */
export function countHeadBytes(view: DataView, at: number): number {
  const head = view.getUint8(at);
  if (head < 0xa0) return 1;
  return head === 0xdc || head === 0xde ? 3 : 5;
}

/**
 * The offset behind the value at `at`, whatever it is, or BROKEN. The work is bounded by end − at:
 * nested elements are counted, not descended into.
 */
export function passOver(view: DataView, at: number, end: number): number {
  assert(at >= 0 && end <= view.byteLength, 'a value is looked for inside its bytes');
  let waiting = 1;
  let next = at;
  while (waiting > 0) {
    if (next >= end) return BROKEN;
    const head = view.getUint8(next);
    const fixedBytes = FIXED_BYTES[head];
    waiting -= 1;
    if (fixedBytes > 0) next += fixedBytes;
    else if (head <= 0x9f || head >= 0xdc) {
      const count = head <= 0x8f || head >= 0xde ? 2 : 1;
      const elements = readCount(view, next, end, count === 2 ? 0x80 : 0x90);
      if (elements < 0) return BROKEN;
      waiting += elements * count;
      next += countHeadBytes(view, next);
    } else {
      next = passOverBytes(view, next, end, head);
      if (next === BROKEN) return BROKEN;
    }
  }
  return next <= end ? next : BROKEN;
}

// bin (0xc4–c6), ext (0xc7–c9) and str (0xd9–db) carry their length in 1, 2 or 4 bytes; 0xc1 is
// none.
function passOverBytes(view: DataView, at: number, end: number, head: number): number {
  if (head === 0xc1) return BROKEN;
  const first = head >= 0xd9 ? 0xd9 : head >= 0xc7 ? 0xc7 : 0xc4;
  const lengthBytes = 1 << (head - first);
  if (at + 1 + lengthBytes > end) return BROKEN;
  const valueBytes =
    lengthBytes === 1
      ? view.getUint8(at + 1)
      : lengthBytes === 2
        ? view.getUint16(at + 1)
        : view.getUint32(at + 1);
  return at + 1 + lengthBytes + (first === 0xc7 ? 1 : 0) + valueBytes;
}

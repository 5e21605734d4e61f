// Whether bytes are text as ids must be: well-formed UTF-8 without control characters (design
// section 4). ASCII, which is nearly all there is, is checked four bytes at a time: 9 words for an
// id of 36 bytes instead of 36 loads. Free functions, any thread; nothing is allocated.

const HIGH_BITS = 0x80808080 | 0;
const ONES = 0x01010101;
const SPACES = 0x20202020;

/**
 * Whether all of `byteCount` bytes from `at` are 0x20 to 0x7e. Per byte of a word without high
 * bits, + 1 sets the high bit of 0x7f only, and (0x80 | byte) − 0x20 clears it below 0x20 only;
 * neither carries into the next byte. The last word overlaps the one before it instead of a loop of
 * bytes.
 */
export function isPlainText(view: DataView, at: number, byteCount: number): boolean {
  if (byteCount < 4) {
    for (let offset = at; offset < at + byteCount; offset += 1) {
      const byte = view.getUint8(offset);
      if (byte < 0x20 || byte >= 0x7f) return false;
    }
    return true;
  }
  const last = at + byteCount - 4;
  let wrong = 0;
  for (let offset = at; offset < last; offset += 4) {
    const word = view.getInt32(offset, true);
    wrong |= word | (word + ONES) | ~((word | HIGH_BITS) - SPACES);
  }
  const word = view.getInt32(last, true);
  wrong |= word | (word + ONES) | ~((word | HIGH_BITS) - SPACES);
  return (wrong & HIGH_BITS) === 0;
}

/**
 * Whether the bytes are well-formed UTF-8 (Unicode 16, table 3-7: no overlong forms, no surrogates,
 * nothing above U+10FFFF), and, unless allowed, hold no U+0000–001F and no U+007F.
 */
export function isWellFormedText(
  bytes: Uint8Array,
  at: number,
  byteCount: number,
  controlsAllowed = false,
): boolean {
  const end = at + byteCount;
  let offset = at;
  while (offset < end) {
    const first = bytes[offset];
    if (first < 0x80) {
      if (!controlsAllowed && (first < 0x20 || first === 0x7f)) return false;
      offset += 1;
      continue;
    }
    const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length === 0 || offset + length > end) return false;
    if (!isContinued(bytes, offset, length)) return false;
    offset += length;
  }
  return true;
}

function isContinued(bytes: Uint8Array, offset: number, length: number): boolean {
  const first = bytes[offset];
  const second = bytes[offset + 1];
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return false;
  for (let place = 2; place < length; place += 1) {
    if ((bytes[offset + place] & 0xc0) !== 0x80) return false;
  }
  return true;
}

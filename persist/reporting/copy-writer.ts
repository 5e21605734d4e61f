// Rows in the binary format of Postgres' COPY, written into one growing buffer. Numbers are big
// endian, each field has its length before it, −1 for null.
//
//   signature (11) | flags (4) | extension (4) | row: field count (2), fields … | −1 (2)
//
// Text would have to be escaped and parsed again: binary takes Postgres half the time. For one
// thread; the bytes are valid until clear().
import { assert } from '../../core/assert.ts';

const SIGNATURE = [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00];
const HEAD_BYTES = 19;
const TRAILER_BYTES = 2;
const START_BYTES = 65_536;
const LIMB = 4_294_967_296;
/** Milliseconds from 1970, where our times begin, to 2000, where those of Postgres do. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const US_PER_MS = 1_000;
const INT2_OID = 21;
const INT8_OID = 20;
/** Digits of Postgres' numeric have four decimal places each. */
const NUMERIC_BASE = 10_000n;
const NUMERIC_NEGATIVE = 0x4000;

/** Signature of a stream of rows; 19 bytes. */
export const COPY_HEAD: Uint8Array = Uint8Array.from({ length: HEAD_BYTES }, (_, place) => {
  return SIGNATURE[place] ?? 0;
});

/** What ends a stream of rows. */
export const COPY_TRAILER: Uint8Array = new Uint8Array(TRAILER_BYTES).fill(0xff);

/** Rows of one table. */
export class CopyWriter {
  #bytes = new Uint8Array(START_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  rowCount = 0;

  /** Bytes written so far: where the next row begins. */
  get byteCount(): number {
    return this.#at;
  }

  /** The rows written so far, without head and trailer. Valid until the next row or clear(). */
  get rows(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** The memory, with room for so many bytes behind the rows. */
  makeRoom(byteCount: number): Uint8Array {
    this.#reserve(byteCount);
    return this.#bytes;
  }

  /** Forgets all rows and keeps the memory. */
  clear(): void {
    this.#at = 0;
    this.rowCount = 0;
  }

  /** Starts a row; `variableBytes` is the most that its texts, bytes and arrays take. */
  beginRow(fieldCount: number, variableBytes: number): void {
    this.#reserve(2 + fieldCount * 12 + variableBytes);
    this.#view.setInt16(this.#at, fieldCount);
    this.#at += 2;
    this.rowCount += 1;
  }

  null(): void {
    this.#view.setInt32(this.#at, -1);
    this.#at += 4;
  }

  boolean(value: boolean): void {
    this.#view.setInt32(this.#at, 1);
    this.#bytes[this.#at + 4] = value ? 1 : 0;
    this.#at += 5;
  }

  /** A smallint. */
  int16(value: number): void {
    this.#view.setInt32(this.#at, 2);
    this.#view.setInt16(this.#at + 4, value);
    this.#at += 6;
  }

  /** An integer. */
  int32(value: number): void {
    this.#view.setInt32(this.#at, 4);
    this.#view.setInt32(this.#at + 4, value);
    this.#at += 8;
  }

  /** An integer, or null for 0: numbers in the log begin at 1. */
  int32OrNull(value: number): void {
    if (value === 0) this.null();
    else this.int32(value);
  }

  /** A bigint: any safe whole number. */
  int64(value: number): void {
    const at = this.#at;
    this.#view.setInt32(at, 8);
    this.#view.setInt32(at + 4, Math.floor(value / LIMB));
    this.#view.setUint32(at + 8, value >>> 0);
    this.#at = at + 12;
  }

  /** A timestamptz from milliseconds since 1970. */
  time(timeMs: number): void {
    this.int64((timeMs - POSTGRES_EPOCH_MS) * US_PER_MS);
  }

  /** A text or bytea: bytes as they are. */
  bytes(source: Uint8Array, at: number, byteCount: number): void {
    const bytes = this.#bytes;
    let to = this.#at;
    this.#view.setInt32(to, byteCount);
    to += 4;
    // Ids are short: a call to copy them would take longer than the loop.
    for (let from = at; from < at + byteCount; from += 1) {
      bytes[to] = source[from];
      to += 1;
    }
    this.#at = to;
  }

  /** A jsonb, which has its version before the text. */
  json(text: string): void {
    const utf8 = Buffer.from(text);
    this.#view.setInt32(this.#at, utf8.byteLength + 1);
    this.#bytes[this.#at + 4] = 1;
    this.#bytes.set(utf8, this.#at + 5);
    this.#at += 5 + utf8.byteLength;
  }

  /** A numeric without a fraction; needs up to 32 of the row's variable bytes. */
  numeric(value: bigint): void {
    const digits: number[] = [];
    for (let rest = value < 0n ? -value : value; rest > 0n; rest /= NUMERIC_BASE) {
      digits.unshift(Number(rest % NUMERIC_BASE));
    }
    const view = this.#view;
    const at = this.#at;
    view.setInt32(at, 8 + digits.length * 2);
    view.setInt16(at + 4, digits.length);
    view.setInt16(at + 6, Math.max(digits.length - 1, 0));
    view.setInt16(at + 8, value < 0n ? NUMERIC_NEGATIVE : 0);
    view.setInt16(at + 10, 0);
    for (const [place, digit] of digits.entries()) view.setInt16(at + 12 + place * 2, digit);
    this.#at = at + 12 + digits.length * 2;
  }

  /** Starts an array of `count` smallints or bigints; each element follows by int16 or int64. */
  beginArray(element: 'smallint' | 'bigint', count: number): void {
    const elementBytes = element === 'smallint' ? 6 : 12;
    const view = this.#view;
    const at = this.#at;
    view.setInt32(at, 20 + count * elementBytes);
    view.setInt32(at + 4, 1);
    view.setInt32(at + 8, 0);
    view.setInt32(at + 12, element === 'smallint' ? INT2_OID : INT8_OID);
    view.setInt32(at + 16, count);
    view.setInt32(at + 20, 1);
    this.#at = at + 24;
  }

  #reserve(byteCount: number): void {
    const needed = this.#at + byteCount;
    if (needed <= this.#bytes.byteLength) return;
    assert(Number.isSafeInteger(needed), 'a row has a size');
    const grown = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2));
    grown.set(this.rows);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

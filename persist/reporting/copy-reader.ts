// Reads rows that Postgres sends in the binary format of COPY, in pieces of any length: how the
// reporter loads millions of rows without an object for each field. The mirror of copy-writer.ts.
import type { ClientBase } from 'pg';
import { to as copyTo } from 'pg-copy-streams';

const HEAD_BYTES = 19;
const LIMB = 4_294_967_296;

/** The row that is read now; its functions go field by field, in order. */
export class CopyRow {
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;

  begin(view: DataView, at: number): void {
    this.#view = view;
    this.#at = at + 2;
  }

  /** A smallint or integer; 0 for null. */
  integer(): number {
    const byteCount = this.#view.getInt32(this.#at);
    const at = this.#at + 4;
    this.#at = at + Math.max(byteCount, 0);
    if (byteCount < 0) return 0;
    return byteCount === 2 ? this.#view.getInt16(at) : this.#view.getInt32(at);
  }

  /** A bigint. */
  bigint(): number {
    const at = this.#at + 4;
    this.#at = at + 8;
    return this.#view.getInt32(at) * LIMB + this.#view.getUint32(at + 4);
  }

  text(): string {
    const byteCount = this.#view.getInt32(this.#at);
    const at = this.#at + 4;
    this.#at = at + byteCount;
    const { buffer, byteOffset } = this.#view;
    return Buffer.from(buffer, byteOffset + at, byteCount).toString();
  }

  /** Reads an array of smallints or bigints without nulls; returns how many, stored or not. */
  numbers(into: Float64Array): number {
    const view = this.#view;
    const start = this.#at + 4;
    this.#at = start + view.getInt32(this.#at);
    if (view.getInt32(start) === 0) return 0;
    const count = view.getInt32(start + 12);
    let at = start + 20;
    for (let place = 0; place < count; place += 1) {
      const byteCount = view.getInt32(at);
      at += 4;
      into[place] =
        byteCount === 2 ? view.getInt16(at) : view.getInt32(at) * LIMB + view.getUint32(at + 4);
      at += byteCount;
    }
    return count;
  }
}

/** Runs a query as COPY and hands over each row, valid until the function returns. */
export async function readRows(
  client: ClientBase,
  query: string,
  take: (row: CopyRow) => void,
): Promise<void> {
  const row = new CopyRow();
  let rest: Buffer = Buffer.alloc(0);
  let isHeadRead = false;
  const stream = client.query(copyTo(`copy (${query}) to stdout (format binary)`));
  for await (const piece of stream) {
    let bytes: Buffer = rest.byteLength === 0 ? piece : Buffer.concat([rest, piece]);
    if (!isHeadRead) {
      if (bytes.byteLength < HEAD_BYTES) {
        rest = bytes;
        continue;
      }
      bytes = bytes.subarray(HEAD_BYTES);
      isHeadRead = true;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    for (;;) {
      const end = endOfRow(view, at);
      if (end < 0) break;
      row.begin(view, at);
      take(row);
      at = end;
    }
    rest = Buffer.from(bytes.subarray(at));
  }
}

/** Where the row ends; −1 if it is not here as a whole, or is the trailer. */
function endOfRow(view: DataView, start: number): number {
  if (start + 2 > view.byteLength) return -1;
  const fieldCount = view.getInt16(start);
  if (fieldCount < 0) return -1;
  let at = start + 2;
  for (let field = 0; field < fieldCount; field += 1) {
    if (at + 4 > view.byteLength) return -1;
    at += 4 + Math.max(view.getInt32(at), 0);
  }
  return at > view.byteLength ? -1 : at;
}

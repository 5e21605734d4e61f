// A request frame prepared once and patched for each sending: WebSocket header, masking key,
// msgpack. The masking key is four zero bytes: legal on the wire (the mask bit is set, as RFC 6455
// demands of a client), but predictable, which only a client that no browser script steers may be.
// It makes masking free here; the server unmasks as always.
import { identifierText } from './identifiers.ts';

/** A transaction's constant parts; ids are written as placeholders of their length and patched. */
export interface TemplateRow {
  readonly kind: number;
  readonly amountMinor?: number;
  readonly roundBytes?: number;
  readonly isRoundEnd?: boolean;
  readonly hasReference?: boolean;
  readonly game?: string;
}

/** What all rows of a template share. */
export interface TemplateForm {
  readonly transactionBytes: number;
  readonly playerBytes: number;
  readonly currency: string;
  readonly seed: number;
}

/**
 * A frame's bytes and the places in it to patch; 0 stands for a part that the row does not have.
 */
export interface FrameTemplate {
  readonly bytes: Uint8Array;
  readonly requestIdAt: number;
  readonly rowCount: number;
  readonly transactionIdAt: Uint32Array;
  readonly playerAt: Uint32Array;
  readonly roundAt: Uint32Array;
  readonly referenceAt: Uint32Array;
}

const HEADER_BYTES_MAX = 14;
const ROW_BYTES_MAX = 400;
const FIN_BINARY = 0x82;
const MASKED = 0x80;
const BATCH = 1;
const ROUND_END = 1;
const NIL = 0xc0;
const UINT16 = 0xcd;
const UINT32 = 0xce;
const STR8 = 0xd9;
const ARRAY16 = 0xdc;
const FIXARRAY = 0x90;
const FIXSTR = 0xa0;
const FIXSTR_BYTES_MAX = 31;

/** Builds the template of one frame of independent transactions. */
export function buildTemplate(form: TemplateForm, rows: readonly TemplateRow[]): FrameTemplate {
  const writer = new Writer(HEADER_BYTES_MAX + 16 + rows.length * ROW_BYTES_MAX);
  const places = {
    transactionIdAt: new Uint32Array(rows.length),
    playerAt: new Uint32Array(rows.length),
    roundAt: new Uint32Array(rows.length),
    referenceAt: new Uint32Array(rows.length),
  };
  writer.at = HEADER_BYTES_MAX;
  writer.byte(FIXARRAY | 3);
  writer.byte(BATCH);
  writer.byte(UINT32);
  const requestIdAt = writer.at;
  writer.uint32(0);
  writer.byte(ARRAY16);
  writer.uint16(rows.length);
  for (const [index, row] of rows.entries()) writeRow(writer, places, { form, row, index });
  return finish(writer, requestIdAt, places);
}

type Places = Omit<FrameTemplate, 'bytes' | 'requestIdAt' | 'rowCount'>;

function writeRow(
  writer: Writer,
  places: Places,
  { form, row, index }: { form: TemplateForm; row: TemplateRow; index: number },
): void {
  const { transactionBytes, playerBytes, seed } = form;
  // Elements in the order of PROTOCOL.md; what stands at the end and is absent is left away.
  const hasPlay = row.roundBytes !== undefined;
  const elementCount = hasPlay ? 9 : row.amountMinor === undefined ? 4 : 5;
  writer.byte(FIXARRAY | elementCount);
  writer.byte(row.kind);
  places.transactionIdAt[index] = writer.text(identifierText(transactionBytes, seed + 1));
  places.playerAt[index] = writer.text(identifierText(playerBytes, seed + 2));
  writer.text(form.currency);
  if (row.amountMinor !== undefined) writer.amount(row.amountMinor);
  if (row.roundBytes === undefined) return;
  places.roundAt[index] = writer.text(identifierText(row.roundBytes, seed + 3));
  writer.byte(row.isRoundEnd === true ? ROUND_END : NIL);
  if (row.hasReference === true) {
    places.referenceAt[index] = writer.text(identifierText(transactionBytes, seed + 1));
  } else {
    writer.byte(NIL);
  }
  if (row.game === undefined) writer.byte(NIL);
  else writer.text(row.game);
}

// The header's length depends on the payload's, so it is written last, before the payload.
function finish(writer: Writer, requestIdAt: number, places: Places): FrameTemplate {
  const payloadBytes = writer.at - HEADER_BYTES_MAX;
  const headerBytes = payloadBytes < 126 ? 6 : payloadBytes < 65_536 ? 8 : 14;
  const start = HEADER_BYTES_MAX - headerBytes;
  const end = writer.at;
  writer.at = start;
  writer.byte(FIN_BINARY);
  if (headerBytes === 6) {
    writer.byte(MASKED | payloadBytes);
  } else if (headerBytes === 8) {
    writer.byte(MASKED | 126);
    writer.uint16(payloadBytes);
  } else {
    writer.byte(MASKED | 127);
    writer.uint32(0);
    writer.uint32(payloadBytes);
  }
  const moved = (places_: Uint32Array) => places_.map((at) => (at === 0 ? 0 : at - start));
  return {
    bytes: writer.bytes.slice(start, end),
    requestIdAt: requestIdAt - start,
    rowCount: places.playerAt.length,
    transactionIdAt: moved(places.transactionIdAt),
    playerAt: moved(places.playerAt),
    roundAt: moved(places.roundAt),
    referenceAt: moved(places.referenceAt),
  };
}

class Writer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 0;

  constructor(byteCount: number) {
    this.bytes = new Uint8Array(byteCount);
    this.view = new DataView(this.bytes.buffer);
  }

  byte(value: number): void {
    this.bytes[this.at] = value;
    this.at += 1;
  }

  uint16(value: number): void {
    this.view.setUint16(this.at, value);
    this.at += 2;
  }

  uint32(value: number): void {
    this.view.setUint32(this.at, value);
    this.at += 4;
  }

  amount(amountMinor: number): void {
    if (amountMinor < 65_536) {
      this.byte(UINT16);
      this.uint16(amountMinor);
    } else {
      this.byte(UINT32);
      this.uint32(amountMinor);
    }
  }

  /** Returns where the text's bytes begin. */
  text(text: string): number {
    if (text.length > FIXSTR_BYTES_MAX) this.byte(STR8);
    this.byte(text.length > FIXSTR_BYTES_MAX ? text.length : FIXSTR | text.length);
    const at = this.at;
    this.at += new TextEncoder().encodeInto(text, this.bytes.subarray(at)).written;
    return at;
  }
}

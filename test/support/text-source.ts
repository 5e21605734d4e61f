// Texts as the core reads them: bytes somewhere in a source. Used by tests only.
import type { FrameSource } from '../../core/transaction-columns.ts';

/** A source that holds just these bytes. */
export function sourceOf(bytes: Uint8Array): FrameSource {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** A source that holds just this text in UTF-8. */
export function sourceOfText(text: string): FrameSource {
  return sourceOf(new TextEncoder().encode(text));
}

// Numbers for texts that come again and again, such as games: by the text's bytes, without making a
// string of them. A small cache by a hash of the bytes answers nearly always, in some 30 ns; a
// decoded string took 200. For one thread.

const CACHE_SLOTS = 4_096;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Texts numbered from 1 in the order of their first coming, unless loaded otherwise. */
export class TextNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #texts: Uint8Array[] = [];
  readonly #cache = new Uint32Array(CACHE_SLOTS);
  #fresh: [number: number, text: string][] = [];

  /** The number of a text; a new one gets the next number. 0 for no text. */
  numberOf(bytes: Uint8Array, at: number, byteCount: number): number {
    if (byteCount === 0) return 0;
    let hash = FNV_OFFSET;
    for (let from = at; from < at + byteCount; from += 1) {
      hash = Math.imul(hash ^ bytes[from], FNV_PRIME);
    }
    const slot = (hash >>> 0) % CACHE_SLOTS;
    const cached = this.#cache[slot];
    if (cached > 0 && equals(this.#texts[cached], bytes, at, byteCount)) return cached;
    const number = this.numberOfText(Buffer.from(bytes.subarray(at, at + byteCount)).toString());
    this.#cache[slot] = number;
    return number;
  }

  /** See numberOf. */
  numberOfText(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#numbers.size + 1;
    this.load(number, text);
    this.#fresh.push([number, text]);
    return number;
  }

  /** Takes over a number that is known already. */
  load(number: number, text: string): void {
    this.#numbers.set(text, number);
    this.#texts[number] = Buffer.from(text);
  }

  /** Those numbered since the last call. */
  takeFresh(): [number: number, text: string][] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }
}

function equals(text: Uint8Array, bytes: Uint8Array, at: number, byteCount: number): boolean {
  if (text.length !== byteCount) return false;
  for (let offset = 0; offset < byteCount; offset += 1) {
    if (text[offset] !== bytes[at + offset]) return false;
  }
  return true;
}

// How a round is known while its records are counted: by a hash of its name, made from the bytes of
// a record without a string. Names are compared where hashes agree, so a hash may collide.
//
//   round key: 'r' and the id that the sender named; of a nameless round, which is its bet's or
//   win's alone, 'b' or 'w' and that one's transaction id
import type { TextPlace } from './journal-row.ts';

/** A round; `roundKey` has a unit for each byte of UTF-8 (latin1), which is quick to make. */
export interface RoundName {
  readonly accountId: number;
  readonly providerId: number;
  readonly roundKey: string;
}

/** What stands before the id in a round's key. */
export type RoundSort = 'r' | 'b' | 'w';

const FIRST_SEED: number = 0xdeadbeef;
const SECOND_SEED: number = 0x41c6ce57;
const HIGH_BITS = 2_097_151;
const LIMB = 4_294_967_296;

/** A hash of 53 bits. */
export function hashOfRound(
  accountId: number,
  providerId: number,
  sort: RoundSort,
  { source, at, byteCount }: TextPlace,
): number {
  let first = Math.imul(FIRST_SEED ^ accountId, 2_654_435_761);
  let second = Math.imul(SECOND_SEED ^ providerId, 1_597_334_677) ^ sort.charCodeAt(0);
  for (let from = at; from < at + byteCount; from += 1) {
    first = Math.imul(first ^ source[from], 2_654_435_761);
    second = Math.imul(second ^ source[from], 1_597_334_677);
  }
  first = Math.imul(first ^ (first >>> 16), 2_246_822_507) ^ (second >>> 13);
  second = Math.imul(second ^ (second >>> 16), 2_246_822_507) ^ (first >>> 13);
  return LIMB * (HIGH_BITS & second) + (first >>> 0);
}

/** The same of a name. */
export function hashOfName({ accountId, providerId, roundKey }: RoundName): number {
  const source = Buffer.from(roundKey.slice(1), 'latin1');
  const text = { source, at: 0, byteCount: source.byteLength };
  return hashOfRound(accountId, providerId, sortOf(roundKey), text);
}

/** Whether a name is that of these bytes. */
export function isRound(
  name: RoundName,
  accountId: number,
  providerId: number,
  sort: RoundSort,
  { source, at, byteCount }: TextPlace,
): boolean {
  const { roundKey } = name;
  if (name.accountId !== accountId || name.providerId !== providerId) return false;
  if (roundKey.length !== byteCount + 1 || roundKey[0] !== sort) return false;
  for (let offset = 0; offset < byteCount; offset += 1) {
    if (roundKey.charCodeAt(offset + 1) !== source[at + offset]) return false;
  }
  return true;
}

/** The key of a round for memory. */
export function roundKeyOf(sort: RoundSort, { source, at, byteCount }: TextPlace): string {
  const id = Buffer.from(source.buffer, source.byteOffset + at, byteCount).toString('latin1');
  return sort + id;
}

/** The key as Postgres has it. */
export function roundKeyText(roundKey: string): string {
  return Buffer.from(roundKey, 'latin1').toString();
}

/** The key for memory of one that came from Postgres. */
export function roundKeyFrom(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function sortOf(roundKey: string): RoundSort {
  const sort = roundKey[0];
  return sort === 'b' || sort === 'w' ? sort : 'r';
}

// Rounds whose hashes are equal, made by running the hash of round-name.ts backwards: each of its
// steps can be undone but the last, which drops eleven bits. Used by tests only.
import { emptyRow, type JournalRow, setText } from '../../../persist/reporting/journal-row.ts';
import { hashOfName, type RoundName } from '../../../persist/reporting/round-name.ts';

const FIRST_SEED = 0xdeadbeef;
const SECOND_SEED = 0x41c6ce57;
const FIRST_FACTOR = 2_654_435_761;
const SECOND_FACTOR = 1_597_334_677;
const FIRST_MIX = 2_246_822_507;
const DROPPED = 2 ** 11;
const KEPT_BITS = 21;

/** A round with a name of its own and this hash; `variant` below 2^11 makes another. */
export function roundWithHash(hash: number, variant: number, id: string): RoundName {
  const first = hash | 0;
  const second = Math.floor(hash / 2 ** 32) | ((variant % DROPPED) << KEPT_BITS);
  let secondSum = unmix(second ^ (first >>> 13));
  let firstSum = unmix(first ^ (secondSum >>> 13));
  for (const byte of [...Buffer.from(id)].reverse()) {
    firstSum = Math.imul(firstSum, inverseOf(FIRST_FACTOR)) ^ byte;
    secondSum = Math.imul(secondSum, inverseOf(SECOND_FACTOR)) ^ byte;
  }
  const accountId = Math.imul(firstSum, inverseOf(FIRST_FACTOR)) ^ FIRST_SEED;
  const sort = 'r'.charCodeAt(0);
  const providerId = Math.imul(secondSum ^ sort, inverseOf(SECOND_FACTOR)) ^ SECOND_SEED;
  const round = { accountId, providerId, roundKey: `r${id}` };
  if (hashOfName(round) !== hash) throw new Error('The hash of rounds is another one than here');
  return round;
}

/** A row of a bet or win in such a round. */
export function rowIn(
  { accountId, providerId, roundKey }: RoundName,
  sequence: number,
): JournalRow {
  const row = emptyRow();
  setText(row.round, roundKey.slice(1));
  return Object.assign(row, { accountId, providerId, sequence });
}

function unmix(mixed: number): number {
  const product = Math.imul(mixed, inverseOf(FIRST_MIX));
  return product ^ (product >>> 16);
}

/** The number that undoes a multiplication by an odd one, by Newton's way. */
function inverseOf(odd: number): number {
  let inverse = odd | 0;
  for (let step = 0; step < 5; step += 1) {
    inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse));
  }
  return inverse;
}

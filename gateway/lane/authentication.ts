// Checks the key of an upgrade or an HTTP request: `Authorization: Bearer <client id>.<secret>`,
// never in a URL. The log holds the SHA-256 of the secret; hashes are compared in constant time,
// for an unknown client too, so that the time taken tells nothing. Lane's thread only.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Client, Directory } from '../../core/policies/directory.ts';

const PREFIX = 'Bearer ';
/** Longer headers are not hashed: an id of 64 bytes and a secret of 190 fit. */
const HEADER_CHARACTERS_MAX = 262;
const NO_HASH = '0'.repeat(64);

/** The client whose valid key the header carries, or undefined. */
export function authenticate(directory: Directory, header: string): Client | undefined {
  if (!header.startsWith(PREFIX) || header.length > HEADER_CHARACTERS_MAX) return undefined;
  // The secret has no dot; an id may.
  const dotAt = header.lastIndexOf('.');
  if (dotAt < PREFIX.length) return undefined;
  const client = directory.client(header.slice(PREFIX.length, dotAt));
  const shown = createHash('sha256')
    .update(header.slice(dotAt + 1))
    .digest();
  const known = Buffer.from(client?.secretSha256 ?? NO_HASH, 'hex');
  const equal = known.length === shown.length && timingSafeEqual(known, shown);
  return equal && client !== undefined && !client.revoked ? client : undefined;
}

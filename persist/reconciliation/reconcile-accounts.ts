// Every account as the log has it at a position: owner, player, status and balances. Typed arrays
// in chunks, so that tens of millions of accounts neither become objects nor are copied to grow.
// Used by one thread, by the comparison of Postgres with the log.
import { crc32 } from 'node:zlib';
import { assert } from '../../core/assert.ts';

/** Accounts of one shard are numbered from here on: account_id = shard × 2^27 + row. */
export const ACCOUNTS_PER_SHARD: number = 2 ** 27;

const CHUNK_BITS = 14;
const CHUNK_ROWS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_ROWS - 1;

interface Chunk {
  readonly owner: Uint32Array;
  readonly playerChecksum: Uint32Array;
  readonly status: Uint8Array;
  /** Cash, bonus and held of each row. */
  readonly buckets: Float64Array;
}

/** The accounts of one shard, by row. */
export class ShardAccounts {
  rowCount = 0;
  readonly #chunks: Chunk[] = [];

  /** Enters the next account with empty buckets; rows come in order. */
  open(row: number, owner: number, player: Uint8Array): void {
    assert(row === this.rowCount, 'accounts are numbered in the order of opening');
    assert(row < ACCOUNTS_PER_SHARD, 'a shard has at most 2^27 accounts');
    if ((row & CHUNK_MASK) === 0) this.#chunks.push(makeChunk());
    const { owner: owners, playerChecksum } = this.#chunk(row);
    owners[row & CHUNK_MASK] = owner;
    playerChecksum[row & CHUNK_MASK] = crc32(player);
    this.rowCount += 1;
  }

  /** Sets all three buckets, in minor units. */
  setBuckets(row: number, cashMinor: number, bonusMinor: number, heldMinor: number): void {
    const { buckets } = this.#chunk(row);
    const at = (row & CHUNK_MASK) * 3;
    buckets[at] = cashMinor;
    buckets[at + 1] = bonusMinor;
    buckets[at + 2] = heldMinor;
  }

  setCash(row: number, cashMinor: number): void {
    this.#chunk(row).buckets[(row & CHUNK_MASK) * 3] = cashMinor;
  }

  setStatus(row: number, status: number): void {
    this.#chunk(row).status[row & CHUNK_MASK] = status;
  }

  /** 0 cash, 1 bonus, 2 held. */
  bucketMinor(row: number, bucket: number): number {
    return this.#chunk(row).buckets[(row & CHUNK_MASK) * 3 + bucket];
  }

  /** Operator's number × 256 + currency's number, in the shard's own numbering. */
  owner(row: number): number {
    return this.#chunk(row).owner[row & CHUNK_MASK];
  }

  status(row: number): number {
    return this.#chunk(row).status[row & CHUNK_MASK];
  }

  /** Whether this is the player whom the log opened the account for. */
  isPlayer(row: number, player: string): boolean {
    return this.#chunk(row).playerChecksum[row & CHUNK_MASK] === crc32(player);
  }

  #chunk(row: number): Chunk {
    assert(row >= 0 && row < this.rowCount + 1, 'a record names an account that was opened');
    return this.#chunks[row >>> CHUNK_BITS];
  }
}

function makeChunk(): Chunk {
  return {
    owner: new Uint32Array(CHUNK_ROWS),
    playerChecksum: new Uint32Array(CHUNK_ROWS),
    status: new Uint8Array(CHUNK_ROWS),
    buckets: new Float64Array(CHUNK_ROWS * 3),
  };
}

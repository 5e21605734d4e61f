// Tables filled to a size, and lookups in them at random: what a cache miss costs at that size.
import { assert } from '../../core/assert.ts';
import { TransactionKeys } from '../../core/decisions/transaction-keys.ts';
import { AccountTable } from '../../core/tables/account-table.ts';
import { MarkType, TransactionIndex } from '../../core/tables/transaction-index.ts';
import type { FrameSource } from '../../core/transaction-columns.ts';
import { mix, patchIdentifier } from '../load/identifiers.ts';

/** Lookups of one call, so that the call itself does not count. */
export const LOOKUPS_PER_CALL = 1_000;

const PLAYER_BYTES = 20;
const OWNER = 256;

/** A call that finds 1,000 accounts at random, by ids of 20 bytes, hash included. */
export function accountLookups(accountCount: number): () => void {
  const accounts = new AccountTable();
  const keys = new TransactionKeys(new Uint8Array(16).fill(3));
  const bytes = new Uint8Array(PLAYER_BYTES).fill(0x30);
  const source: FrameSource = { bytes, view: new DataView(bytes.buffer) };
  const player = { source, at: 0, byteCount: PLAYER_BYTES };
  const hash = new Int32Array(2);
  const setPlayer = (number: number) => {
    patchIdentifier(source.view, 0, mix(number));
    keys.hashAccount(OWNER, player, hash, 0);
  };
  for (let number = 0; number < accountCount; number += 1) {
    setPlayer(number);
    accounts.add(hash, 0, OWNER, source, 0, PLAYER_BYTES);
  }
  let turn = 0;
  return () => {
    for (let lookup = 0; lookup < LOOKUPS_PER_CALL; lookup += 1) {
      turn += 1;
      const number = mix(turn) % accountCount;
      setPlayer(number);
      const row = accounts.find(hash, 0, OWNER, source, 0, PLAYER_BYTES);
      assert(row === number, 'an account that was added is found');
    }
  };
}

/** A call that probes 1,000 keys at random that are in the index. */
export function keyLookups(keyCount: number): () => void {
  const index = new TransactionIndex();
  const key = new Int32Array(4);
  const setKey = (number: number) => {
    key[0] = mix(number);
    key[1] = mix(number ^ 0x5bd1e995);
    key[2] = number;
    key[3] = mix(number ^ 0x1b873593);
  };
  for (let number = 0; number < keyCount; number += 1) {
    setKey(number);
    index.insertMark(key, 0, MarkType.reversal, number + 1, 1);
  }
  let turn = 0;
  return () => {
    for (let lookup = 0; lookup < LOOKUPS_PER_CALL; lookup += 1) {
      turn += 1;
      const number = mix(turn) % keyCount;
      setKey(number);
      index.probe(key, 0);
      assert(index.markRow === number, 'a key that was entered is found');
    }
  };
}

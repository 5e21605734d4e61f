// The find pass: loads what deciding a slice will touch, in short loops of independent loads, so
// that many cache misses are under way at once instead of one behind another. It changes nothing
// and finds nothing for good; deciding looks up again, then in warm caches. Measured at 1 M
// accounts and some million keys: deciding with it takes two thirds of the time.
import { Field } from '../kinds.ts';
import { ResultCode } from '../result-codes.ts';
import type { TransactionColumns } from '../transaction-columns.ts';
import type { ShardState } from './shard-state.ts';
import type { SliceColumns } from './slice-columns.ts';

/**
 * Loads ahead for the rows; returns a number that depends on all loads, so that none is dropped.
 */
export function loadAhead(
  state: ShardState,
  columns: TransactionColumns,
  work: SliceColumns,
  from: number,
  to: number,
): number {
  return loadAccounts(state, work, from, to) ^ loadKeys(state, columns, work, from, to);
}

function loadAccounts(state: ShardState, work: SliceColumns, from: number, to: number): number {
  const { accounts } = state;
  const { code, keys, ahead } = work;
  for (let row = from; row < to; row += 1) {
    ahead[row] = code[row] === ResultCode.ok ? accounts.peekSlot(keys.account, row * 2) : 0;
  }
  for (let row = from; row < to; row += 1) {
    ahead[row] = ahead[row] === 0 ? -1 : accounts.peekRow(ahead[row]);
  }
  let loaded = 0;
  for (let row = from; row < to; row += 1) {
    if (ahead[row] !== -1) loaded ^= accounts.peekId(ahead[row] >>> 0);
  }
  return loaded;
}

function loadKeys(
  state: ShardState,
  columns: TransactionColumns,
  work: SliceColumns,
  from: number,
  to: number,
): number {
  const { index } = state;
  const { code, keys, ahead, aheadRound } = work;
  const { fields } = columns;
  for (let row = from; row < to; row += 1) {
    ahead[row] = 0;
    aheadRound[row] = 0;
    if (code[row] === ResultCode.ok) {
      const slot = index.peekSlot(keys.key, row * 4);
      const named = fields[row];
      const round = (named & Field.round) === 0 ? 0 : index.peekSlot(keys.round, row * 4);
      const other = (named & Field.reference) === 0 ? 0 : index.peekSlot(keys.reference, row * 4);
      // Of a new key nothing is known; the rows that will be read are the round's and the bet's.
      ahead[row] = other;
      aheadRound[row] = round === 0 ? slot : round;
    }
  }
  let loaded = 0;
  for (let row = from; row < to; row += 1) {
    if (ahead[row] !== 0) loaded ^= index.peekRow(ahead[row]);
    if (aheadRound[row] !== 0) loaded ^= index.peekRow(aheadRound[row]);
  }
  return loaded;
}

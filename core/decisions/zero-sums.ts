// The check of rule 35 over a shard's whole state: for each operator and currency, the buckets of
// all players and the system accounts add up to zero. Exact, in two limbs; it reads every account,
// so it runs at recovery and in tests, never between transactions.
import { WideTotals } from '../tables/wide-total.ts';
import type { ShardState } from './shard-state.ts';

/** '' when all sums are zero, else the first (operator, currency) whose sum is not, and the sum. */
export function findUnbalanced(state: ShardState): string {
  const { accounts, directory, system } = state;
  const players = new WideTotals();
  for (let row = 0; row < accounts.rowCount; row += 1) {
    const owner = accounts.operator(row) * 256 + accounts.currency(row);
    players.add(owner, accounts.cashMinor(row));
    players.add(owner, accounts.bonusMinor(row));
    players.add(owner, accounts.heldMinor(row));
  }
  for (const { number, name, currencies } of directory.operators) {
    for (const [currency, { code }] of currencies.entries()) {
      const owner = number * 256 + currency;
      const sum = players.total(owner) + system.sum(owner);
      if (sum !== 0n) return `${name} ${code}: the sum over all accounts is ${sum}, not 0`;
    }
  }
  return '';
}

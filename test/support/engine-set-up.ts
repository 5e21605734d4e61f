// Gives an engine what the model takes for granted: providers that are known, by clients of theirs.
import type { BlockContent } from '../../core/block-content.ts';
import { Field, Kind } from '../../core/kinds.ts';
import { OutcomeColumns } from '../../core/outcome-columns.ts';
import type { Shard } from '../../core/shard.ts';
import { TransactionColumns } from '../../core/transaction-columns.ts';

/** Logs one platform client a provider; each is one record. */
export function setUpProviders(
  shard: Shard,
  providers: readonly string[],
  nowMs: number,
  block: BlockContent,
): void {
  for (const provider of providers) {
    const id = `client-${provider}`;
    const definition = JSON.stringify({
      client: id,
      operator: '',
      provider,
      permissions: ['play'],
      secretSha256: '0'.repeat(64),
    });
    const columns = new TransactionColumns(1);
    const bytes = new TextEncoder().encode(id + definition);
    columns.sources[0] = { bytes, view: new DataView(bytes.buffer) };
    columns.count = 1;
    columns.kind[0] = Kind.setClient;
    columns.kindsAllowed[0] = 0xffffffff;
    columns.fields[0] = Field.definition;
    columns.transactionId.byteCount[0] = id.length;
    columns.definition.at[0] = id.length;
    columns.definition.byteCount[0] = definition.length;
    const outcomes = new OutcomeColumns(1);
    shard.decide(columns, 0, nowMs, block, outcomes);
    if (outcomes.code[0] !== 0) throw new Error(`Cannot set up ${id}: code ${outcomes.code[0]}`);
  }
}

// A data folder as an operator of a platform would leave it: two operators with different policies,
// and two studios with a client each at both. Written through the engine and the log writer, so
// that a server starts on it as on any other. The caller removes the folder.
import { createHash } from 'node:crypto';
import { Field, Kind } from '../../core/kinds.ts';
import { DAY_MS } from '../../core/limits.ts';
import { OutcomeColumns } from '../../core/outcome-columns.ts';
import { Shard } from '../../core/shard.ts';
import { TransactionColumns } from '../../core/transaction-columns.ts';
import { allocateCommitPort, LaneBlocks, WriterBlocks } from '../../persist/commit-port.ts';
import { chainSeedOf, logFolderOf, openDataFolder } from '../../persist/data-folder.ts';
import { emptyLogEnd } from '../../persist/log-chain.ts';
import { LogWriter } from '../../persist/log-writer.ts';
import { allocateWriterCounters, WriterCounters } from '../../persist/writer-counters.ts';
import type { OperatorDefinition } from '../model/model-transaction.ts';

/** The server's default; the model of a run has the same. */
export const RETENTION_MS: number = 120 * DAY_MS;

/** Short ages, so that rounds are closed by age within a test. */
export const OPERATORS: Readonly<Record<string, OperatorDefinition>> = {
  casino: { currencies: { EUR: 2, USD: 2 }, roundAgeMs: 4_000 },
  lounge: {
    currencies: { EUR: 2, USD: 2 },
    roundAgeMs: 9_000,
    bucketOrder: 'bonusFirst',
    unknownBetRollback: 'noop',
    spentWinRollback: 'negative',
    winNeedsBet: false,
  },
};

/** The studios, each with a client at every operator. */
export const PROVIDERS: readonly string[] = ['studio-1', 'studio-2'];

/** Records that stand before anything that is sent: retention, operators, clients. */
export const SEED_RECORD_COUNT: number = 1 + Object.keys(OPERATORS).length * (1 + PROVIDERS.length);

/** The key of a studio's client at an operator. */
export function keyOfClient(operator: string, provider: string): string {
  return `${operator}-${provider}.${secretOf(operator, provider)}`;
}

/** Makes the folder and writes the first block of its log; returns when it is on disk. */
export function makeSeededFolder(folder: string): void {
  const identity = openDataFolder(folder, 1);
  const hashSeed = Uint8Array.from(Buffer.from(identity.secretHashSeed, 'hex'));
  const shard = new Shard({ shard: 0, hashSeed });
  const port = allocateCommitPort();
  const lane = new LaneBlocks(port);
  const writer = new LogWriter({
    logFolder: logFolderOf(folder),
    segmentBytesMax: 1_048_576,
    ports: [new WriterBlocks(port)],
    resume: emptyLogEnd(chainSeedOf(identity)),
    counters: new WriterCounters(allocateWriterCounters()),
  });
  const block = lane.open();
  if (block === null) throw new Error('a new commit port has a free buffer');
  const nowMs = Date.now();
  shard.setRetention(RETENTION_MS, nowMs, block);
  const outcomes = new OutcomeColumns(1);
  for (const columns of administration()) {
    shard.decide(columns, 0, nowMs, block, outcomes);
    if (outcomes.code[0] !== 0) throw new Error(`Cannot seed the log: code ${outcomes.code[0]}`);
  }
  lane.handOver();
  writer.commitReady();
  writer.close();
}

function administration(): TransactionColumns[] {
  const operators = Object.entries(OPERATORS).map(([operator, definition]) =>
    administrative(Kind.setOperator, operator, definition),
  );
  const clients = Object.keys(OPERATORS).flatMap((operator) =>
    PROVIDERS.map((provider) =>
      administrative(Kind.setClient, '', {
        client: `${operator}-${provider}`,
        operator,
        provider,
        permissions: ['play', 'cashier', 'bonus', 'adjust', 'read'],
        secretSha256: createHash('sha256').update(secretOf(operator, provider)).digest('hex'),
      }),
    ),
  );
  return [...operators, ...clients];
}

function secretOf(operator: string, provider: string): string {
  return `secret-of-${provider}-at-${operator}`;
}

function administrative(kind: number, operator: string, definition: object): TransactionColumns {
  const columns = new TransactionColumns(1);
  const id = `seed-${kind}-${operator}`;
  const text = JSON.stringify(definition);
  const transactionId = kind === Kind.setClient ? createHash('md5').update(text).digest('hex') : id;
  const bytes = new TextEncoder().encode(operator + transactionId + text);
  columns.sources[0] = { bytes, view: new DataView(bytes.buffer) };
  columns.count = 1;
  columns.kind[0] = kind;
  columns.kindsAllowed[0] = 0xffffffff;
  columns.fields[0] = Field.definition;
  columns.player.byteCount[0] = operator.length;
  columns.transactionId.at[0] = operator.length;
  columns.transactionId.byteCount[0] = transactionId.length;
  columns.definition.at[0] = operator.length + transactionId.length;
  columns.definition.byteCount[0] = text.length;
  return columns;
}

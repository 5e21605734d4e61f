// Writes a snapshot: one transaction that brings Postgres from its position to the next. What a
// reader sees is the state before it or after it. Belongs to the reporter's thread.
//
// What always holds: the position is changed in the same transaction as everything else, and only
// from the position that this reporter knows, so a lost answer to a commit or a second reporter can
// neither lose nor double a row.
import type { ClientBase } from 'pg';
import { COPY_PIECE_BYTES, type CopyTarget, copyRows, type RowPlace } from './copy-rows.ts';
import { CopyWriter } from './copy-writer.ts';
import {
  type DirectoryChanges,
  takeDirectoryChanges,
  writeDirectory,
  writeStatuses,
} from './directory-rows.ts';
import type { JournalBatch } from './journal-batch.ts';
import { endRounds, openRounds } from './open-round-rows.ts';
import { resolveRows } from './original-lookup.ts';
import type { ReportPosition, ReportState } from './report-state.ts';
import type { SnapshotPlace, Tier } from './snapshot.ts';
import type { SnapshotBuilder } from './snapshot-builder.ts';
import { type SystemChanges, writeSystem, writeTurnover } from './sum-rows.ts';

/** A snapshot to write; its balances are taken from the state when it is closed. */
export interface ClosedSnapshot {
  readonly place: SnapshotPlace;
  readonly tier: Tier;
  /** Where Postgres must be before, and will be after. */
  readonly before: ReportPosition;
  readonly after: ReportPosition;
  /** Null when only a tier is added to the newest snapshot. */
  readonly builder: SnapshotBuilder | null;
  readonly changes: CopyWriter;
  readonly images: CopyWriter;
  readonly system: SystemChanges;
  readonly directory: DirectoryChanges;
}

/** Postgres is not where this reporter left it. */
export class PositionMovedError extends Error {
  override readonly name = 'PositionMovedError';
}

/** Takes the balances that changed out of the state: from here on it may go ahead. */
export function closeSnapshot(
  state: ReportState,
  snapshot: Pick<ClosedSnapshot, 'place' | 'tier' | 'before' | 'after' | 'builder'>,
): ClosedSnapshot {
  const { place, tier } = snapshot;
  const changes = new CopyWriter();
  const images = new CopyWriter();
  snapshot.builder?.rounds.close();
  const journal = snapshot.builder?.journal ?? null;
  // Now, while the snapshot before is written; rows that wait for a look-up need another sort.
  if (journal !== null && journal.deferred.length === 0) journal.sort();
  state.accounts.writeChanges(changes, place);
  const system = [state.system.takeChanged(0)];
  for (const each of [1, 2, 3] as const) {
    if (each <= tier) system.push(state.system.takeChanged(each));
  }
  if (tier > 0) state.accounts.writeImages(images, place, tier);
  const directory = takeDirectoryChanges(state.directory);
  return { ...snapshot, changes, images, system, directory };
}

/** Writes it and commits; returns how many rows Postgres refused. */
export async function writeSnapshot(
  client: ClientBase,
  state: ReportState,
  snapshot: ClosedSnapshot,
): Promise<number> {
  await client.query('begin');
  try {
    const rejectedCount = await writeParts(client, state, snapshot);
    await client.query('commit');
    return rejectedCount;
  } catch (error) {
    // The connection may be gone; then Postgres has ended the transaction itself.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function writeParts(
  client: ClientBase,
  state: ReportState,
  snapshot: ClosedSnapshot,
): Promise<number> {
  const { builder, changes, images, place } = snapshot;
  await movePosition(client, snapshot);
  let rejectedCount = 0;
  const at = (): RowPlace => ({ ...place, shard: 0, sequence: 0 });
  if (builder !== null) {
    await writeDirectory(client, snapshot.directory);
    rejectedCount += await copyAll(client, 'account_identities', builder.identities, at);
    await writeStatuses(client, builder.statusChanges);
    rejectedCount += await writeJournal(client, state, builder);
    await writeTurnover(client, state, builder.turnover);
  }
  await writeSystem(client, state, place, snapshot.system);
  await client.query(ADD_SNAPSHOT, [
    place.snapshotId,
    place.position,
    place.timeMs,
    snapshot.tier,
    snapshot.after.recordCount,
  ]);
  rejectedCount += await copyAll(client, 'balance_changes', changes, at);
  rejectedCount += await copyAll(client, 'balance_images', images, at);
  return rejectedCount;
}

// A snapshot that ends its minute may be one that was written before, with nothing since.
const ADD_SNAPSHOT = `
  insert into kassa.snapshots (snapshot_id, position, recorded_at, tier, record_count)
  values ($1, $2, to_timestamp($3::double precision / 1000), $4, $5)
  on conflict (snapshot_id) do update set tier = excluded.tier`;

const MOVE_POSITION = `
  update kassa.reporter_position set
    position = $2, recorded_at = to_timestamp($3::double precision / 1000), header_checksum = $4,
    time_ms = $3, sequences = $5, last_segment = $6, record_count = $7, content_bytes = $8,
    snapshot_id = $9, written_at = now()
  where position = $1`;

/** First of all: it also makes a second reporter wait, and then fail. */
async function movePosition(client: ClientBase, snapshot: ClosedSnapshot): Promise<void> {
  const { before, after } = snapshot;
  const { end } = after;
  const { rowCount } = await client.query(MOVE_POSITION, [
    before.end.blockNumber,
    end.blockNumber,
    end.timeMs,
    end.headerChecksum,
    end.sequences,
    end.lastSegment,
    after.recordCount,
    after.contentBytes,
    after.snapshotId,
  ]);
  if (rowCount === 1) return;
  throw new PositionMovedError(
    'Cannot write a snapshot because Postgres must be where this reporter left it: no longer at ' +
      `position ${before.end.blockNumber}. Another reporter wrote, or the reports were rebuilt.`,
  );
}

async function copyAll(
  client: ClientBase,
  table: string,
  writer: CopyWriter,
  placeOf: CopyTarget['placeOf'],
): Promise<number> {
  if (writer.rowCount === 0) return 0;
  return copyRows(client, { table, placeOf }, () => [writer.rows]);
}

async function writeJournal(
  client: ClientBase,
  state: ReportState,
  builder: SnapshotBuilder,
): Promise<number> {
  const { journal, rounds } = builder;
  if (journal === null) return 0;
  const { rows, agedRounds } = await resolveRows(client, journal, rounds);
  journal.deferred = [];
  for (const { row, ended } of rows) builder.addResolved(row, ended);
  const rejectedCount = await copyJournal(client, journal);
  await endRounds(client, state, [...rounds.ended, ...agedRounds]);
  await openRounds(client, state, rounds.opened);
  return rejectedCount;
}

async function copyJournal(client: ClientBase, journal: JournalBatch): Promise<number> {
  const target = { table: 'transactions', placeOf: placeOfJournalRow };
  return copyRows(client, target, () => journal.sorted(COPY_PIECE_BYTES));
}

/** The first fields of a journal row have fixed lengths: time, position, sequence, shard. */
function placeOfJournalRow(row: Uint8Array): RowPlace {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const number = (at: number): number => Number(view.getBigInt64(at));
  return {
    timeMs: number(6) / 1_000 + 946_684_800_000,
    position: number(18),
    sequence: number(30),
    shard: view.getInt16(42),
  };
}

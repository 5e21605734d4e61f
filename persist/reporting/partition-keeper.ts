// Keeps Postgres' partitions ahead of the log and its history thinned out, by the functions of
// migration 0002. Belongs to the reporter's thread, between its transactions.
import type { ClientBase } from 'pg';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Hours whose partitions are there, by connection: each asks anew. */
const knownHours = new WeakMap<ClientBase, Set<number>>();

/** Makes the partitions for records of these times and the next ones, once an hour of the log. */
export async function makePartitions(
  client: ClientBase,
  fromMs: number,
  untilMs: number,
): Promise<void> {
  const known = knownHours.get(client) ?? new Set<number>();
  knownHours.set(client, known);
  for (const timeMs of timesBetween(fromMs, untilMs)) {
    const hour = Math.floor(timeMs / HOUR_MS);
    if (known.has(hour)) continue;
    await client.query('select kassa.make_partitions(to_timestamp($1::double precision / 1000))', [
      timeMs,
    ]);
    known.add(hour);
  }
}

/** Both ends, and a time in each day between: a block's records may lie days apart. */
function timesBetween(fromMs: number, untilMs: number): number[] {
  const times = [fromMs];
  for (let timeMs = fromMs + DAY_MS; timeMs < untilMs; timeMs += DAY_MS) times.push(timeMs);
  return [...times, untilMs];
}

/** Drops what the policy no longer keeps, and takes old days out of the journal. */
export async function thinOut(
  client: ClientBase,
  timeMs: number,
  { journalDays }: { readonly journalDays: number },
): Promise<void> {
  await client.query('select kassa.thin_history(to_timestamp($1::double precision / 1000))', [
    timeMs,
  ]);
  if (journalDays === 0) return;
  await client.query('select kassa.detach_journal(to_timestamp($1::double precision / 1000))', [
    timeMs - journalDays * DAY_MS,
  ]);
}

// Sends what Postgres appends to its files on its way to the disk, bit by bit. A page that an index
// grows by is empty in the kernel's page cache, and filled in Postgres' own memory until the next
// checkpoint. The kernel writes such pages when they are 30 s old, all at once: after a million
// accounts had been reported, 180 MB went out within 0.3 s, and bets waited for up to 0.19 s.
// Postgres has no setting for it. For the process that started it; where the system has no such
// call it is left.
import { closeSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findSystemFunction } from '../system-function.ts';

/** Files that grew are looked at again and again. */
const GROWING_INTERVAL_MS = 250;
/** All of them are looked through for such: 7,000 take some 50 ms. */
const ALL_INTERVAL_MS = 5_000;
/** Folders of databases below are Postgres' own: those that it makes for people begin here. */
const FIRST_DATABASE = 16_384;
/** SYNC_FILE_RANGE_WRITE: begins to write, does not wait, and leaves faults for Postgres to see. */
const BEGIN_TO_WRITE = 2;

/** Looks after the files of a cluster that grow from now on, until `stop` is called. */
export class GrowthFlushes {
  readonly #folder: string;
  readonly #writeRange = findSystemFunction(
    'int sync_file_range(int, int64_t, int64_t, unsigned int)',
  );
  readonly #timers: NodeJS.Timeout[] = [];
  /** Bytes by path, when they were looked at last. */
  #sizes: Map<string, number>;
  /** Paths of those that grew between the last two looks at all. */
  #growing: string[] = [];
  /** Paths of those that grew since the last one. */
  readonly #grown = new Set<string>();

  constructor(clusterFolder: string) {
    this.#folder = join(clusterFolder, 'base');
    this.#sizes = new Map(listFiles(this.#folder).map((path) => [path, sizeOf(path)]));
    if (this.#writeRange === undefined) return;
    this.#timers.push(
      setInterval(() => this.#lookAtAll(), ALL_INTERVAL_MS).unref(),
      setInterval(() => this.#lookAtGrowing(), GROWING_INTERVAL_MS).unref(),
    );
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #lookAtAll(): void {
    const paths = listFiles(this.#folder);
    for (const path of paths) this.#look(path);
    this.#growing = paths.filter((path) => this.#grown.has(path));
    this.#grown.clear();
    this.#sizes = new Map(paths.map((path) => [path, this.#sizes.get(path) ?? 0]));
  }

  #lookAtGrowing(): void {
    for (const path of this.#growing) this.#look(path);
  }

  #look(path: string): void {
    const before = this.#sizes.get(path) ?? 0;
    const size = sizeOf(path);
    this.#sizes.set(path, size);
    if (size <= before) return;
    this.#grown.add(path);
    this.#write(path, before, size - before);
  }

  #write(path: string, from: number, byteCount: number): void {
    try {
      const descriptor = openSync(path, 'r');
      this.#writeRange?.(descriptor, from, byteCount, BEGIN_TO_WRITE);
      closeSync(descriptor);
    } catch {
      // It went meanwhile: a table was dropped.
    }
  }
}

/** Paths of the files of all databases that people made. */
function listFiles(folder: string): string[] {
  const databases = namesIn(folder).filter((name) => Number(name) >= FIRST_DATABASE);
  return databases.flatMap((database) =>
    namesIn(join(folder, database)).map((file) => join(folder, database, file)),
  );
}

/** None where the folder went meanwhile. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** 0 where it went meanwhile. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

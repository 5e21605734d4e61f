// One connection of the reporter to Postgres, from its start to its end: becomes the one writer,
// loads the state, then follows the log and commits snapshots. Belongs to the reporter's thread.
//
//   open(): migrate ─▶ lock ─▶ position ─▶ state
//   run():  blocks ─▶ SnapshotBuilder ─▶ close ─▶ writeSnapshot, one after another
//              ▲                          │
//              └── the next one is built ◀┘     and closed, while one is written
//
// What always holds: snapshots are committed one after another, in the order of the log. After any
// error the session is of no use; the next one starts from what Postgres has (reporter.ts).
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { chainSeedOf, logFolderOf, readIdentity } from '../data-folder.ts';
import { emptyLogEnd, type LogBlock, type LogEnd } from '../log-chain.ts';
import { ForeignLogEndError, LogFollower } from '../log-follower.ts';
import { MIGRATIONS_FOLDER, migrate } from '../postgres/migrate.ts';
import { JOURNAL_ROWS_MAX, JournalBatch } from './journal-batch.ts';
import { makePartitions, thinOut } from './partition-keeper.ts';
import type { ReportPosition, ReportState } from './report-state.ts';
import type { ReporterSettings } from './reporter-settings.ts';
import { type Tier, tierBetween } from './snapshot.ts';
import { SnapshotBuilder } from './snapshot-builder.ts';
import { type ClosedSnapshot, closeSnapshot, writeSnapshot } from './snapshot-writer.ts';
import { DamagedReportError, loadPosition, loadState } from './state-loader.ts';

/** The session's own lock in Postgres, one reporter a database: a number that others don't use. */
const REPORTER_LOCK = 5_027_194_416;
/** Work without giving the socket its turn. */
const TURN_MS = 10;
/**
 * The same while a snapshot is sent: a socket holds some 200 KB, which Postgres takes in 3 ms,
 * so with longer turns it waited for more than half of the time.
 */
const SENDING_TURN_MS = 1;
/** Records that take about as long. */
const TURN_RECORDS = 256;
/**
 * One that is written, and one that is closed and waits: sorting it takes a tenth of the time of
 * writing, in which Postgres had nothing to do.
 */
const WRITES_MAX = 2;
/** Between two looks for new blocks, when there were none. */
const IDLE_MS = 10;
/** Records of one snapshot at most, so that memory has a bound while catching up. */
const SNAPSHOT_RECORDS_MAX = 1_000_000;
const SIGN_OF_LIFE_MS = 5_000;
/** A Postgres that takes longer for one row hangs: the session ends, and another one is tried. */
const SIGN_OF_LIFE_TIMEOUT_MS = 20_000;
/** At a stop: what the log still holds is reported if it takes no longer. */
const LAST_WORK_MS = 1_000;

const SIGN_OF_LIFE = `
  insert into kassa.reporter_sign_of_life (seen_at, log_position, log_recorded_at)
  values (now(), $1, to_timestamp($2::double precision / 1000))
  on conflict (only_row) do update set seen_at = excluded.seen_at,
    log_position = excluded.log_position, log_recorded_at = excluded.log_recorded_at`;

/** Postgres holds reports that are not of this log: only a person can say what to do. */
export class ReportRefusal extends Error {
  override readonly name = 'ReportRefusal';
}

/** See the head of this file. */
export class ReportSession {
  readonly #settings: ReporterSettings;
  readonly #client: pg.Client;
  readonly #state: ReportState;
  readonly #follower: LogFollower;
  #position: ReportPosition;
  #builder: SnapshotBuilder;
  /** A block that was read while the snapshot before it has to be closed first. */
  #ahead: LogBlock | null = null;
  /** Batches whose rows were written. */
  readonly #journals: JournalBatch[] = [];
  /** Behind the last block taken. */
  #end: LogEnd;
  /** The snapshots that are closed and not committed, each written behind the one before. */
  readonly #writes: { readonly fromMs: number; readonly done: Promise<void> }[] = [];
  /** Where Postgres will be after them. */
  #closed: ReportPosition;
  #failure: unknown = null;
  #lastSnapshotMs = 0;
  #lastSignMs = 0;

  private constructor(
    settings: ReporterSettings,
    client: pg.Client,
    loaded: { readonly state: ReportState; readonly position: ReportPosition },
  ) {
    this.#settings = settings;
    this.#client = client;
    this.#state = loaded.state;
    this.#position = loaded.position;
    this.#closed = loaded.position;
    this.#end = loaded.position.end;
    this.#builder = this.#newBuilder();
    this.#follower = new LogFollower({
      logFolder: logFolderOf(settings.dataFolder),
      after: this.#end,
      segmentBytesMax: settings.segmentBytesMax,
      readOnly: settings.readOnly === true,
    });
  }

  /** Connects and loads; the caller closes what it gets. */
  static async open(settings: ReporterSettings): Promise<ReportSession> {
    const client = new pg.Client(settings.connection);
    // Without a listener a connection that breaks while nothing is asked would end the process.
    client.on('error', () => undefined);
    try {
      await client.connect();
      const position = await prepare(client, settings);
      const at = position.end.blockNumber;
      const state = await loadState(client, at, settings.memory.take(at));
      return new ReportSession(settings, client, { state, position });
    } catch (error) {
      await client.end().catch(() => undefined);
      if (error instanceof DamagedReportError) {
        throw new ReportRefusal(
          `${error.message}. Somebody changed the reports: rebuild them with: npm run kassa -- ` +
            'report rebuild',
          { cause: error },
        );
      }
      if (!(error instanceof ForeignLogEndError)) throw error;
      throw new ReportRefusal(
        `${error.message}. The log was put back to an older state, or Postgres was: rebuild the ` +
          'reports with: npm run kassa -- report rebuild',
        { cause: error },
      );
    }
  }

  get position(): ReportPosition {
    return this.#position;
  }

  /** Reports until the signal is given or the wanted position is committed. */
  async run(): Promise<void> {
    const { signal, untilPosition = Number.POSITIVE_INFINITY } = this.#settings;
    while (!signal.aborted && this.#position.end.blockNumber < untilPosition) {
      const isIdle = await this.#turn();
      this.#throwFailure();
      await (isIdle ? sleep(IDLE_MS) : nextTurn());
    }
    if (signal.aborted) await this.#finish();
    await this.#waitUntilFewerThan(1);
  }

  async close(): Promise<void> {
    this.#follower.close();
    const { accounts } = this.#state;
    this.#settings.memory.keep({ accounts, position: this.#end.blockNumber });
    // An end that waits for an answer would wait for ever on a connection that hangs.
    await Promise.race([this.#client.end().catch(() => undefined), sleep(LAST_WORK_MS)]);
  }

  /** Some milliseconds of work; whether there was none. */
  async #turn(): Promise<boolean> {
    const turnMs = this.#writes.length === 0 ? TURN_MS : SENDING_TURN_MS;
    const isIdle = await this.#takeBlocks(performance.now() + turnMs);
    const nowMs = performance.now();
    const builder = this.#builder;
    const isFull = isBatchFull(builder);
    const isDue = nowMs - this.#lastSnapshotMs >= this.#settings.snapshotIntervalMs;
    if (isFull) await this.#waitUntilFewerThan(WRITES_MAX);
    // What failed is lost from memory: the next snapshot may not go past it.
    this.#throwFailure();
    this.#settings.counters.setOldestPending(this.#oldestPendingMs());
    const isFree = this.#writes.length === 0;
    if (builder.recordCount > 0 && (isFull || (isFree && (isDue || this.#isAtUntil())))) {
      this.#write(0);
    }
    if (isFree && nowMs - this.#lastSignMs > SIGN_OF_LIFE_MS) await this.#giveSignOfLife();
    return isIdle;
  }

  /** Time of the oldest block that was taken and is not committed; 0 for none. */
  #oldestPendingMs(): number {
    const writing = this.#writes.find(({ fromMs }) => fromMs > 0);
    return writing?.fromMs ?? this.#builder.firstTimeMs;
  }

  /** Takes what is durable, for a while; a snapshot ends before each new minute. */
  async #takeBlocks(untilMs: number): Promise<boolean> {
    const durablePosition = this.#settings.durablePosition();
    let isIdle = true;
    while (performance.now() < untilMs && !isBatchFull(this.#builder)) {
      // The block's bytes stay until the next one is asked for, here and nowhere else.
      const block = this.#ahead ?? this.#follower.next(durablePosition);
      if (block === undefined) break;
      isIdle = false;
      const tier = this.#end.blockNumber === 0 ? 0 : this.#tierBefore(block);
      if (tier > 0 && this.#ahead === null) {
        this.#ahead = block;
        await this.#waitUntilFewerThan(WRITES_MAX);
        this.#write(tier);
      }
      this.#ahead = null;
      await this.#takeBlock(block);
      this.#end = this.#follower.end;
    }
    return isIdle;
  }

  /** While a snapshot is being sent, its socket gets its turn also within a block. */
  async #takeBlock(block: LogBlock): Promise<void> {
    const builder = this.#builder;
    builder.begin(block);
    while (!builder.takeRecords(block, TURN_RECORDS)) {
      if (this.#writes.length > 0) await nextTurn();
    }
  }

  #tierBefore({ header }: LogBlock): Tier {
    return tierBetween(this.#end.timeMs, header.timeMs);
  }

  #isAtUntil(): boolean {
    return this.#end.blockNumber >= (this.#settings.untilPosition ?? Number.POSITIVE_INFINITY);
  }

  /** Closes the snapshot and has it written next; the one after it is built from here on. */
  #write(tier: Tier): void {
    const builder = this.#builder;
    const before = this.#closed;
    const hasRecords = builder.recordCount > 0;
    const after: ReportPosition = {
      end: this.#end,
      recordCount: before.recordCount + builder.recordCount,
      contentBytes: before.contentBytes + builder.contentBytes,
      snapshotId: before.snapshotId + (hasRecords ? 1 : 0),
      journalFrom: before.journalFrom,
    };
    if (after.snapshotId === 0) return;
    const { snapshotId, end } = after;
    const place = { snapshotId, position: end.blockNumber, timeMs: end.timeMs };
    const closed = closeSnapshot(this.#state, {
      place,
      tier,
      before,
      after,
      builder: hasRecords ? builder : null,
    });
    this.#closed = after;
    this.#builder = this.#newBuilder();
    this.#lastSnapshotMs = performance.now();
    const previous = this.#writes.at(-1)?.done ?? Promise.resolve();
    const done = previous.then(() => this.#commit(closed));
    this.#writes.push({ fromMs: hasRecords ? builder.firstTimeMs : 0, done });
    done.then(
      () => this.#writes.shift(),
      (error: unknown) => {
        this.#failure ??= error;
      },
    );
  }

  /** Resolves when less is to be written; throws what a write failed with. */
  async #waitUntilFewerThan(count: number): Promise<void> {
    while (this.#writes.length >= count && this.#failure === null) {
      await this.#writes[0].done.catch(() => undefined);
    }
    this.#throwFailure();
  }

  async #commit(closed: ClosedSnapshot): Promise<void> {
    const startedAtMs = performance.now();
    const { builder, after, before, place } = closed;
    const firstTimeMs = builder?.firstTimeMs ?? place.timeMs;
    await makePartitions(this.#client, firstTimeMs, place.timeMs);
    await this.#giveSignOfLife();
    const rejectedRows = await writeSnapshot(this.#client, this.#state, closed);
    this.#position = after;
    this.#settings.counters.countSnapshot({
      position: after.end.blockNumber,
      timeMs: after.end.timeMs,
      recordCount: after.recordCount,
      contentBytes: after.contentBytes,
      newRecords: after.recordCount - before.recordCount,
      journalRows: builder?.journal?.rowCount ?? 0,
      rejectedRows,
      milliseconds: performance.now() - startedAtMs,
    });
    if (builder !== null && builder.journal !== null) {
      builder.journal.clear();
      this.#journals.push(builder.journal);
    }
    if (rejectedRows > 0) {
      const position = after.end.blockNumber;
      const text = 'Postgres refused rows: see kassa.rejected_rows';
      this.#settings.log('error', text, { rejectedRows, position });
    }
    if (closed.tier >= 2) await thinOut(this.#client, place.timeMs, this.#settings);
  }

  /** At a stop: what is durable, if it is little, so that a stopped Kassa has reported all. */
  async #finish(): Promise<void> {
    const untilMs = performance.now() + LAST_WORK_MS;
    while (performance.now() < untilMs && !isBatchFull(this.#builder)) {
      if (await this.#takeBlocks(untilMs)) break;
    }
    await this.#waitUntilFewerThan(1);
    if (this.#builder.recordCount > 0) this.#write(0);
  }

  async #giveSignOfLife(): Promise<void> {
    this.#lastSignMs = performance.now();
    const { durablePosition, durableTimeMs } = this.#settings;
    // Its types do not name the timeout, which pg has for each query.
    const query = {
      text: SIGN_OF_LIFE,
      values: [durablePosition(), durableTimeMs()],
      query_timeout: SIGN_OF_LIFE_TIMEOUT_MS,
    };
    await this.#client.query(query);
  }

  #newBuilder(): SnapshotBuilder {
    const journal = this.#settings.journal ? (this.#journals.pop() ?? new JournalBatch()) : null;
    return new SnapshotBuilder(this.#state, journal);
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }
}

function isBatchFull(builder: SnapshotBuilder): boolean {
  return (
    builder.recordCount >= SNAPSHOT_RECORDS_MAX ||
    (builder.journal !== null && builder.journal.rowCount >= JOURNAL_ROWS_MAX)
  );
}

/** Makes the schema, becomes the one writer, and says where Postgres is. */
async function prepare(client: pg.Client, settings: ReporterSettings): Promise<ReportPosition> {
  const { rows } = await client.query<{ encoding: string; database: string }>(
    `select current_setting('server_encoding') as encoding, current_database() as database`,
  );
  const [{ encoding, database }] = rows;
  if (encoding !== 'UTF8') {
    throw new ReportRefusal(
      `Cannot report into the database ${database} because it must be in UTF8, which holds every ` +
        `id: ${encoding}. Make another database with encoding 'UTF8' and name it in ` +
        'KASSA_POSTGRES_URL.',
    );
  }
  await migrate(client, MIGRATIONS_FOLDER);
  await client.query('set role kassa_writer');
  // The position is committed with the rows, so a commit that a crash takes back loses nothing.
  await client.query(`set synchronous_commit = off; set timezone = 'UTC'; set search_path = kassa`);
  const lock = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [
    REPORTER_LOCK,
  ]);
  if (lock.rows[0]?.taken !== true) {
    throw new Error(`another reporter writes to the database ${database}`);
  }
  const identity = readIdentity(settings.dataFolder);
  const start = emptyLogEnd(chainSeedOf(identity));
  await client.query(
    `insert into kassa.reporter_position
       (folder_id, position, header_checksum, time_ms, sequences, last_segment, record_count,
        content_bytes, snapshot_id, journal_from)
     values ($1, 0, $2, 0, '{}', 0, 0, 0, 0, $3) on conflict do nothing`,
    [identity.folderId, start.headerChecksum, settings.journal ? 0 : null],
  );
  const position = await loadPosition(client);
  if (position === null) throw new Error('the row of the position is missing');
  if (position.folderId !== identity.folderId) {
    throw new ReportRefusal(
      `Cannot report into the database ${database} because it has the reports of another data ` +
        `folder: ${position.folderId}. Name another database in KASSA_POSTGRES_URL, or have this ` +
        'one emptied: npm run kassa -- report rebuild',
    );
  }
  return switchJournal(client, position, settings.journal);
}

/** Notes from which position on the journal is whole, when it was turned on or off. */
async function switchJournal(
  client: pg.Client,
  position: ReportPosition,
  isOn: boolean,
): Promise<ReportPosition> {
  if (isOn === (position.journalFrom !== null)) return position;
  const journalFrom = isOn ? position.end.blockNumber : null;
  await client.query('begin');
  await client.query('update kassa.reporter_position set journal_from = $1', [journalFrom]);
  // Without the journal nothing tells when they end.
  await client.query('delete from kassa.unfinished_rounds');
  await client.query('commit');
  return { ...position, journalFrom };
}

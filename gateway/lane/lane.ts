// A lane: the turns in which one thread works off what its connections sent, hands blocks over, and
// lets answers leave when their blocks are durable. Knows no sockets: they come as sinks. Every
// call is on the lane's thread. Whatever escapes here is a reason to stop the process (law 7):
// after it nothing is decided and nothing answered. A crash loses what was not answered.
//
//   receive ─▶ queue ─▶ turn: release, advance, slice, hand over, release ─▶ next turn, if needed
//                        disk: "these are durable" ─▶ release, hand over
import { assert } from '../../core/assert.ts';
import type { BlockContent } from '../../core/block-content.ts';
import { RECORD_BYTES_MAX, SLICE_TRANSACTIONS_MAX } from '../../core/limits.ts';
import type { Shard } from '../../core/shard.ts';
import type { LaneBlocks } from '../../persist/commit-port.ts';
import { isStopping } from '../../persist/stop-signal.ts';
import { type LaneCounters, LaneGauge } from '../metrics/lane-counters.ts';
import type { ClientSession } from './client-session.ts';
import { type AnswerSink, Connection, ReadyRing } from './connection.ts';
import { CoreWait } from './core-wait.ts';
import { Inbox } from './inbox.ts';
import { Intake } from './intake.ts';
import {
  ADVANCE_RECORDS_MAX,
  GROUP_BYTES_MIN,
  GROUP_MS_MAX,
  HEARTBEAT_MS,
  SLICE_MS_MAX,
  UNDURABLE_BLOCKS_MAX,
} from './lane-limits.ts';
import { Outbox } from './outbox.ts';
import { RequestTable } from './request-table.ts';
import { Slice } from './slice.ts';

/** What a lane is made of. */
export interface LaneOptions {
  readonly shard: Shard;
  readonly blocks: LaneBlocks;
  readonly counters: LaneCounters;
  readonly stop: SharedArrayBuffer;
  readonly unansweredPerConnectionMax: number;
  readonly unansweredPerLaneMax: number;
  /** Told of what escapes; must not return to normal work. */
  fail(where: string, error: unknown): void;
}

const TURN_ROOM_RECORDS = SLICE_TRANSACTIONS_MAX + ADVANCE_RECORDS_MAX + 1;
const GAUGE_HEARTBEATS = 10;
/** One for each thread, not each lane: it keeps a file open. */
const CORE_WAIT = new CoreWait();

/** One lane's loop. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #shard: Shard;
  readonly #blocks: LaneBlocks;
  readonly #outbox: Outbox;
  readonly #intake: Intake;
  readonly #slice: Slice;
  readonly #ready: ReadyRing = new ReadyRing();
  readonly #connections: Set<Connection> = new Set();
  #handedOverMs = 0;
  #isScheduled = false;
  #isWatching = false;
  #isDead = false;
  #heartbeatCount = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #resolveIdle: (() => void) | undefined;

  constructor(options: LaneOptions) {
    const { blocks, counters, shard } = options;
    const parts = {
      requests: new RequestTable(),
      inbox: new Inbox(),
      ready: this.#ready,
      counters,
    };
    this.#options = options;
    this.#shard = shard;
    this.#blocks = blocks;
    this.#outbox = new Outbox({ blocks, counters });
    this.#intake = new Intake({
      ...parts,
      outbox: this.#outbox,
      unansweredPerConnectionMax: options.unansweredPerConnectionMax,
      unansweredPerLaneMax: options.unansweredPerLaneMax,
    });
    this.#slice = new Slice({ ...parts, outbox: this.#outbox, blocks, shard });
  }

  /** Open connections, of every sort. */
  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  /** Whether new requests are refused because the lane stops or has stopped. */
  get isStopping(): boolean {
    return this.#intake.stopping || this.#isDead || isStopping(this.#options.stop);
  }

  /**
   * Starts the heartbeat, and the turns that release holds and close rounds without any traffic.
   */
  start(): void {
    assert(this.#heartbeat === undefined, 'a lane is started once');
    this.#heartbeat = setInterval(() => this.guard('heartbeat', () => this.#beat()), HEARTBEAT_MS);
    this.#beat();
  }

  /** A new sender; its answers go to the sink until `disconnect`. */
  connect(session: ClientSession, sink: AnswerSink): Connection {
    const connection = new Connection(session, sink);
    this.#connections.add(connection);
    return connection;
  }

  /** Takes a frame from a connection; the bytes are valid during the call only. */
  receive(connection: Connection, frame: Uint8Array): void {
    if (this.#isDead) return;
    this.#intake.receive(connection, frame);
    if (this.#ready.first !== null) this.#schedule();
  }

  /** Takes nothing more from a connection that broke the protocol; it is closed when answered. */
  end(connection: Connection, closeCode: number): void {
    this.#intake.end(connection, closeCode);
  }

  /** Forgets a connection whose socket is gone; what it sent and was not decided is dropped. */
  disconnect(connection: Connection): void {
    if (connection.closed) return;
    connection.closed = true;
    this.#connections.delete(connection);
    this.#outbox.forget(connection);
  }

  /**
   * Refuses what comes from now on; resolves when all that was taken is decided, durable and
   * answered. After it the lane does nothing more, and the log writer knows that nothing comes.
   */
  async drain(): Promise<void> {
    this.#intake.stopping = true;
    const idle = new Promise<void>((resolve) => {
      this.#resolveIdle = resolve;
    });
    this.#schedule();
    await idle;
    this.kill();
    this.#blocks.close();
  }

  /** Ends all work at once, without an answer (law 7). */
  kill(): void {
    this.#isDead = true;
    clearInterval(this.#heartbeat);
  }

  /** Runs a callback of the outside world; what escapes from it stops the process. */
  guard(where: string, action: () => void): void {
    if (this.#isDead) return;
    try {
      action();
    } catch (error) {
      this.kill();
      this.#options.fail(where, error);
    }
  }

  readonly #turnGuarded = (): void => this.guard('turn', () => this.#turn());

  #schedule(): void {
    if (this.#isScheduled || this.#isDead) return;
    this.#isScheduled = true;
    setImmediate(this.#turnGuarded);
  }

  #turn(): void {
    this.#isScheduled = false;
    if (isStopping(this.#options.stop)) {
      this.kill();
      return;
    }
    this.#outbox.release();
    const block = this.#openBlock();
    if (block !== null) this.#workOn(block);
    const isLeft = this.#isWorkLeft;
    const { durableCount } = this.#blocks;
    this.#handOver(isLeft, durableCount);
    this.#outbox.release();
    this.#watch(durableCount);
    if (isLeft && this.#blocks.open() !== null) this.#schedule();
    if (!isLeft) this.#noticeIdle();
  }

  // Everything due by time is written before the decisions that it matters to (rules 29 and 31).
  #workOn(block: BlockContent): void {
    const waitedMs = CORE_WAIT.readMs();
    const startedMs = performance.now();
    const nowMs = Date.now();
    const advanced = this.#shard.advance(nowMs, ADVANCE_RECORDS_MAX, block);
    let count = 0;
    if (advanced < ADVANCE_RECORDS_MAX) {
      count = this.#slice.work(nowMs, SLICE_TRANSACTIONS_MAX, startedMs + SLICE_MS_MAX);
    } else this.#schedule();
    if (count === 0 && advanced === 0) return;
    const sliceMs = performance.now() - startedMs;
    const isLong = sliceMs > SLICE_MS_MAX;
    const waitMs = isLong ? CORE_WAIT.readMs() - waitedMs : 0;
    this.#options.counters.observeSliceMs(sliceMs, waitMs, count);
  }

  get #isWorkLeft(): boolean {
    return this.#ready.first !== null || this.#slice.isPending;
  }

  // While work is left the block stays open until it is worth a commit of its own, whose cost
  // hardly depends on its size; when nothing is left nobody else would come to share it.
  #handOver(isWorkLeft: boolean, durableCount: number): void {
    const { handedOverCount } = this.#blocks;
    const open = this.#blocks.open();
    if (open === null || open.recordCount === 0) return;
    if (handedOverCount - durableCount >= UNDURABLE_BLOCKS_MAX) return;
    const nowMs = performance.now();
    const isYoung = nowMs - this.#handedOverMs < GROUP_MS_MAX;
    if (isWorkLeft && isYoung && open.usedBytes < GROUP_BYTES_MIN) return;
    this.#handedOverMs = nowMs;
    this.#blocks.handOver();
  }

  // A block with room for a whole turn, or null while all buffers are on their way to the disk.
  #openBlock(): BlockContent | null {
    const block = this.#blocks.open();
    if (block === null || block.hasRoomFor(TURN_ROOM_RECORDS)) return block;
    assert(block.usedBytes >= RECORD_BYTES_MAX, 'a block without room holds records');
    this.#blocks.handOver();
    return this.#blocks.open();
  }

  // Waits for the disk while something is on its way there; an idle lane wakes nobody.
  // The count is the one that handing over went by: what became durable since ends the wait at
  // once, so that a block which was kept back for it is looked at again.
  #watch(durableCount: number): void {
    const { handedOverCount } = this.#blocks;
    if (this.#isWatching || this.#isDead || handedOverCount === durableCount) return;
    this.#isWatching = true;
    this.#blocks.waitForDurable(durableCount).then(
      () => {
        this.#isWatching = false;
        this.guard('durable blocks', () => this.#onDurable());
      },
      (error: unknown) => this.guard('waiting for durable blocks', () => rethrow(error)),
    );
  }

  #onDurable(): void {
    if (isStopping(this.#options.stop)) {
      this.kill();
      return;
    }
    this.#outbox.release();
    const isLeft = this.#isWorkLeft;
    const { durableCount } = this.#blocks;
    this.#handOver(isLeft, durableCount);
    this.#watch(durableCount);
    if (isLeft) this.#schedule();
    else this.#noticeIdle();
  }

  #noticeIdle(): void {
    if (this.#resolveIdle === undefined || this.#outbox.waitingCount > 0) return;
    if (this.#blocks.handedOverCount > this.#blocks.durableCount) return;
    const open = this.#blocks.open();
    if (open !== null && open.recordCount > 0) return;
    this.#resolveIdle();
    this.#resolveIdle = undefined;
  }

  #beat(): void {
    const { counters } = this.#options;
    counters.heartbeat(Date.now());
    counters.setGauge(LaneGauge.connections, this.#connections.size);
    counters.setGauge(LaneGauge.unansweredTransactions, this.#outbox.unansweredCount);
    counters.setGauge(LaneGauge.sequence, this.#shard.sequence);
    if (this.#heartbeatCount % GAUGE_HEARTBEATS === 0) showTables(this.#shard, counters);
    this.#heartbeatCount += 1;
    this.#schedule();
  }
}

const TABLE_GAUGES: Readonly<Record<string, LaneGauge>> = {
  accounts: LaneGauge.accounts,
  index_slots: LaneGauge.indexEntries,
  open_rounds: LaneGauge.openRounds,
  holds: LaneGauge.holds,
};

/** Shows how full the shard's tables are. */
export function showTables(shard: Shard, counters: LaneCounters): void {
  let tableBytes = 0;
  for (const { byteCount, rowCount, table } of shard.measureTables()) {
    tableBytes += byteCount;
    const gauge = TABLE_GAUGES[table];
    if (gauge !== undefined) counters.setGauge(gauge, rowCount);
  }
  counters.setGauge(LaneGauge.tableBytes, tableBytes);
}

function rethrow(error: unknown): never {
  throw error;
}

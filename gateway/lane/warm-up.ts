// Has a lane's code compiled before the lane listens: scratch lanes without sockets and disk work
// up to 48,000 transactions of all common kinds, which are then forgotten. Cold code needs
// 80 µs and more for one; a first slice of it took up to 36 ms. Two lanes, one after the other:
// what was compiled while there was only one object of a kind is thrown away when the next one is
// made, and the real lane must not be that next one. Lane's thread only; nothing of it reaches the
// real shard, its log or its counters.
import { Packr } from 'msgpackr';
import { Kind } from '../../core/kinds.ts';
import { Shard } from '../../core/shard.ts';
import { PLAIN_MEMORY, type TableMemory } from '../../core/tables/table-memory.ts';
import { allocateCommitPort, LaneBlocks, WriterBlocks } from '../../persist/commit-port.ts';
import { allocateStopSignal } from '../../persist/stop-signal.ts';
import { LaneCounters } from '../metrics/lane-counters.ts';
import { ClientSession, localSession } from './client-session.ts';
import type { Connection } from './connection.ts';
import { Lane } from './lane.ts';
import { growingInPlace } from './warmed-memory.ts';

/** Compiled code is there after some 20,000 transactions; on a slow machine the time ends it. */
const ROUND_TRIPS_MAX = 120;
const FIRST_LANE_ROUND_TRIPS = 30;
const FIRST_LANE_MS_MAX = 400;
/** Rare requests are sent again so often: what was done once only is not compiled. */
const RARE_ROUND_TRIPS = 10;
const WARM_UP_MS_MAX = 800;
const FRAME_TENS = 20;
const FRAME_PLAYERS = 100;
const UNANSWERED_MAX = 100_000;
/** Some hundred times what the trips fill. */
const SCRATCH_TABLE_BYTES_MAX = 2 ** 30;

const OPERATOR = 'warm-up';
const CURRENCY = 'EUR';
const packr = new Packr({ useRecords: false });

/** Works the scratch lanes, in turns, so that the thread's timers go on. */
export async function warmUp(): Promise<void> {
  const startedMs = performance.now();
  const firstEndMs = startedMs + FIRST_LANE_MS_MAX;
  await workScratchLane(PLAIN_MEMORY, FIRST_LANE_ROUND_TRIPS, firstEndMs);
  const endMs = startedMs + WARM_UP_MS_MAX;
  await workScratchLane(SHARED_MEMORY, ROUND_TRIPS_MAX - FIRST_LANE_ROUND_TRIPS, endMs);
}

/** As the real lane's tables have it. */
const SHARED_MEMORY: TableMemory = {
  take: () => growingInPlace(SCRATCH_TABLE_BYTES_MAX, () => undefined),
  takeLinear: PLAIN_MEMORY.takeLinear,
};

async function workScratchLane(memory: TableMemory, trips: number, endMs: number): Promise<void> {
  const scratch = new ScratchLane(memory);
  for (let trip = 0; trip < trips && performance.now() < endMs; trip += 1) {
    if (trip % RARE_ROUND_TRIPS === 0) await scratch.administer(trip);
    for (const transactions of framesOf(trip)) await scratch.send(transactions);
  }
  scratch.end();
}

/** A lane whose blocks count as durable as soon as they are handed over. */
class ScratchLane {
  readonly #shard: Shard;
  readonly #writer: WriterBlocks;
  readonly #lane: Lane;
  /** As main connects, and as a client does. */
  readonly #local: Connection;
  #connection: Connection;
  #requestCount = 0;
  #position = 0;
  #failure: unknown;

  constructor(memory: TableMemory) {
    this.#shard = new Shard({ shard: 0, hashSeed: new Uint8Array(16).fill(1), memory });
    const port = allocateCommitPort();
    this.#writer = new WriterBlocks(port);
    this.#lane = new Lane({
      shard: this.#shard,
      blocks: new LaneBlocks(port),
      counters: new LaneCounters(LaneCounters.allocate()),
      stop: allocateStopSignal(),
      unansweredPerConnectionMax: UNANSWERED_MAX,
      unansweredPerLaneMax: UNANSWERED_MAX,
      fail: (_, error) => {
        this.#failure = error;
      },
    });
    this.#local = this.#connect(localSession(this.#shard.directory));
    this.#connection = this.#local;
  }

  /** Makes the operator and the client, or sets them anew, and a player as main would. */
  async administer(serial: number): Promise<void> {
    const options = { operator: OPERATOR };
    const nothing = Array(7).fill(null);
    const operator = JSON.stringify({ currencies: { [CURRENCY]: 2 } });
    const [first, second, third, fourth] = Array.from({ length: 4 }, (_, place) => {
      return `rare-${serial}-${place}`;
    });
    const player = `player-of-main-${serial}`;
    this.#connection = this.#local;
    await this.send([
      [Kind.setOperator, first, null, null, ...nothing, { ...options, definition: operator }],
    ]);
    await this.send([[Kind.setClient, second, null, null, ...nothing, { definition: CLIENT }]]);
    await this.send([[Kind.open, third, player, CURRENCY, ...nothing, options]]);
    const amount = nothing.with(0, 10_000);
    await this.send([[Kind.deposit, fourth, player, CURRENCY, ...amount, options]]);
    const client = this.#shard.directory.client(OPERATOR);
    if (client === undefined) throw new Error('Cannot warm up: the scratch client was not made');
    this.#connection = this.#connect(new ClientSession(this.#shard.directory, client));
  }

  /** Sends one request, has it decided and counts its blocks as durable. */
  async send(transactions: readonly unknown[]): Promise<void> {
    this.#requestCount += 1;
    const frame = packr.pack([1, this.#requestCount, transactions]);
    this.#lane.receive(this.#connection, frame);
    while (this.#connection.unansweredCount > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#failure !== undefined) throw this.#failure;
      const readyCount = this.#writer.startTaking();
      const positions = Array.from({ length: readyCount }, () => ++this.#position);
      if (readyCount > 0) this.#writer.publish(positions);
      this.#writer.finishTaking();
    }
  }

  end(): void {
    this.#lane.kill();
  }

  #connect(session: ClientSession): Connection {
    return this.#lane.connect(session, { send: () => true, close: () => undefined });
  }
}

const CLIENT = JSON.stringify({
  client: OPERATOR,
  operator: OPERATOR,
  provider: OPERATOR,
  permissions: ['play', 'cashier', 'read'],
  secretSha256: '0'.repeat(64),
  revoked: false,
});

function playerOf(trip: number, number: number): string {
  return `player-${String(trip * FRAME_PLAYERS + number).padStart(13, '0')}`;
}

/** New players, money for them, and their play: a frame each. */
function framesOf(trip: number): unknown[][][] {
  const players = Array.from({ length: FRAME_PLAYERS }, (_, number) => playerOf(trip, number));
  const idOf = (name: string, player: string): string => `${name}-${player.padStart(29, '-')}`;
  return [
    players.map((player) => [Kind.open, idOf('opening', player), player, CURRENCY]),
    players.map((player) => [Kind.deposit, idOf('deposit', player), player, CURRENCY, 1e9]),
    playOf(trip),
  ];
}

/** Tens of canonical transactions, with some of what else is common: repeats, refusals, returns. */
function playOf(trip: number): unknown[][] {
  const transactions: unknown[][] = [];
  for (let ten = 0; ten < FRAME_TENS; ten += 1) {
    const serial = trip * FRAME_TENS + ten;
    const player = playerOf(trip, (ten * 7) % FRAME_PLAYERS);
    const id = (name: string): string => `${name}-${String(serial).padStart(30, '0')}`;
    const bet = (name: string, round: string, flags: number | null, amount = 100): unknown[] => [
      ...[Kind.bet, id(name), player, CURRENCY, amount, id(round)],
      ...[flags, null, 'game-000001'],
    ];
    transactions.push(
      bet('lost-1', 'round-1', 1),
      bet('won', 'round-2', null),
      bet('lost-2', 'round-3', 1, 70_000),
      [Kind.win, id('win'), player, CURRENCY, 150, id('round-2'), 1, id('won'), 'game-000001'],
      bet('lost-1', 'round-1', 1),
      bet('returned', 'round-4', null),
      [Kind.rollback, id('return'), player, CURRENCY, null, null, null, id('returned')],
      bet('too-much', 'round-5', 1, 9e12),
      [Kind.deposit, id('more'), player, CURRENCY, 500],
      [Kind.withdraw, id('withdrawal'), player, CURRENCY, 100],
    );
  }
  return transactions;
}

// A lane without sockets and disk for tests: the real shard, queues and commit port, with the log
// writer's side in the test's hand, so that a block becomes durable exactly when the test says so.
import { Packr, Unpackr } from 'msgpackr';
import { Kind } from '../../../core/kinds.ts';
import { Shard } from '../../../core/shard.ts';
import { ClientSession, localSession } from '../../../gateway/lane/client-session.ts';
import type { AnswerSink, Connection } from '../../../gateway/lane/connection.ts';
import { Lane } from '../../../gateway/lane/lane.ts';
import { LaneCounters } from '../../../gateway/metrics/lane-counters.ts';
import { allocateCommitPort, LaneBlocks, WriterBlocks } from '../../../persist/commit-port.ts';
import { allocateStopSignal } from '../../../persist/stop-signal.ts';

/** One answer of kassa.v1, decoded. */
export type Answer = readonly unknown[];

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });
const TURNS = 6;
/** Where the log of an earlier run ended. */
const RESUME_POSITION = 70;

/** A sender and what it got. */
export class TestSender implements AnswerSink {
  readonly answers: Answer[] = [];
  frameCount = 0;
  closeCode = 0;
  /** Set to make the next send fail, as a lost socket does. */
  isLost = false;
  connection: Connection | undefined;

  send(answers: Uint8Array): boolean {
    if (this.isLost) return false;
    this.frameCount += 1;
    this.answers.push(...decodeAnswers(answers));
    return true;
  }

  close(code: number): void {
    this.closeCode = code;
  }
}

/** A lane of the given limits. */
export class LaneHarness {
  readonly stop: SharedArrayBuffer = allocateStopSignal();
  readonly counters: LaneCounters = new LaneCounters(LaneCounters.allocate());
  readonly shard: Shard = new Shard({ shard: 0, hashSeed: new Uint8Array(16) });
  readonly blocks: LaneBlocks;
  readonly writer: WriterBlocks;
  readonly lane: Lane;
  failure: unknown;
  #position = RESUME_POSITION;

  constructor(limits: { perConnection?: number; perLane?: number } = {}) {
    const port = allocateCommitPort();
    this.blocks = new LaneBlocks(port, { stop: this.stop, resumePosition: RESUME_POSITION });
    this.writer = new WriterBlocks(port);
    this.lane = new Lane({
      shard: this.shard,
      blocks: this.blocks,
      counters: this.counters,
      stop: this.stop,
      unansweredPerConnectionMax: limits.perConnection ?? 20_000,
      unansweredPerLaneMax: limits.perLane ?? 200_000,
      fail: (_, error) => {
        this.failure = error;
      },
    });
  }

  /** Makes operator `demo`, a player with 1,000 EUR cents, and client `game`; all durable. */
  async prepare(): Promise<void> {
    const nils = new Array(6).fill(null);
    const operator = 'demo';
    const transactions = [
      [Kind.setOperator, 's1', null, null, null, ...nils, { operator, definition: OPERATOR }],
      [Kind.setClient, 's2', null, null, null, ...nils, { definition: clientDefinition(false) }],
      [Kind.open, 's3', 'player', 'EUR', null, ...nils, { operator }],
      [Kind.deposit, 's4', 'player', 'EUR', 1_000, ...nils, { operator }],
    ];
    for (const transaction of transactions) await this.submit([transaction]);
  }

  /** Has main's own transactions decided and made durable; their outcomes. */
  async submit(transactions: readonly unknown[]): Promise<readonly unknown[]> {
    const sender = new TestSender();
    const connection = this.lane.connect(localSession(this.shard.directory), sender);
    this.send(connection, [1, 1, transactions]);
    await this.commit();
    this.lane.disconnect(connection);
    return listOf(sender.answers[0]);
  }

  /** A connection of the client `game`. */
  connect(): { sender: TestSender; connection: Connection } {
    const client = this.shard.directory.client('game');
    if (client === undefined) throw new Error('prepare() comes first');
    const sender = new TestSender();
    const session = new ClientSession(this.shard.directory, client);
    const connection = this.lane.connect(session, sender);
    sender.connection = connection;
    return { sender, connection };
  }

  send(connection: Connection, request: unknown): void {
    this.lane.receive(connection, packr.pack(request));
  }

  /** Lets the lane take all the turns it wants; nothing becomes durable. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** Makes the oldest block that was handed over durable; its position. */
  async commitOne(): Promise<number> {
    if (this.writer.startTaking() > 0) {
      this.#position += 1;
      this.writer.publish([this.#position]);
    }
    this.writer.finishTaking();
    await this.settle();
    return this.#position;
  }

  /** Settles and commits until nothing is left to do. */
  async commit(): Promise<void> {
    await this.settle();
    while (this.blocks.handedOverCount > this.blocks.durableCount) await this.commitOne();
  }
}

/** A bet of the player on one cent or more. */
export function bet(transactionId: string, amount = 1): unknown[] {
  return [Kind.bet, transactionId, 'player', 'EUR', amount];
}

/** The list of an answer. */
export function listOf(answer: Answer | undefined): readonly unknown[] {
  const list = answer?.[3];
  if (!Array.isArray(list)) throw new Error(`an answer with a list: ${JSON.stringify(answer)}`);
  return list;
}

/** The codes of an answer's list. */
export function codesOf(answer: Answer | undefined): unknown[] {
  return listOf(answer).map((element) => (Array.isArray(element) ? element[0] : element));
}

/** The definition of the client `game`. */
export function clientDefinition(revoked: boolean): string {
  const permissions = ['play', 'read'];
  const secretSha256 = '0'.repeat(64);
  const names = { client: 'game', operator: 'demo', provider: 'studio' };
  return JSON.stringify({ ...names, permissions, secretSha256, revoked });
}

const OPERATOR = JSON.stringify({ currencies: { EUR: 2 } });

function decodeAnswers(bytes: Uint8Array): Answer[] {
  const decoded: unknown = unpackr.unpackMultiple(bytes);
  if (!Array.isArray(decoded)) throw new Error('answers are values in a row');
  return decoded;
}

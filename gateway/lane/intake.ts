// Takes frames in: reads their head, holds them against the limits of unanswered transactions, and
// puts them at the end of their connection's queue, or refuses them at once (design section 7, flow
// control). A refused request was not looked into: nothing of it is executed, no key burnt. Lane's
// thread only.
import { ATOMIC_TRANSACTIONS_MAX, BATCH_TRANSACTIONS_MAX } from '../../core/limits.ts';
import { ResultCode } from '../../core/result-codes.ts';
import type { LaneCounters, RefusalReason } from '../metrics/lane-counters.ts';
import { AnswerBuffer } from '../wire/answer-buffer.ts';
import { writeRefusal } from '../wire/answer-writer.ts';
import { type RequestHead, RequestType, readRequestHead } from '../wire/request-head.ts';
import type { Connection, ReadyRing } from './connection.ts';
import type { Inbox } from './inbox.ts';
import { BALANCES_MAX, RETRY_DELAY_MS } from './lane-limits.ts';
import { CloseCode, type Outbox } from './outbox.ts';
import type { RequestTable } from './request-table.ts';

/** What an intake fills and asks. */
export interface IntakeOptions {
  readonly requests: RequestTable;
  readonly inbox: Inbox;
  readonly ready: ReadyRing;
  readonly outbox: Outbox;
  readonly counters: LaneCounters;
  readonly unansweredPerConnectionMax: number;
  readonly unansweredPerLaneMax: number;
}

/** The way in of one lane. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #head: RequestHead = { type: 0, requestId: 0, count: 0, at: 0 };
  readonly #refusals: AnswerBuffer = new AnswerBuffer();
  /** Set when the lane stops: what comes from now on is refused. */
  stopping = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Takes one frame; the bytes are copied. What is no request ends the connection. */
  receive(connection: Connection, frame: Uint8Array): void {
    if (connection.endCode !== 0 || connection.closed) return;
    const { inbox, requests } = this.#options;
    const head = this.#head;
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    if (!readRequestHead(view, 0, frame.byteLength, head)) {
      this.end(connection, CloseCode.malformed);
      return;
    }
    if (this.stopping) {
      this.#refuse(connection, ResultCode.stopping, 'stopping');
      return;
    }
    const code = refusalOf(head, this.#batchMax());
    const count = code === 0 ? Math.max(head.count, 1) : 1;
    const reason = this.#lackingRoom(connection, count, frame.byteLength);
    if (reason !== undefined) {
      connection.overloaded = connection.unansweredCount > 0;
      this.#refuse(connection, ResultCode.overloaded, reason);
      return;
    }
    const chunk = inbox.store(frame);
    head.at += chunk.usedBytes - frame.byteLength;
    head.count = count;
    const row = requests.append(connection, head, chunk, performance.now());
    if (code !== 0) {
      requests.type[row] = 0;
      requests.refusal[row] = code;
    }
    connection.unansweredCount += count;
    this.#options.outbox.unansweredCount += count;
    this.#options.ready.add(connection);
  }

  /** Takes nothing more from the connection and closes it when its requests are answered. */
  end(connection: Connection, closeCode: number): void {
    connection.endCode = closeCode;
    this.#options.counters.countRefusal('malformed');
    this.#options.outbox.endIfAnswered(connection);
  }

  #batchMax(): number {
    return Math.min(BATCH_TRANSACTIONS_MAX, this.#options.unansweredPerConnectionMax);
  }

  #lackingRoom(
    connection: Connection,
    count: number,
    byteCount: number,
  ): RefusalReason | undefined {
    const { inbox, outbox } = this.#options;
    if (connection.overloaded) return 'connection_unanswered';
    if (connection.unansweredCount + count > this.#options.unansweredPerConnectionMax) {
      return 'connection_unanswered';
    }
    const isFull = outbox.unansweredCount + count > this.#options.unansweredPerLaneMax;
    return isFull || !inbox.hasRoomFor(byteCount) ? 'lane_unanswered' : undefined;
  }

  // Refusals for lack of room and at a stop go out at once: they tell nothing of the lane's state.
  #refuse(connection: Connection, code: number, reason: RefusalReason): void {
    const buffer = this.#refusals;
    const text = code === ResultCode.overloaded ? String(RETRY_DELAY_MS) : 'the server is stopping';
    writeRefusal(buffer, this.#head.requestId, code, text);
    this.#options.counters.countRefusal(reason);
    const sent = connection.sink.send(buffer.takeUntil(buffer.mark));
    buffer.discard();
    if (!sent) this.#options.counters.countRefusal('slow_reader');
  }
}

// The code that the whole request is refused with, or 0.
function refusalOf(head: RequestHead, batchMax: number): number {
  if (head.type === 0) return ResultCode.malformed;
  if (head.type === RequestType.ping) return 0;
  if (head.count === 0) return ResultCode.malformed;
  const countMax =
    head.type === RequestType.transactions
      ? batchMax
      : head.type === RequestType.balances
        ? BALANCES_MAX
        : Math.min(batchMax, ATOMIC_TRANSACTIONS_MAX);
  return head.count > countMax ? ResultCode.tooLarge : 0;
}

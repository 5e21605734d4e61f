// Writes the answers of requests into their connections' buffers and puts them into the queue for
// the disk, whichever sort they are; answers reads, pings and refusals on the spot. Lane's thread
// only.
import { assert } from '../../core/assert.ts';
import { ResultCode, resultCodeName } from '../../core/result-codes.ts';
import type { Shard } from '../../core/shard.ts';
import type { LaneCounters } from '../metrics/lane-counters.ts';
import { writeAnswerHead, writeCodes, writeRefusal } from '../wire/answer-writer.ts';
import { RequestType } from '../wire/request-head.ts';
import { answerBalances } from './balance-reader.ts';
import type { Connection } from './connection.ts';
import type { Inbox, InboxChunk } from './inbox.ts';
import { CloseCode, type Outbox } from './outbox.ts';
import { NO_REQUEST, type RequestTable } from './request-table.ts';

/** What answers are made from and go to. */
export interface RequestAnswersOptions {
  readonly shard: Shard;
  readonly requests: RequestTable;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly counters: LaneCounters;
}

/** The answers of one lane. Rows are those of the RequestTable. */
export class RequestAnswers {
  readonly #shard: Shard;
  readonly #requests: RequestTable;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #counters: LaneCounters;

  constructor(options: RequestAnswersOptions) {
    this.#shard = options.shard;
    this.#requests = options.requests;
    this.#inbox = options.inbox;
    this.#outbox = options.outbox;
    this.#counters = options.counters;
  }

  /** Writes the head of the request's answer unless it is written. */
  begin(connection: Connection, row: number): void {
    const requests = this.#requests;
    if (requests.begun[row] !== 0) return;
    requests.begun[row] = 1;
    const type = requests.type[row];
    const answerType = type === RequestType.atomicBatch ? 1 : type === 1 || type === 3 ? type : 4;
    requests.positionMark[row] = writeAnswerHead(
      connection.buffer,
      answerType,
      requests.requestId[row],
      requests.count[row],
    );
  }

  /** Answers the rest of a request whose structure is broken: nothing of it is executed. */
  breakOff(connection: Connection, row: number): void {
    const rest = this.#requests.remaining[row];
    writeCodes(connection.buffer, ResultCode.malformed, rest);
    if (rest > 0) this.#counters.countTransaction(0, ResultCode.malformed, rest);
    if (connection.endCode === 0) connection.endCode = CloseCode.malformed;
    this.#counters.countRefusal('malformed');
  }

  /** The answer is complete: it waits for its block; the request's bytes and row are free. */
  finish(connection: Connection, row: number): void {
    const { begun, count, positionMark, receivedMs } = this.#requests;
    const mark = begun[row] === 0 ? -1 : positionMark[row];
    this.#outbox.add(connection, count[row], receivedMs[row], mark);
    this.#inbox.release(this.chunkOf(row));
    this.#requests.free(row);
  }

  /** Answers the first request of the connection, a read; returns how many balances. */
  answerBalances(connection: Connection, row: number): number {
    const requests = this.#requests;
    if (!connection.session.client.mayRead) {
      return this.refuse(connection, ResultCode.forbidden, 'forbidden');
    }
    requests.shift(connection);
    this.begin(connection, row);
    const query = {
      source: this.chunkOf(row),
      at: requests.at[row],
      end: requests.end[row],
      count: requests.count[row],
      operatorNumber: connection.session.operatorNumber,
    };
    const isWhole = answerBalances(this.#shard, query, connection.buffer);
    if (!isWhole && connection.endCode === 0) connection.endCode = CloseCode.malformed;
    this.finish(connection, row);
    return query.count;
  }

  /** Answers the first request of the connection, a ping. */
  answerPing(connection: Connection, row: number): number {
    this.#requests.shift(connection);
    this.begin(connection, row);
    this.finish(connection, row);
    return 1;
  }

  /** Refuses the first request of the connection with the code that the intake found. */
  refuseMarked(connection: Connection, row: number): number {
    const code = this.#requests.refusal[row];
    return this.refuse(connection, code, code === ResultCode.tooLarge ? 'too_large' : 'malformed');
  }

  /** Refuses the whole first request of the connection. */
  refuse(
    connection: Connection,
    code: number,
    reason: 'too_large' | 'malformed' | 'forbidden' | 'unauthorised',
  ): number {
    const row = this.#requests.shift(connection);
    const text = resultCodeName(code);
    writeRefusal(connection.buffer, this.#requests.requestId[row], code, text);
    this.#counters.countRefusal(reason);
    this.finish(connection, row);
    return 1;
  }

  /** Forgets the requests of a connection that is gone. */
  dropQueue(connection: Connection): void {
    while (connection.firstRequest !== NO_REQUEST) {
      const row = this.#requests.shift(connection);
      this.#inbox.release(this.chunkOf(row));
      this.#requests.free(row);
    }
  }

  /** The bytes of a request. */
  chunkOf(row: number): InboxChunk {
    const chunk = this.#requests.chunks[row];
    assert(chunk !== null, 'a request in the table has its bytes');
    return chunk;
  }
}

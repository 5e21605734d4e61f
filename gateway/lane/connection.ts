// One sender of requests as its lane sees it: a WebSocket, one HTTP request, or main's own
// transactions. Holds the queue of its undecided requests, its unsent answers, and the counts that
// flow control goes by. Lane's thread only; a crash or a close loses only what was not answered.
import { AnswerBuffer } from '../wire/answer-buffer.ts';
import type { ClientSession } from './client-session.ts';
import { NO_REQUEST, type RequestQueue } from './request-table.ts';

/** Where a connection's answers go. */
export interface AnswerSink {
  /** Sends whole answers; the bytes are valid during the call only. False: the client is lost. */
  send(answers: Uint8Array): boolean;
  /** Ends the connection after what was sent; the codes are the WebSocket's. */
  close(code: number, reason: string): void;
}

/** A sender's state. `firstRequest` and `lastRequest` are its queue in the RequestTable. */
export class Connection implements RequestQueue {
  readonly session: ClientSession;
  readonly sink: AnswerSink;
  readonly buffer: AnswerBuffer = new AnswerBuffer();
  firstRequest: number = NO_REQUEST;
  lastRequest: number = NO_REQUEST;
  /** Transactions (and other requests) received and not answered. */
  unansweredCount = 0;
  /** Set by the first refusal for lack of room, until nothing is unanswered. */
  overloaded = false;
  /**
   * Not 0: nothing more is taken from it, and it is closed with this code behind its last answer.
   */
  endCode = 0;
  /** Its socket is gone. */
  closed = false;
  /** Rows of the present slice that are its own and not decided. */
  undecidedRowCount = 0;
  /** Whether it stands in the lane's ring of connections with work. */
  isReady = false;
  nextReady: Connection | null = null;
  /** Mark in the buffer up to which answers may leave; the rest waits for the disk. */
  readyMark = 0;
  /** Whether it is in the list of connections to send to. */
  isTouched = false;

  constructor(session: ClientSession, sink: AnswerSink) {
    this.session = session;
    this.sink = sink;
  }
}

/** Connections with work, first come first served: each stands in it once. */
export class ReadyRing {
  #first: Connection | null = null;
  #last: Connection | null = null;

  /** The connection whose turn it is, or null. */
  get first(): Connection | null {
    return this.#first;
  }

  /** Puts a connection at the end unless it is in. */
  add(connection: Connection): void {
    if (connection.isReady) return;
    connection.isReady = true;
    connection.nextReady = null;
    if (this.#last === null) this.#first = connection;
    else this.#last.nextReady = connection;
    this.#last = connection;
  }

  /** Takes the first out; it is put back with `add` if it has more. */
  shift(): void {
    const connection = this.#first;
    if (connection === null) return;
    this.#first = connection.nextReady;
    if (this.#first === null) this.#last = null;
    connection.nextReady = null;
    connection.isReady = false;
  }
}

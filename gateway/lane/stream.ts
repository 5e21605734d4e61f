// The WebSocket side of a lane: `/v1/stream`, subprotocol kassa.v1, binary frames. Checks the key
// before the upgrade, makes a connection of each socket, and is the sink of its answers. Lane's
// thread only. A socket that is closed is never touched again: the library throws if it is.
import {
  DISABLED,
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type WebSocket,
} from 'uWebSockets.js';
import { Packr } from 'msgpackr';
import { ATOMIC_TRANSACTIONS_MAX, BATCH_TRANSACTIONS_MAX } from '../../core/limits.ts';
import type { Client, Directory } from '../../core/policies/directory.ts';
import { ResultCode } from '../../core/result-codes.ts';
import { endWithError } from '../http/http-answer.ts';
import type { LaneCounters } from '../metrics/lane-counters.ts';
import { authenticate } from './authentication.ts';
import { ClientSession } from './client-session.ts';
import type { AnswerSink, Connection } from './connection.ts';
import type { Lane } from './lane.ts';
import { CLOSE_GRACE_MS, IDLE_TIMEOUT_SECONDS, UNREAD_BYTES_MAX } from './lane-limits.ts';
import type { LaneSettings } from './lane-messages.ts';
import { CloseCode } from './outbox.ts';

/** What a stream serves. */
export interface StreamOptions {
  readonly lane: Lane;
  readonly directory: Directory;
  readonly counters: LaneCounters;
  readonly settings: LaneSettings;
  readonly version: string;
}

const PROTOCOL = 'kassa.v1';
const packr = new Packr({ useRecords: false });

/** What the library keeps for each socket. */
interface SocketData {
  readonly client: Client;
  connection: Connection | undefined;
  /** Set by the close event: any call on the socket would throw from then on. */
  isGone: boolean;
}

/** Adds the WebSocket route to the app; returns a function that counts the open sockets. */
export function serveStream(app: TemplatedApp, options: StreamOptions): () => number {
  const { lane, settings } = options;
  let openCount = 0;
  app.ws<SocketData>('/v1/stream', {
    compression: DISABLED,
    maxPayloadLength: settings.frameBytesMax,
    maxBackpressure: 2 * UNREAD_BYTES_MAX,
    closeOnBackpressureLimit: true,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    sendPingsAutomatically: true,
    upgrade: (response, request, context) => {
      lane.guard('upgrade', () => {
        const client = admit(options, response, request);
        if (client === undefined) return;
        response.upgrade<SocketData>(
          { client, connection: undefined, isGone: false },
          request.getHeader('sec-websocket-key'),
          PROTOCOL,
          request.getHeader('sec-websocket-extensions'),
          context,
        );
      });
    },
    open: (socket) => {
      openCount += 1;
      lane.guard('open', () => open(options, socket));
    },
    message: (socket, message, isBinary) => {
      lane.guard('message', () => {
        const { connection } = socket.getUserData();
        if (connection === undefined) return;
        if (isBinary) lane.receive(connection, new Uint8Array(message));
        else lane.end(connection, CloseCode.malformed);
      });
    },
    close: (socket) => {
      openCount -= 1;
      lane.guard('close', () => {
        const data = socket.getUserData();
        data.isGone = true;
        if (data.connection !== undefined) lane.disconnect(data.connection);
      });
    },
  });
  return () => openCount;
}

// The client that may open a stream; undefined when the request was refused and answered.
function admit(
  options: StreamOptions,
  response: HttpResponse,
  request: HttpRequest,
): Client | undefined {
  const { counters, directory, lane, settings } = options;
  const client = authenticate(directory, request.getHeader('authorization'));
  if (client === undefined) {
    counters.countRefusal('unauthorised');
    endWithError(response, 401, ResultCode.forbidden, 'no valid key in the header authorization');
    return undefined;
  }
  const protocols = request.getHeader('sec-websocket-protocol').split(',');
  if (!protocols.some((protocol) => protocol.trim() === PROTOCOL)) {
    endWithError(response, 400, ResultCode.malformed, `the subprotocol must be ${PROTOCOL}`);
    return undefined;
  }
  if (lane.isStopping) {
    endWithError(response, 503, ResultCode.stopping, 'the server is stopping');
    return undefined;
  }
  if (lane.connections.size >= settings.connectionsMax) {
    counters.countRefusal('connections');
    endWithError(response, 503, ResultCode.overloaded, 'there are too many connections');
    return undefined;
  }
  return client;
}

function open(options: StreamOptions, socket: WebSocket<SocketData>): void {
  const { directory, lane, settings, version } = options;
  const data = socket.getUserData();
  const { client } = data;
  data.connection = lane.connect(
    new ClientSession(directory, client),
    new SocketSink(socket, lane),
  );
  const unanswered = settings.unansweredPerConnectionMax;
  const hello = {
    protocol: PROTOCOL,
    version,
    client: client.id,
    operator: client.operator,
    provider: client.provider,
    permissions: client.permissions,
    lanes: 1,
    limits: {
      batchTransactions: Math.min(BATCH_TRANSACTIONS_MAX, unanswered),
      atomicTransactions: Math.min(ATOMIC_TRANSACTIONS_MAX, unanswered),
      frameBytes: settings.frameBytesMax,
      unansweredTransactions: unanswered,
    },
  };
  socket.send(packr.pack([0, 0, hello]), true);
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** Sends answers to a WebSocket. */
class SocketSink implements AnswerSink {
  readonly #socket: WebSocket<SocketData>;
  readonly #lane: Lane;
  #answers: Uint8Array = NOTHING;
  #result = 0;

  constructor(socket: WebSocket<SocketData>, lane: Lane) {
    this.#socket = socket;
    this.#lane = lane;
  }

  // One function for all sends: a closure a send would be one more object a frame.
  readonly #sendCorked = (): void => {
    this.#result = this.#socket.send(this.#answers, true);
  };

  send(answers: Uint8Array): boolean {
    if (this.#isClosed) return false;
    if (this.#socket.getBufferedAmount() > UNREAD_BYTES_MAX) {
      this.close(CloseCode.slowReader, 'answers are not read');
      return false;
    }
    this.#answers = answers;
    this.#socket.cork(this.#sendCorked);
    this.#answers = NOTHING;
    // 2: dropped. The client cannot know what it missed: it must connect again and repeat.
    if (this.#result === 2 && !this.#isClosed) this.#socket.close();
    return this.#result !== 2;
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return;
    const data = this.#socket.getUserData();
    // Before end(), whose close event may come at once or only when the client has read on.
    if (data.connection !== undefined) this.#lane.disconnect(data.connection);
    this.#socket.end(code, reason);
    if (data.isGone) return;
    // A client that does not read would keep its unread answers in our memory.
    const cut = (): void => {
      if (!data.isGone) this.#socket.close();
    };
    setTimeout(() => this.#lane.guard('cutting a socket', cut), CLOSE_GRACE_MS).unref();
  }

  get #isClosed(): boolean {
    return this.#socket.getUserData().connection?.closed ?? false;
  }
}

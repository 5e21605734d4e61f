// Owns one WebSocket to a Kassa lane and makes a new one when it breaks, after a growing, jittered
// delay. Knows nothing of transactions: it hands whole answers up and sends whole frames.
//
//   start ─▶ connecting ─▶ hello ─▶ open ──break──▶ waiting ─▶ connecting …
//                 └──────────────break────────────────▲            stop ends any of them
import { Unpackr } from 'msgpackr';
import WebSocket from 'ws';
import { KassaClientError } from './client-error.ts';
import type { Hello } from './outcome.ts';
import { notUnderstood } from './outcome.ts';

/** Where and as whom to connect, and how patiently. */
export interface LinkSettings {
  readonly url: string;
  readonly key: string;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A number in [0, 1); passed in so that tests can repeat a run. */
  readonly random: () => number;
}

/** What a link tells its owner; never called again after `stop`. */
export interface LinkEvents {
  readonly onOpen: (hello: Hello) => void;
  readonly onAnswer: (answer: readonly unknown[]) => void;
  readonly onBreak: (reason: string, retryInMs: number) => void;
  /** The link has given up: connecting again would not help. */
  readonly onFailure: (error: KassaClientError) => void;
}

const HANDSHAKE_TIMEOUT_MS = 5_000;
const CLOSE_PROTOCOL_ERROR = 4400;
const HELLO_TYPE = 0;
// int64 as number: positions and money stay below 2^53, and BigInt would cost an allocation each.
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });

/** A WebSocket that comes back. */
export class Link {
  readonly #settings: LinkSettings;
  readonly #events: LinkEvents;
  #socket: WebSocket | null = null;
  #isOpen = false;
  #isStopped = false;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Frames that came so far. */
  frameCount = 0;

  constructor(settings: LinkSettings, events: LinkEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  /** Whether frames may be sent now. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Begins to connect. */
  start(): void {
    const { url, key } = this.#settings;
    const socket = new WebSocket(url, 'kassa.v1', {
      headers: { authorization: `Bearer ${key}` },
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    socket.binaryType = 'nodebuffer';
    this.#socket = socket;
    let reason = 'the connection ended';
    socket.on('message', (data: Buffer) => this.#receive(data));
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('unexpected-response', (request, response) => {
      reason = `the upgrade was answered with HTTP ${response.statusCode}`;
      request.destroy();
      if (response.statusCode === 401) this.#refuseKey();
      else this.#lose(socket, reason);
    });
    socket.on('close', (closeCode, text) => {
      if (closeCode === CLOSE_PROTOCOL_ERROR) this.#refuseFrame(String(text));
      else this.#lose(socket, text.length > 0 ? String(text) : reason);
    });
  }

  /** Hands a frame to the socket. The caller has looked at isOpen. */
  send(frame: Uint8Array): void {
    this.#socket?.send(frame);
  }

  /** Breaks the connection at once, so that a new one is made. */
  drop(): void {
    this.#socket?.terminate();
  }

  /** Closes for good; nothing is reported any more. */
  stop(): void {
    this.#isStopped = true;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #receive(data: Buffer): void {
    this.frameCount += 1;
    try {
      for (const answer of unpackr.unpackMultiple(data) as unknown[]) {
        if (this.#isStopped) return;
        if (!Array.isArray(answer)) throw notUnderstood(answer);
        if (answer[0] === HELLO_TYPE) this.#greet(answer[2] as Hello);
        else this.#events.onAnswer(answer);
      }
    } catch (error) {
      this.#fail(error instanceof KassaClientError ? error : notUnderstood(String(error)));
    }
  }

  #greet(hello: Hello): void {
    this.#attempt = 0;
    this.#isOpen = true;
    this.#events.onOpen(hello);
  }

  #lose(socket: WebSocket, reason: string): void {
    if (this.#isStopped || socket !== this.#socket) return;
    this.#socket = null;
    this.#isOpen = false;
    const { backoffMinMs, backoffMaxMs, random } = this.#settings;
    const ceilingMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#attempt, 20));
    this.#attempt += 1;
    // Half fixed, half random: a thousand clients of a restarted server come back spread out.
    const retryInMs = Math.round(ceilingMs / 2 + (random() * ceilingMs) / 2);
    this.#timer = setTimeout(() => this.start(), retryInMs);
    this.#events.onBreak(reason, retryInMs);
  }

  #refuseKey(): void {
    this.#fail(
      new KassaClientError(
        'unauthorised',
        'Cannot connect because the server refused the key (HTTP 401). ' +
          'Check that it reads <client id>.<secret> and was not revoked.',
      ),
    );
  }

  #refuseFrame(text: string): void {
    this.#fail(
      new KassaClientError(
        'protocol',
        'Cannot go on because the server did not understand a frame: ' +
          `${text || 'close code 4400'}. Compare the versions of client and server.`,
      ),
    );
  }

  #fail(error: KassaClientError): void {
    if (this.#isStopped) return;
    this.stop();
    this.#events.onFailure(error);
  }
}

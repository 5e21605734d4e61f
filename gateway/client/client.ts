// The client of a game server or a platform: `connect`, then one call for each kind of transaction.
// Gathers what one turn of the event loop sends into one frame, keeps many frames in flight,
// connects again after a break and sends what is unanswered again with the same ids in the same
// order, so that each transaction is executed once however often the connection breaks. For Node,
// one thread.
import { KassaClientError } from './client-error.ts';
import { Link } from './link.ts';
import type { AccountBalance, Hello, Outcome } from './outcome.ts';
import { Request, RequestType, type Waiter } from './request.ts';
import { RequestQueue } from './request-queue.ts';
import { encodeTransaction, type FieldsOf, type Transaction } from './transaction.ts';

/** What `connect` needs; every bound has a default that fits a game server. */
export interface ClientSettings {
  /** `ws://host:port/v1/stream`; or give host and port. */
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  /** `<client id>.<secret>`. */
  readonly key: string;
  /** Transactions of one frame at most (1,000; the server's own limit is 10,000). */
  readonly batchTransactionsMax?: number;
  /** Transactions sent and unanswered at most (10,000); later ones wait in the client. */
  readonly inFlightTransactionsMax?: number;
  /** Transactions that wait or are in flight at most (100,000); beyond it `send` rejects. */
  readonly queuedTransactionsMax?: number;
  /** Send again what was refused with a retryable code (true), or resolve with that code. */
  readonly retriesRefused?: boolean;
  /** How long `connect` tries (10,000 ms). Later breaks are retried until `close`. */
  readonly connectTimeoutMs?: number;
  /** A connection silent for this long with something unanswered is made anew (15,000 ms). */
  readonly silenceTimeoutMs?: number;
  readonly backoffMinMs?: number;
  readonly backoffMaxMs?: number;
  readonly random?: () => number;
  readonly onEvent?: (event: ClientEvent) => void;
}

/** What happens to the connection, for logs and metrics. */
export type ClientEvent =
  | { readonly type: 'connected'; readonly hello: Hello }
  | { readonly type: 'disconnected'; readonly reason: string; readonly retryInMs: number }
  | { readonly type: 'overloaded'; readonly code: number; readonly retryAfterMs: number };

const DEFAULTS = {
  batchTransactionsMax: 1_000,
  inFlightTransactionsMax: 10_000,
  queuedTransactionsMax: 100_000,
  retriesRefused: true,
  connectTimeoutMs: 10_000,
  silenceTimeoutMs: 15_000,
  backoffMinMs: 50,
  backoffMaxMs: 5_000,
  random: Math.random,
  onEvent: () => undefined,
} as const;

const FRAME_BYTES_MAX_DEFAULT = 4_194_304;

// Checks in a row that saw something unanswered and no frame: together the silence timeout.
const SILENT_CHECKS_MAX = 3;

type FullSettings = Required<Omit<ClientSettings, 'url' | 'host' | 'port'>>;

/** Connects and resolves with the client once the server has greeted it. */
export async function connect(settings: ClientSettings): Promise<KassaClient> {
  const { host = '127.0.0.1', port = 7070 } = settings;
  const client = new KassaClient(
    { ...DEFAULTS, ...settings },
    settings.url ?? `ws://${host}:${port}/v1/stream`,
  );
  await client.opened;
  return client;
}

/** A connection to Kassa that outlives its sockets. Made by `connect`. */
export class KassaClient {
  /** Resolves with the first greeting. */
  readonly opened: Promise<Hello>;
  /** Of the present or last connection; null before the first. */
  hello: Hello | null = null;
  readonly #settings: FullSettings;
  readonly #url: string;
  readonly #link: Link;
  readonly #queue: RequestQueue;
  readonly #silenceTimer: NodeJS.Timeout;
  #flush: NodeJS.Immediate | null = null;
  #failure: KassaClientError | null = null;
  #isClosing = false;
  #frameCountBefore = 0;
  #silentChecks = 0;
  #lastBreak = 'no answer';
  #onIdle: () => void = () => undefined;
  #opening = Promise.withResolvers<Hello>();

  constructor(settings: FullSettings, url: string) {
    this.#settings = settings;
    this.#url = url;
    this.#link = new Link(
      { ...settings, url },
      {
        onOpen: (hello) => this.#open(hello),
        onAnswer: (answer) => this.#queue.take(answer),
        onBreak: (reason, retryInMs) => {
          this.#lastBreak = reason;
          this.#queue.pause();
          settings.onEvent({ type: 'disconnected', reason, retryInMs });
        },
        onFailure: (error) => this.#fail(error),
      },
    );
    this.#queue = new RequestQueue(
      { ...settings, frameBytesMax: FRAME_BYTES_MAX_DEFAULT },
      {
        canSend: () => this.#link.isOpen,
        send: (frame) => this.#link.send(frame),
        onOverloaded: (code, retryAfterMs) =>
          settings.onEvent({ type: 'overloaded', code, retryAfterMs }),
        onIdle: () => this.#onIdle(),
        retriesRefused: settings.retriesRefused,
      },
    );
    this.#silenceTimer = setInterval(
      () => this.#checkSilence(),
      settings.silenceTimeoutMs / SILENT_CHECKS_MAX,
    );
    this.opened = this.#opening.promise;
    // Whoever does not await `opened` learns of the failure from the first call.
    this.opened.catch(() => undefined);
    const timer = setTimeout(() => this.#giveUpConnecting(), settings.connectTimeoutMs);
    const cancel = () => clearTimeout(timer);
    this.opened.then(cancel, cancel);
    this.#link.start();
  }

  /**
   * Sends one transaction; calls of one turn share a frame and are decided in the order of calls.
   */
  send(transaction: Transaction): Promise<Outcome> {
    return this.#item(RequestType.batch, encodeTransaction(transaction));
  }

  /**
   * All or nothing (wallet rule 30): 1 to 1,000 transactions of one player; an outcome for each.
   */
  atomic(transactions: readonly Transaction[]): Promise<Outcome[]> {
    return this.#request(RequestType.atomic, transactions.map(encodeTransaction));
  }

  /** Balances of 1 to 1,000 accounts at one position. */
  balances(
    accounts: readonly { readonly player: string; readonly currency: string }[],
  ): Promise<AccountBalance[]> {
    const items = accounts.map(({ player, currency }) => [player, currency]);
    return this.#request(RequestType.balances, items);
  }

  /** Resolves with the position once all that was sent before is decided and on disk. */
  ping(): Promise<number> {
    const waiting = Promise.withResolvers<unknown>();
    this.#add(waiting, () => this.#queue.addRequest(new Request(RequestType.ping, [], [waiting])));
    return waiting.promise as Promise<number>;
  }

  deposit(fields: FieldsOf<'deposit'>): Promise<Outcome> {
    return this.send({ ...fields, kind: 'deposit' });
  }

  withdraw(fields: FieldsOf<'withdraw'>): Promise<Outcome> {
    return this.send({ ...fields, kind: 'withdraw' });
  }

  bet(fields: FieldsOf<'bet'>): Promise<Outcome> {
    return this.send({ ...fields, kind: 'bet' });
  }

  win(fields: FieldsOf<'win'>): Promise<Outcome> {
    return this.send({ ...fields, kind: 'win' });
  }

  rollback(fields: FieldsOf<'rollback'>): Promise<Outcome> {
    return this.send({ ...fields, kind: 'rollback' });
  }

  open(fields: FieldsOf<'open'>): Promise<Outcome> {
    return this.send({ ...fields, kind: 'open' });
  }

  /**
   * Waits for what is in flight, at most this long, then closes; rejects what is still unanswered.
   */
  async close(timeoutMs = 10_000): Promise<void> {
    this.#isClosing = true;
    if (this.#failure === null && this.#queue.transactionCount > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#fail(
      new KassaClientError(
        'closed',
        `Cannot wait for an answer because the client was closed after ${timeoutMs} ms. ` +
          'Send the transaction again with the same id to learn its outcome.',
      ),
    );
  }

  #item(type: RequestType, item: unknown): Promise<Outcome> {
    const waiting = Promise.withResolvers<unknown>();
    this.#add(waiting, () => this.#queue.addItem(type, item, waiting));
    return waiting.promise as Promise<Outcome>;
  }

  #request<Value>(type: RequestType, items: unknown[]): Promise<Value[]> {
    const waiters = items.map(() => Promise.withResolvers<unknown>());
    const all = Promise.all(waiters.map((waiter) => waiter.promise));
    const everyWaiter: Waiter = {
      resolve: () => undefined,
      reject: (error) => {
        for (const waiter of waiters) waiter.reject(error);
      },
    };
    this.#add(everyWaiter, () => this.#queue.addRequest(new Request(type, items, waiters)));
    return all as Promise<Value[]>;
  }

  #add(waiter: Waiter, add: () => void): void {
    const refusal = this.#failure ?? this.#refusal();
    if (refusal !== null) {
      waiter.reject(refusal);
      return;
    }
    add();
    if (this.#queue.hasFullRequest) this.#queue.pump();
    // At the end of the turn, not of the microtask: answers of one frame wake many callers, and
    // what they send next belongs in one frame.
    this.#flush ??= setImmediate(() => {
      this.#flush = null;
      this.#queue.pump();
    });
  }

  #refusal(): KassaClientError | null {
    if (this.#isClosing) {
      return new KassaClientError(
        'closed',
        'Cannot send because close() was called. Make a new client with connect().',
      );
    }
    if (this.#queue.transactionCount < this.#settings.queuedTransactionsMax) return null;
    return new KassaClientError(
      'queue_full',
      'Cannot send because queuedTransactionsMax transactions are unanswered: ' +
        `${this.#queue.transactionCount}. It was not sent. ` +
        'Wait for answers before sending more, or raise the setting.',
    );
  }

  #open(hello: Hello): void {
    this.hello = hello;
    const { limits } = hello;
    const { batchTransactionsMax, inFlightTransactionsMax } = this.#settings;
    this.#queue.bounds = {
      batchTransactionsMax: Math.min(batchTransactionsMax, limits.batchTransactions),
      inFlightTransactionsMax: Math.min(inFlightTransactionsMax, limits.unansweredTransactions),
      frameBytesMax: limits.frameBytes,
    };
    this.#settings.onEvent({ type: 'connected', hello });
    this.#opening.resolve(hello);
    this.#queue.sendAgain();
  }

  #checkSilence(): void {
    const { frameCount } = this.#link;
    const isSilent = this.#queue.hasUnanswered && frameCount === this.#frameCountBefore;
    this.#frameCountBefore = frameCount;
    this.#silentChecks = isSilent && this.#link.isOpen ? this.#silentChecks + 1 : 0;
    if (this.#silentChecks > SILENT_CHECKS_MAX) this.#link.drop();
  }

  #giveUpConnecting(): void {
    this.#fail(
      new KassaClientError(
        'connect_timeout',
        `Cannot connect to ${this.#url} because ${this.#lastBreak}, ` +
          `for ${this.#settings.connectTimeoutMs} ms. Check that the server runs there.`,
      ),
    );
  }

  #fail(error: KassaClientError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    clearInterval(this.#silenceTimer);
    if (this.#flush !== null) clearImmediate(this.#flush);
    this.#link.stop();
    this.#opening.reject(error);
    this.#queue.fail(error);
  }
}

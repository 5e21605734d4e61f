// A sender over the client SDK that keeps what it sent and what it was answered, in sending order.
// It goes on while the server is down: the SDK sends what is unanswered again when it is back.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type KassaClient } from '../../gateway/client/client.ts';
import type { Outcome } from '../../gateway/client/outcome.ts';
import type { Transaction } from '../../gateway/client/transaction.ts';
import type { ModelTransaction } from '../model/model-transaction.ts';
import { RandomChoice } from './random-choice.ts';
import { keyOfClient, OPERATORS, PROVIDERS } from './seeded-folder.ts';
import { type Command, type Sender, Traffic } from './traffic.ts';

/** One request and its answer. */
export interface JournalEntry {
  readonly command: Command;
  /** Undefined while unanswered. */
  outcomes: readonly Outcome[] | undefined;
  /** Number of the server's run that answered, from 0. */
  run: number;
}

/** Where a sender connects, and which run of the server is there. */
export interface LoadTarget {
  readonly port: number;
  readonly seed: number;
  /** Asked at each connection. */
  readonly currentRun: () => number;
}

const UNANSWERED_MAX = 400;
const BURST_MAX = 40;
const LARGE_BURST_MAX = 900;
const PAUSE_MS_MAX = 75;
const BACKOFF_MS = { backoffMinMs: 10, backoffMaxMs: 60 };

/** A sender for each studio at each operator, connected and with open accounts. */
export async function startSenders(
  target: LoadTarget,
  players: readonly string[],
): Promise<LoadClient[]> {
  const clients: LoadClient[] = [];
  for (const operator of Object.keys(OPERATORS)) {
    for (const provider of PROVIDERS) {
      const seed = target.seed + 2 * clients.length;
      clients.push(await LoadClient.start({ operator, provider, players }, { ...target, seed }));
    }
  }
  return clients;
}

/** Lets all of them send until each is stopped; resolves when all of it is answered. */
export function runAll(clients: readonly LoadClient[]): Promise<unknown> {
  const all = Promise.all(clients.map((client) => client.run()));
  // A test that fails closes the clients without waiting for this.
  all.catch(() => undefined);
  return all;
}

/** One studio's sender at one operator. */
export class LoadClient {
  /** In sending order, repeats by intent included; `sendAgain` adds nothing. */
  readonly entries: JournalEntry[] = [];
  readonly sender: Sender;
  readonly #client: KassaClient;
  readonly #traffic: Traffic;
  readonly #random: RandomChoice;
  readonly #place: { run: number };
  #unansweredCount = 0;
  #isOver = false;

  private constructor(sender: Sender, target: LoadTarget, client: KassaClient) {
    this.sender = sender;
    this.#client = client;
    this.#traffic = new Traffic(sender, target.seed);
    this.#random = new RandomChoice(target.seed + 1);
    this.#place = { run: 0 };
  }

  /** Connects, and opens the players' accounts. */
  static async start(sender: Sender, target: LoadTarget): Promise<LoadClient> {
    let loading: LoadClient | undefined;
    const client = await connect({
      port: target.port,
      key: keyOfClient(sender.operator, sender.provider),
      ...BACKOFF_MS,
      onEvent: ({ type }) => {
        if (type === 'connected' && loading !== undefined) {
          loading.#place.run = target.currentRun();
        }
      },
    });
    loading = new LoadClient(sender, target, client);
    await Promise.all(loading.#traffic.opening().map((command) => loading.#send(command)));
    return loading;
  }

  /** Sends bursts until `stop`; resolves when all of it is answered. */
  async run(): Promise<void> {
    const sent: Promise<void>[] = [];
    while (!this.#isOver) {
      const isLarge = this.#random.chance(2);
      let burst = this.#random.whole(1, isLarge ? LARGE_BURST_MAX : BURST_MAX);
      for (; burst > 0; burst -= 1) {
        const sending = this.#send(this.#traffic.next());
        // Told by Promise.all below, which may come much later.
        sending.catch(() => undefined);
        sent.push(sending);
      }
      await sleep(this.#random.whole(1, PAUSE_MS_MAX));
      while (this.#unansweredCount > UNANSWERED_MAX && !this.#isOver) await sleep(5);
    }
    await Promise.all(sent);
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Sends so many commands in one turn; their answers come to `entries`. */
  burst(commandCount: number): void {
    for (let sent = 0; sent < commandCount; sent += 1) {
      this.#send(this.#traffic.next()).catch(() => undefined);
    }
  }

  /** Sends transactions again, each alone (rule 30: one of a batch is a repeat too). */
  sendAgain(transactions: readonly ModelTransaction[]): Promise<Outcome[]> {
    return Promise.all(transactions.map((one) => this.#client.send(wireForm(one))));
  }

  /** Sends an atomic batch again as a whole. */
  sendBatchAgain(transactions: readonly ModelTransaction[]): Promise<Outcome[]> {
    return this.#client.atomic(transactions.map(wireForm));
  }

  /** Balances of all the sender's players in both currencies, as `player currency` → buckets. */
  async balances(): Promise<Map<string, object | null>> {
    const accounts = this.sender.players.flatMap((player) =>
      ['EUR', 'USD'].map((currency) => ({ player, currency })),
    );
    const found = await this.#client.balances(accounts);
    return new Map(
      accounts.map(({ player, currency }, place) => {
        const { balances, status } = found[place];
        return [`${player} ${currency}`, { ...balances, status }];
      }),
    );
  }

  close(): Promise<void> {
    this.#isOver = true;
    return this.#client.close(0);
  }

  async #send(command: Command): Promise<void> {
    const entry: JournalEntry = { command, outcomes: undefined, run: -1 };
    this.entries.push(entry);
    this.#unansweredCount += 1;
    const { isAtomic, transactions } = command;
    const answered = isAtomic
      ? this.#client.atomic(transactions.map(wireForm))
      : Promise.all([this.#client.send(wireForm(transactions[0]))]);
    entry.outcomes = await answered;
    entry.run = this.#place.run;
    this.#unansweredCount -= 1;
  }
}

/** The key says who sends, so the transaction does not name operator and provider. */
function wireForm(transaction: ModelTransaction): Transaction {
  const { operator: _operator, provider: _provider, ...fields } = transaction;
  return fields as Transaction;
}

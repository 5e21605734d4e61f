// A steady load of bets and wins for tests of what Postgres does to an answer: so many transactions
// a second, due on a schedule that no answer moves (open loop), so that a server that stalls shows
// it in the latency. Every answer is checked and counted. One connection of the client SDK, which
// sends what is due in one turn as one frame.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type KassaClient } from '../../gateway/client/client.ts';
import type { Outcome } from '../../gateway/client/outcome.ts';
import type { Transaction } from '../../gateway/client/transaction.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const PLAYERS = 200;
/** Shares no factor with their number, so that each gets its turn. */
const PLAYER_STEP = 37;
const DEPOSIT_MINOR = 1_000_000_000;
const SLOT_MS = 5;
const MS_PER_SECOND = 1_000;
/** Timers come late by up to 1.15 ms; what goes this early counts from its sending. */
const EARLY_MS = 2;
/** A win comes so many bets after the one that it is for. */
const WIN_DISTANCE = 100;
const WIN_EVERY = 3;
const GAMES = 7;
const ANSWER_TIMEOUT_MS = 10_000;
const SHOWN_FAILURES = 5;

/** Latencies of what was due in one phase. */
export interface PhaseFigures {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How late this process's own timer came: what the machine, not the server, did to a bet. */
  readonly timerP99Ms: number;
}

/** What all of a load came to. */
export interface LoadTotals {
  readonly sentCount: number;
  /** Answered with ok, recorded, and no repeat of another. */
  readonly okCount: number;
  /** The first answers and events that were not as they should be; empty is good. */
  readonly failures: readonly string[];
  /** The last position that an answer named. */
  readonly position: number;
}

/** Where the load goes. */
export interface LoadTarget {
  readonly port: number;
  readonly key: string;
  readonly ratePerSecond: number;
  /** Part of every id: another load on the same folder has another one. */
  readonly run: string;
}

/** What was measured in one phase, in ms. */
interface Phase {
  readonly latencies: number[];
  readonly timerDelays: number[];
}

/** One load on a server; counts openings and deposits too. */
export class SteadyLoad {
  readonly #client: KassaClient;
  readonly #run: string;
  readonly #slotTransactions: number;
  readonly #random: SeededRandom;
  readonly #failures: string[] = [];
  readonly #phases = new Map<string, Phase>();
  #phase: Phase = { latencies: [], timerDelays: [] };
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;
  /** Due and not sent; below zero after a win that went with its slot's last bet. */
  #owedCount = 0;
  #betCount = 0;
  #sentCount = 0;
  #okCount = 0;
  #answeredCount = 0;
  #position = 0;
  #isExpectingBreaks = false;

  private constructor(client: KassaClient, { run, ratePerSecond }: LoadTarget) {
    this.#client = client;
    this.#run = run;
    this.#slotTransactions = Math.round((ratePerSecond * SLOT_MS) / MS_PER_SECOND);
    this.#random = new SeededRandom('a steady load of bets and wins');
  }

  /** Connects and funds the players; sends no bet yet. The caller closes it. */
  static async open(target: LoadTarget): Promise<SteadyLoad> {
    const { port, key } = target;
    let load: SteadyLoad | undefined;
    const client = await connect({
      ...{ port, key, backoffMinMs: 10, backoffMaxMs: 60 },
      // A refusal for want of room is a bet that waits: it shall be seen.
      retriesRefused: false,
      onEvent: (event) => {
        if (load !== undefined && event.type !== 'connected') load.#noteEvent(event.type);
      },
    });
    load = new SteadyLoad(client, target);
    for (let player = 0; player < PLAYERS; player += 1) load.#fund(player);
    await load.#allAnswered();
    return load;
  }

  /** From here on what is due counts in this phase, beside what it has from before. */
  enter(phase: string): void {
    this.#phase = this.#phases.get(phase) ?? { latencies: [], timerDelays: [] };
    this.#phases.set(phase, this.#phase);
  }

  /** Begins to send. */
  start(): void {
    this.#dueMs = performance.now() + SLOT_MS;
    this.#tick();
  }

  /** From here on the server may go: what is unanswered is sent again when it is back. */
  expectBreaks(): void {
    this.#isExpectingBreaks = true;
  }

  /** Sends the wins that are left; resolves when all is answered, or has had time for it. */
  async stop(): Promise<LoadTotals> {
    clearTimeout(this.#timer);
    // A round without its win would be closed by age some seconds later: a record too many.
    for (let left = 0; left < WIN_DISTANCE; left += 1) this.#win(this.#betCount + left);
    this.#betCount += WIN_DISTANCE;
    await this.#allAnswered();
    return this.totals;
  }

  get totals(): LoadTotals {
    return {
      sentCount: this.#sentCount,
      okCount: this.#okCount,
      failures: this.#failures.slice(0, SHOWN_FAILURES),
      position: this.#position,
    };
  }

  /** The latencies of a phase; those that are unanswered are missing. */
  figures(phase: string): PhaseFigures {
    const { latencies = [], timerDelays = [] } = this.#phases.get(phase) ?? {};
    const [p50Ms, p99Ms, maxMs] = quantilesOf(latencies, [0.5, 0.99, 1]);
    const [timerP99Ms] = quantilesOf(timerDelays, [0.99]);
    return { count: latencies.length, p50Ms, p99Ms, maxMs, timerP99Ms };
  }

  /** Ends the connection at once. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#client.close(0);
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#phase.timerDelays.push(Math.max(0, nowMs - this.#dueMs));
    for (; this.#dueMs <= nowMs + EARLY_MS; this.#dueMs += SLOT_MS) {
      const fromMs = Math.min(nowMs, this.#dueMs);
      this.#owedCount += this.#slotTransactions;
      while (this.#owedCount > 0) this.#owedCount -= this.#play(fromMs);
    }
    const waitMs = this.#dueMs - EARLY_MS - performance.now();
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, Math.floor(waitMs)));
  }

  /** Sends the next bet, and a win where one is due; returns how many that were. */
  #play(fromMs: number): number {
    const number = this.#betCount;
    this.#betCount += 1;
    const roundEnd = !hasWin(number);
    const { account, id } = this.#names(number);
    const bet = { transactionId: `bet-${id}`, round: id, game: `game-${number % GAMES}`, roundEnd };
    this.#send({ ...account, ...bet, kind: 'bet', amount: this.#random.below(500) }, fromMs);
    return 1 + this.#win(number, fromMs);
  }

  /** Sends the win that follows this bet, if there is one. */
  #win(number: number, fromMs = performance.now()): number {
    const won = number - WIN_DISTANCE;
    if (won < 0 || !hasWin(won)) return 0;
    const { account, id } = this.#names(won);
    const win = { transactionId: `win-${id}`, reference: `bet-${id}`, round: id, roundEnd: true };
    this.#send({ ...account, ...win, kind: 'win', amount: this.#random.below(1_100) }, fromMs);
    return 1;
  }

  #fund(player: number): void {
    const { account, id } = this.#names(player);
    const nowMs = performance.now();
    this.#send({ ...account, kind: 'open', transactionId: `open-${id}` }, nowMs);
    const deposit = { transactionId: `deposit-${id}`, amount: DEPOSIT_MINOR };
    this.#send({ ...account, ...deposit, kind: 'deposit' }, nowMs);
  }

  /** The player's account and the ids of what has this number. */
  #names(number: number) {
    const player = `${this.#run}-player-${(number * PLAYER_STEP) % PLAYERS}`;
    return { account: { player, currency: 'EUR' }, id: `${this.#run}-${number}` };
  }

  #send(transaction: Transaction, fromMs: number): void {
    const { latencies } = this.#phase;
    this.#sentCount += 1;
    this.#client.send(transaction).then(
      (outcome) => {
        latencies.push(performance.now() - fromMs);
        this.#take(outcome);
      },
      (error: unknown) => {
        this.#answeredCount += 1;
        this.#failures.push(String(error));
      },
    );
  }

  #take({ code, name, recorded, replay, position }: Outcome): void {
    this.#answeredCount += 1;
    this.#position = Math.max(this.#position, position);
    const isRepeat = replay && !this.#isExpectingBreaks;
    if (code === 0 && recorded && !isRepeat) this.#okCount += 1;
    else this.#failures.push(isRepeat ? 'a repeat' : name);
  }

  #noteEvent(event: string): void {
    if (!this.#isExpectingBreaks) this.#failures.push(`the connection was ${event}`);
  }

  async #allAnswered(): Promise<void> {
    const deadlineMs = performance.now() + ANSWER_TIMEOUT_MS;
    while (this.#answeredCount < this.#sentCount && performance.now() < deadlineMs) await sleep(5);
  }
}

function hasWin(bet: number): boolean {
  return bet % WIN_EVERY === 0;
}

function quantilesOf(values: readonly number[], shares: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  return shares.map((share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]);
}

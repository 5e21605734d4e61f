// One run of the load generator: connects, sends a workload over all connections, counts what is
// answered inside the measured window, drains, and adds up. Lives in the generator's own process.
import { build } from 'hdr-histogram-js';
import { Unpackr } from 'msgpackr';
import { AnswerWalker, emptyTally, refusalCount, sequencesAreWhole } from './answer-walker.ts';
import { EchoReader } from './echo-reader.ts';
import { identifierForm } from './identifiers.ts';
import { LoadConnection } from './load-connection.ts';
import { Pace } from './pace.ts';
import { AccountsWorkload, CanonicalWorkload, type Workload } from './workload.ts';

/** What a run is to do; goes from the benchmark's process to the generator's. */
export interface LoadSettings {
  readonly workload: 'canonical' | 'open' | 'deposit' | 'echo';
  readonly host: string;
  readonly port: number;
  readonly key: string;
  readonly currency: string;
  readonly connectionCount: number;
  /** Frames in flight on each connection. */
  readonly framesInFlight: number;
  readonly frameTransactions: number;
  readonly accountCount: number;
  readonly idBytes: number;
  readonly seed: number;
  /** 0 for the first load on the accounts, then 1 and so on: its transactions are new to them. */
  readonly run: number;
  /** How many loads the accounts may get: they share the numbers of transactions. */
  readonly runCount: number;
  /** Transactions a second over all connections; null sends as fast as answers come. */
  readonly ratePerSecond: number | null;
  /** Both 0 for `open` and `deposit`, which end when every account is done. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** What a run measured. Counts and latencies are the window's; the checks are the whole run's. */
export interface LoadResult {
  readonly transactions: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly cpuSeconds: number;
  readonly runTransactions: number;
  readonly repeats: number;
  readonly refusals: number;
  /** Outcomes of the whole run by code, without zeros. */
  readonly codeCounts: Readonly<Record<string, number>>;
  /** Each sequence of the run was answered once; null with several lanes, where they interleave. */
  readonly sequencesAreWhole: boolean | null;
  readonly lanes: number;
}

/** What a run tells while it runs. */
export interface LoadEvents {
  readonly onProgress: (transactions: number) => void;
  readonly onWindowOpened: () => void;
  readonly onWindowClosed: () => void;
}

const PROGRESS_MS = 200;
const LATENCY_US_MAX = 120_000_000;

/** Runs to the end, or rejects with what broke. */
export async function runLoad(settings: LoadSettings, events: LoadEvents): Promise<LoadResult> {
  const run = new LoadRun(settings);
  try {
    return await Promise.race([run.failed, run.measure(events)]);
  } finally {
    run.close();
  }
}

class LoadRun {
  readonly failed: Promise<never>;
  readonly #settings: LoadSettings;
  readonly #connections: LoadConnection[];
  readonly #tally = emptyTally();
  readonly #histogram = build({
    highestTrackableValue: LATENCY_US_MAX,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
  });
  readonly #greeted = Promise.withResolvers<void>();
  readonly #drained = Promise.withResolvers<void>();
  #ungreetedCount: number;
  #undrainedCount: number;
  #lanes = 1;
  #isMeasuring = false;

  constructor(settings: LoadSettings) {
    const failure = Promise.withResolvers<never>();
    this.failed = failure.promise;
    this.#settings = settings;
    this.#ungreetedCount = settings.connectionCount;
    this.#undrainedCount = settings.connectionCount;
    this.#connections = Array.from({ length: settings.connectionCount }, () => {
      const reader =
        settings.workload === 'echo' ? new EchoReader() : new AnswerWalker(this.#tally);
      return new LoadConnection(
        {
          ...settings,
          path: '/v1/stream',
          slotCount: settings.framesInFlight,
          onGreeting: (payload) => this.#greet(payload),
          onLatency: (latencyMs) => this.#recordLatency(latencyMs),
          onDrained: () => this.#countDrained(),
          onFailure: failure.reject,
        },
        reader,
      );
    });
  }

  async measure(events: LoadEvents): Promise<LoadResult> {
    const { warmUpSeconds, seconds } = this.#settings;
    await this.#greeted.promise;
    const progress = setInterval(() => events.onProgress(this.#answered()), PROGRESS_MS);
    const startMs = performance.now();
    for (const [number, connection] of this.#connections.entries()) {
      connection.start(this.#workloadOf(number), this.#paceOf(number, startMs));
    }
    if (warmUpSeconds > 0) await sleep(warmUpSeconds * 1_000);
    const window = this.#openWindow(events);
    if (seconds > 0) {
      await sleep(seconds * 1_000);
    } else {
      await this.#drained.promise;
    }
    const measured = window.close();
    for (const connection of this.#connections) connection.drain();
    await this.#drained.promise;
    clearInterval(progress);
    return { ...measured, ...this.#checks() };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #openWindow(events: LoadEvents) {
    const answeredBefore = this.#answered();
    const cpuBefore = process.cpuUsage();
    const startMs = performance.now();
    this.#isMeasuring = true;
    events.onWindowOpened();
    return {
      close: () => {
        const seconds = (performance.now() - startMs) / 1_000;
        const cpu = process.cpuUsage(cpuBefore);
        this.#isMeasuring = false;
        events.onWindowClosed();
        return {
          transactions: this.#answered() - answeredBefore,
          seconds,
          cpuSeconds: (cpu.user + cpu.system) / 1_000_000,
          p50Ms: this.#percentileMs(50),
          p99Ms: this.#percentileMs(99),
          p999Ms: this.#percentileMs(99.9),
        };
      },
    };
  }

  #checks() {
    const { codeCounts, replayCount } = this.#tally;
    const named = [...codeCounts.entries()].filter(([, count]) => count > 0);
    return {
      runTransactions: this.#answered(),
      repeats: replayCount,
      refusals: refusalCount(this.#tally),
      codeCounts: Object.fromEntries(named),
      sequencesAreWhole: this.#lanes === 1 ? sequencesAreWhole(this.#tally) : null,
      lanes: this.#lanes,
    };
  }

  #workloadOf(connection: number): Workload {
    const { workload, idBytes } = this.#settings;
    const settings = { ...this.#settings, connection, identifiers: identifierForm(idBytes) };
    if (workload === 'open' || workload === 'deposit') {
      return new AccountsWorkload(settings, workload);
    }
    return new CanonicalWorkload(settings);
  }

  #paceOf(connection: number, startMs: number): Pace | null {
    const { ratePerSecond } = this.#settings;
    if (ratePerSecond === null) return null;
    return new Pace({ ...this.#settings, ratePerSecond, connection }, startMs);
  }

  #greet(payload: Uint8Array): void {
    const greeting: unknown = new Unpackr({ useRecords: false }).unpackMultiple(payload)[0];
    const hello = Array.isArray(greeting) ? (greeting[2] as { lanes?: unknown }) : {};
    if (typeof hello.lanes === 'number') this.#lanes = hello.lanes;
    this.#ungreetedCount -= 1;
    if (this.#ungreetedCount === 0) this.#greeted.resolve();
  }

  #recordLatency(latencyMs: number): void {
    if (!this.#isMeasuring) return;
    this.#histogram.recordValue(
      Math.min(LATENCY_US_MAX, Math.max(1, Math.round(latencyMs * 1_000))),
    );
  }

  #percentileMs(percentile: number): number {
    return this.#histogram.getValueAtPercentile(percentile) / 1_000;
  }

  #countDrained(): void {
    this.#undrainedCount -= 1;
    if (this.#undrainedCount === 0) this.#drained.resolve();
  }

  #answered(): number {
    return this.#connections.reduce((sum, each) => sum + each.answeredTransactions, 0);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

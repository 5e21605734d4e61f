// The page of /metrics: names, help texts and units by Prometheus' rules (base units, unit last).
// Everything is read when the page is asked for, from memory that the lanes and the log writer
// share; nothing is kept here. Main thread only.
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { kindName } from '../../core/kinds.ts';
import { resultCodeName } from '../../core/result-codes.ts';
import {
  ANSWER_BOUNDS_MS,
  type LaneCounters,
  LaneGauge,
  REFUSAL_REASONS,
} from './lane-counters.ts';
import { ReadHistogram } from './read-histogram.ts';

const MS_PER_SECOND = 1000;

/** What the page shows beside the process's own metrics. */
export interface MetricsSources {
  readonly version: string;
  readonly lanes: readonly LaneCounters[];
  readonly isReady: () => boolean;
}

/** A metric with the values that it has now. */
interface ReadValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Lane gauges by name; those of recovery stay as they were when it ended. */
const LANE_GAUGES: readonly (readonly [LaneGauge, string, string])[] = [
  [LaneGauge.connections, 'kassa_connections', 'Open WebSocket connections.'],
  [LaneGauge.unansweredTransactions, 'kassa_unanswered_transactions', 'Taken, not answered yet.'],
  [LaneGauge.accounts, 'kassa_accounts', 'Accounts.'],
  [LaneGauge.indexEntries, 'kassa_index_entries', 'Keys, reversals and closed rounds known.'],
  [LaneGauge.openRounds, 'kassa_open_rounds', 'Open rounds.'],
  [LaneGauge.holds, 'kassa_holds', 'Unfinished holds.'],
  [LaneGauge.sequence, 'kassa_record_sequence', 'Sequence of the newest record.'],
  [LaneGauge.tableBytes, 'kassa_table_bytes', 'Memory of the tables of the state.'],
  [LaneGauge.recoveryBlocks, 'kassa_recovery_blocks', 'Blocks replayed at start.'],
  [LaneGauge.recoveryBlocksTotal, 'kassa_recovery_expected_blocks', 'Blocks of the log at start.'],
  [LaneGauge.recoveryRecords, 'kassa_recovery_records', 'Records replayed at start.'],
];

/** Renders the page; one for a server. */
export class MetricsPage {
  readonly #registry = new Registry();

  constructor(sources: MetricsSources) {
    collectDefaultMetrics({ register: this.#registry });
    this.#addProcess(sources);
    this.#addTransactions(sources.lanes);
    this.#addSlices(sources.lanes);
    for (const [gauge, name, help] of LANE_GAUGES) {
      this.addGauge(name, help, () =>
        sources.lanes.map((lane, index) => ({
          labels: { lane: String(index) },
          value: lane.readGauge(gauge),
        })),
      );
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text of the page now. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Adds a gauge that is read at each scrape; every reading has the same label names. */
  addGauge(name: string, help: string, read: () => ReadValue[]): void {
    const labelNames = Object.keys(read()[0]?.labels ?? {});
    const gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect: () => {
        gauge.reset();
        for (const { labels, value } of read()) gauge.set(labels, value);
      },
    });
  }

  /** Adds a counter that is read at each scrape. */
  addCounter(name: string, help: string, labelNames: string[], read: () => ReadValue[]): void {
    const counter = new Counter({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        for (const { labels, value } of read()) counter.inc(labels, value);
      },
    });
  }

  /** Adds a histogram whose counts are kept in shared memory. */
  addHistogram(histogram: ReadHistogram): void {
    this.#registry.registerMetric(histogram);
  }

  #addProcess({ version, isReady }: MetricsSources): void {
    this.addGauge('kassa_build_info', 'Always 1; the labels name the versions.', () => [
      { labels: { version, node: process.version }, value: 1 },
    ]);
    this.addGauge('kassa_ready', '1 while transactions are taken.', () => [
      { labels: {}, value: isReady() ? 1 : 0 },
    ]);
  }

  #addTransactions(lanes: readonly LaneCounters[]): void {
    this.addCounter(
      'kassa_transactions_total',
      'Transactions answered, by kind and result code; repeats count again.',
      ['lane', 'kind', 'code'],
      () =>
        lanes.flatMap((lane, index) =>
          lane.readTransactions().map(({ kind, code, count }) => ({
            labels: {
              lane: String(index),
              kind: kind === 0 ? 'unknown' : kindName(kind),
              code: resultCodeName(code),
            },
            value: count,
          })),
        ),
    );
    this.addCounter(
      'kassa_refusals_total',
      'Requests and connections refused as a whole, by reason.',
      ['lane', 'reason'],
      () =>
        lanes.flatMap((lane, index) =>
          REFUSAL_REASONS.map((reason) => ({
            labels: { lane: String(index), reason },
            value: lane.readRefusals(reason),
          })),
        ),
    );
    this.addHistogram(
      new ReadHistogram({
        name: 'kassa_answer_seconds',
        help: 'Time from receipt of a transaction to its answer, once for each transaction.',
        bounds: ANSWER_BOUNDS_MS.map((boundMs) => boundMs / MS_PER_SECOND),
        read: () =>
          lanes.map((lane, index) => {
            const { bucketCounts, sumMs } = lane.readAnswers();
            return { labels: { lane: String(index) }, bucketCounts, sum: sumMs / MS_PER_SECOND };
          }),
      }),
    );
  }

  #addSlices(lanes: readonly LaneCounters[]): void {
    type Slices = ReturnType<LaneCounters['readSlices']>;
    const readEach = (read: (slices: Slices) => number) => (): ReadValue[] =>
      lanes.map((lane, index) => ({
        labels: { lane: String(index) },
        value: read(lane.readSlices()),
      }));
    this.addCounter(
      'kassa_slices_total',
      'Slices of work.',
      ['lane'],
      readEach(({ count }) => count),
    );
    this.addCounter(
      'kassa_slice_seconds_total',
      'Time spent in slices.',
      ['lane'],
      readEach(({ sumMs }) => sumMs / MS_PER_SECOND),
    );
    this.addGauge(
      'kassa_slice_running_seconds_max',
      'The longest slice without its wait for a core, since start.',
      () =>
        lanes.map((lane, index) => ({
          labels: { lane: String(index), since: 'start' },
          value: lane.readSlices().runningMaxMs / MS_PER_SECOND,
        })),
    );
    this.addGauge('kassa_slice_seconds_max', 'The longest slice, since start or last scrape.', () =>
      lanes.flatMap((lane, index) => [
        {
          labels: { lane: String(index), since: 'start' },
          value: lane.readSlices().maxMs / MS_PER_SECOND,
        },
        {
          labels: { lane: String(index), since: 'scrape' },
          value: lane.takeSliceMaxMs() / MS_PER_SECOND,
        },
      ]),
    );
  }
}

// A histogram for prom-client whose counts are kept elsewhere, in shared memory: prom-client's own
// takes one call an observation, which would have to cross threads. Main thread only.
import { Histogram, type MetricObjectWithValues, type MetricValueWithName } from 'prom-client';
import { assert } from '../../core/assert.ts';

/** What is read at a scrape: for each bound the count of its own bucket, then those beyond. */
export interface HistogramReading {
  readonly labels: Readonly<Record<string, string>>;
  readonly bucketCounts: readonly number[];
  /** In the metric's unit. */
  readonly sum: number;
}

/** What a ReadHistogram is made of. */
export interface ReadHistogramSettings {
  readonly name: string;
  readonly help: string;
  /** Upper bounds in the metric's unit, ascending, without the one for infinity. */
  readonly bounds: readonly number[];
  readonly read: () => HistogramReading[];
}

type Values = MetricObjectWithValues<MetricValueWithName<string>>;

/** Shows counts that were made elsewhere; `observe` is never called on it. */
export class ReadHistogram extends Histogram<string> {
  readonly #settings: ReadHistogramSettings;
  /** Gives the fields around the values: some of their types exist in no code of prom-client. */
  readonly #empty: Histogram<string>;

  constructor(settings: ReadHistogramSettings) {
    const { name, help, bounds } = settings;
    super({ name, help, buckets: [...bounds], registers: [] });
    this.#settings = settings;
    this.#empty = new Histogram({ name, help, registers: [] });
  }

  override async get(): Promise<Values> {
    const values = this.#settings.read().flatMap((reading) => this.#valuesOf(reading));
    return { ...(await this.#empty.get()), values };
  }

  /** What the registry calls for the text format; without it the empty counts above would show. */
  async getForPromString(): Promise<Values> {
    return this.get();
  }

  #valuesOf({ labels, bucketCounts, sum }: HistogramReading): MetricValueWithName<string>[] {
    const { name, bounds } = this.#settings;
    assert(bucketCounts.length === bounds.length + 1, 'a bucket for each bound and one beyond');
    let count = 0;
    const buckets = bucketCounts.map((bucketCount, bucket) => {
      count += bucketCount;
      const le = bucket < bounds.length ? bounds[bucket] : '+Inf';
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}

// Adds what the log writer counts to the page of /metrics. Main thread only; the counters are in
// memory that the log writer's thread writes.
import {
  BLOCK_RECORDS_BOUNDS,
  COMMIT_MS_BOUNDS,
  readWriterCounters,
  type WriterMeasures,
} from '../../persist/writer-counters.ts';
import type { MetricsPage } from './metrics-page.ts';
import { ReadHistogram } from './read-histogram.ts';

const MS_PER_SECOND = 1000;

/** Adds the log writer's metrics; `shared` is the memory of its counters. */
export function addWriterMetrics(page: MetricsPage, shared: SharedArrayBuffer): void {
  addCounters(page, shared);
  const reading = (read: (measures: WriterMeasures) => number) => () => [
    { labels: {}, value: read(readWriterCounters(shared)) },
  ];
  page.addGauge(
    'kassa_durable_position',
    'Number of the newest block on disk, in the one order.',
    reading(({ durablePosition }) => durablePosition),
  );
  page.addGauge(
    'kassa_durable_timestamp_seconds',
    'Time of the newest block on disk, since 1970.',
    reading(({ durableTimeMs }) => durableTimeMs / MS_PER_SECOND),
  );
  page.addGauge(
    'kassa_log_bytes',
    "Size of the log's files.",
    reading(({ logBytes }) => logBytes),
  );
  page.addGauge(
    'kassa_commit_seconds_max',
    'The longest commit since the start.',
    reading(({ commitMsMax }) => commitMsMax / MS_PER_SECOND),
  );
  page.addHistogram(
    new ReadHistogram({
      name: 'kassa_commit_seconds',
      help: 'Time of one commit of all ready blocks to the log, flushes included.',
      bounds: COMMIT_MS_BOUNDS.map((boundMs) => boundMs / MS_PER_SECOND),
      read: () => {
        const { commitMsBuckets, commitMsSum } = readWriterCounters(shared);
        return [{ labels: {}, bucketCounts: commitMsBuckets, sum: commitMsSum / MS_PER_SECOND }];
      },
    }),
  );
  page.addHistogram(
    new ReadHistogram({
      name: 'kassa_block_records',
      help: 'Records of a block.',
      bounds: BLOCK_RECORDS_BOUNDS,
      read: () => {
        const { blockRecordsBuckets, records } = readWriterCounters(shared);
        return [{ labels: {}, bucketCounts: blockRecordsBuckets, sum: records }];
      },
    }),
  );
}

function addCounters(page: MetricsPage, shared: SharedArrayBuffer): void {
  const counting = (read: (measures: WriterMeasures) => number) => () => [
    { labels: {}, value: read(readWriterCounters(shared)) },
  ];
  page.addCounter(
    'kassa_commits_total',
    'Commits to the log.',
    [],
    counting(({ commits }) => commits),
  );
  page.addCounter(
    'kassa_block_content_bytes_total',
    'Bytes of records written.',
    [],
    counting(({ contentBytes }) => contentBytes),
  );
  page.addCounter(
    'kassa_segments_total',
    'Segments begun since the start.',
    [],
    counting(({ segmentsMade }) => segmentsMade),
  );
}

// Whether the server takes transactions, and if not, why and for how long: what /readyz answers and
// the log says while the server starts. Main thread only; recovery's progress comes from the lanes'
// shared counters.
import { type LaneCounters, LaneGauge } from '../metrics/lane-counters.ts';

/** The states of a server in their order; `failed` may follow any. */
export type Phase = 'starting' | 'recovering' | 'opening' | 'listening' | 'stopping' | 'failed';

/** How far recovery is, over all lanes. */
export interface RecoveryProgress {
  readonly blocks: number;
  readonly blocksTotal: number;
  readonly records: number;
  readonly percent: number;
  readonly recordsPerSecond: number;
  /** Seconds left at the rate so far; null until a block is done. */
  readonly remainingSeconds: number | null;
}

/** The answer of /readyz. */
export interface ReadinessReport {
  readonly ready: boolean;
  readonly phase: Phase;
  readonly reason: string;
  readonly recovery?: RecoveryProgress;
}

const REASONS: Readonly<Record<Phase, string>> = {
  starting: 'the data folder is being checked',
  recovering: 'the state is being rebuilt from the log',
  opening: 'the log is being opened for writing',
  listening: 'transactions are taken',
  stopping: 'the server is stopping; it answers what it has taken',
  failed: 'the server stopped after a failure; see data/last-error',
};

/** The server's phase, and recovery's progress while there is one. */
export class Readiness {
  readonly #lanes: readonly LaneCounters[];
  #phase: Phase = 'starting';
  #recoveryStartMs = 0;

  constructor(lanes: readonly LaneCounters[]) {
    this.#lanes = lanes;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Enters a phase; recovery's rate is counted from here. A failure is final. */
  enter(phase: Phase, nowMs: number): void {
    if (this.#phase === 'failed') return;
    this.#phase = phase;
    if (phase === 'recovering') this.#recoveryStartMs = nowMs;
  }

  /** The present state, as /readyz shows it. */
  report(nowMs: number): ReadinessReport {
    const phase = this.#phase;
    const report = { ready: phase === 'listening', phase, reason: REASONS[phase] };
    return phase === 'recovering' ? { ...report, recovery: this.progress(nowMs) } : report;
  }

  /** Recovery's progress by blocks, which all have about the same size. */
  progress(nowMs: number): RecoveryProgress {
    const sum = (gauge: LaneGauge): number =>
      this.#lanes.reduce((total, lane) => total + lane.readGauge(gauge), 0);
    const blocks = sum(LaneGauge.recoveryBlocks);
    const blocksTotal = sum(LaneGauge.recoveryBlocksTotal);
    const records = sum(LaneGauge.recoveryRecords);
    const seconds = Math.max(nowMs - this.#recoveryStartMs, 1) / 1000;
    return {
      blocks,
      blocksTotal,
      records,
      percent: blocksTotal === 0 ? 0 : Math.floor((1000 * blocks) / blocksTotal) / 10,
      recordsPerSecond: Math.round(records / seconds),
      remainingSeconds:
        blocks === 0 ? null : Math.ceil((seconds * (blocksTotal - blocks)) / blocks),
    };
  }
}

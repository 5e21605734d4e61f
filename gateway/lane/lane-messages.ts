// What main and a lane's thread say to each other: what the thread is started with, and the few
// messages afterwards. Never one message per transaction: those stay in the lane (design section
// 2).
import type { LogEnd } from '../../persist/log-chain.ts';

/** The bounds of a lane that the configuration sets. */
export interface LaneSettings {
  readonly host: string;
  /** 0 lets the kernel choose; the message `listening` names the port. */
  readonly port: number;
  readonly unansweredPerConnectionMax: number;
  readonly unansweredPerLaneMax: number;
  readonly frameBytesMax: number;
  readonly connectionsMax: number;
  readonly retentionMs: number;
  /** Shard bounds by their names in core/shard.ts; absent ones keep their defaults. */
  readonly bounds: Readonly<Record<string, number>>;
}

/** The workerData of gateway/lane-thread.ts. */
export interface LaneThreadData {
  readonly lane: number;
  readonly dataFolder: string;
  /** The 16 secret bytes of data/identity.json that seed the shard's hashes. */
  readonly hashSeed: Uint8Array;
  /** Named in the hello answer. */
  readonly version: string;
  readonly settings: LaneSettings;
  readonly commitPort: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  /** The shared stop word of persist/fatal.ts. */
  readonly stop: SharedArrayBuffer;
}

/**
 * From main to a lane. `run` comes when the log writer runs; before it the lane does not listen.
 */
export type ToLane =
  | { readonly type: 'run' }
  | { readonly type: 'stop' }
  | { readonly type: 'submit'; readonly id: number; readonly frame: Uint8Array };

/** From a lane to main. `answer` is one answer of kassa.v1 as it would leave a socket. */
export type FromLane =
  | { readonly type: 'recovered'; readonly end: LogEnd }
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'stopped' }
  | { readonly type: 'submitted'; readonly id: number; readonly answer: Uint8Array };

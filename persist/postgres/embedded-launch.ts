// What the launches of initdb and of the postmaster have in common: their environment, and the
// error that tells why one of them ended. Pure.
import { EmbeddedPostgresError, OTHER_WAYS } from './embedded-error.ts';

/** How many of the last lines an error shows. */
const SHOWN_LINES = 12;

/** No PG… setting of the surroundings acts on the cluster, and no secret of Kassa's reaches it. */
export const MINIMAL_ENVIRONMENT: NodeJS.ProcessEnv = {
  // Debian's mount, unshare and setpriv lie there; a unit file may have a shorter path.
  PATH: `${process.env.PATH ?? ''}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
  LC_ALL: 'C',
};

/**
 * The error of a program that did not start or ended too early. `end` is its exit code, the signal
 * that ended it, or the error of the launch; `lines` are what it printed, oldest first.
 */
export function launchError(
  task: 'make' | 'start',
  end: number | string | Error,
  lines: readonly string[],
): EmbeddedPostgresError {
  const shown = lines.slice(-SHOWN_LINES).join('\n');
  const what = `Cannot ${task} the embedded Postgres`;
  if (end instanceof Error) {
    return new EmbeddedPostgresError(
      `${what} because a program is missing: ${end.message}. Install the packages coreutils and ` +
        `util-linux, or else ${OTHER_WAYS}.`,
      { cause: end },
    );
  }
  if (lines.some((line) => /^(unshare|mount|setpriv):/.test(line))) {
    return new EmbeddedPostgresError(
      `${what} as root because it needs a mount namespace and the user nobody, which this ` +
        `container or kernel refuses: ${shown}. Run Kassa as an ordinary user, or else ` +
        `${OTHER_WAYS}.`,
    );
  }
  return new EmbeddedPostgresError(
    `${what} because it ended with ${end}:\n${shown}\nRepair what it names, or else ${OTHER_WAYS}.`,
  );
}

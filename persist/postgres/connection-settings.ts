// How an own Postgres server is reached: KASSA_POSTGRES_URL as settings for pg's Client. pg parses
// the URL itself; here it is checked first, so that a wrong one stops the start and not the first
// connection, and the words of sslmode get the meaning that libpq and psql give them:
//
//   disable                     no TLS, as without sslmode
//   require                     TLS; the certificate is checked only if sslrootcert is given
//   verify-ca                   the certificate is checked against sslrootcert
//   verify-full                 … and the name in it too; the public roots without sslrootcert
//   no-verify                   TLS without any check; pg's own word for it
//
// `allow` and `prefer` are refused: pg cannot fall back from one to the other, and money's figures
// should not travel unencrypted by chance. Any thread.
import { Client, type ClientConfig } from 'pg';

/** Name of the setting, for messages. */
const SETTING = 'KASSA_POSTGRES_URL';

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full', 'no-verify'];

/** A host that vanished while its answer was awaited is noticed after this and some probes. */
const KEEP_ALIVE_MS = 10_000;

/** How long a server may take to take a connection, TLS and password included. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Settings of a client for the URL (postgres:// or postgresql://); `applicationName` is what
 * pg_stat_activity shows unless the URL names another. Reads the certificates that the URL names.
 * Throws an Error whose text has nothing of the URL but parameter values that are no secrets.
 */
export function connectionSettings(url: string, applicationName: string): ClientConfig {
  const parsed = parseUrl(url);
  // pg takes the last where there are several.
  const sslMode = parsed.searchParams.getAll('sslmode').at(-1);
  if (sslMode !== undefined && !SSL_MODES.includes(sslMode)) {
    throw new Error(
      `Cannot use ${SETTING} because its sslmode is none of ${SSL_MODES.join(', ')}: ${sslMode}. ` +
        'Use verify-full, or disable for a server without TLS.',
    );
  }
  if (sslMode === 'verify-ca' && !parsed.searchParams.has('sslrootcert')) {
    throw new Error(
      `Cannot use ${SETTING} because sslmode=verify-ca needs the certificate to check against: ` +
        'sslrootcert is missing. Add it, or use verify-full.',
    );
  }
  const settings: ClientConfig = {
    connectionString: withLibpqMeaning(parsed, sslMode),
    fallback_application_name: applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
  tryOut(settings);
  return settings;
}

/** Where a client of these settings connects, for logs: `host:port/database`, no secret. */
export function describeConnection(settings: ClientConfig): string {
  const { host, port, database } = new Client(settings);
  return `${host}:${port}/${database ?? ''}`;
}

function parseUrl(url: string): URL {
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw unusable('it does not begin with postgres:// or postgresql://');
  }
  let parsed: URL;
  try {
    // Credentials without a host name are usual for sockets (?host=/folder); URL refuses them.
    parsed = new URL(url.replace('@/', '@localhost/'));
  } catch {
    // The error of URL carries the whole text, so it is not kept as the cause.
    throw unusable('it is no valid URL');
  }
  // What follows a bare "/", "?" or "#" of a password would be taken for a path and be shown.
  if (parsed.hash !== '' || parsed.pathname.includes('@') || parsed.search.includes('@')) {
    throw unusable('it has a bare "@" or "#" behind the host');
  }
  if (parsed.hostname.includes(',')) throw unusable('it names several hosts');
  return parsed;
}

/** pg before version 9 takes `require` for `verify-full` unless it is told otherwise. */
function withLibpqMeaning(parsed: URL, sslMode: string | undefined): string {
  if (sslMode === undefined || sslMode === 'no-verify') return parsed.href;
  return `${parsed.href}&uselibpqcompat=true`;
}

/** Lets pg parse the settings and read the certificates; opens no connection. */
function tryOut(settings: ClientConfig): void {
  try {
    const { port } = new Client(settings);
    if (port > 0 && port <= 65_535) return;
  } catch (error) {
    // Only errors of the file system are safe to show: they name a path, and nothing of the URL.
    if (error instanceof Error && 'syscall' in error) {
      throw new Error(
        `Cannot use ${SETTING} because a file that it names cannot be read: ${error.message}. ` +
          'Correct the path in sslrootcert, sslcert or sslkey, or the rights of the file.',
        { cause: error },
      );
    }
    throw unusable('pg cannot use it');
  }
  throw unusable('its port is none');
}

function unusable(rule: string): Error {
  return new Error(
    `Cannot use ${SETTING} because ${rule} (its text is not shown, it may hold a password). ` +
      'Write postgresql://user:password@host:port/database, with each character of user and ' +
      'password that is no letter or digit as %XX.',
  );
}

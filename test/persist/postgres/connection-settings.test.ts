// KASSA_POSTGRES_URL as pg's settings: what libpq's users expect of sslmode, with real servers and
// a certificate made for the test; and no message that shows a password.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  connectionSettings,
  describeConnection,
} from '../../../persist/postgres/connection-settings.ts';
import {
  hasDebianPostgres,
  type PostgresKind,
  PostgresServer,
} from '../../support/postgres-server.ts';
import { makeTemporaryFolder, removeFolder } from '../test-log.ts';

let folder = '';

beforeAll(() => {
  folder = makeTemporaryFolder();
  for (const name of ['root', 'other']) makeCertificate(name, []);
  const signed = ['-CA', 'root.crt', '-CAkey', 'root.key'];
  makeCertificate('server', [...signed, '-addext', 'subjectAltName=IP:127.0.0.1']);
});

afterAll(() => removeFolder(folder));

/** Makes <name>.key and <name>.crt; signed by itself unless the options name another. */
function makeCertificate(name: string, options: readonly string[]): void {
  const arguments_ = [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=kassa ${name}`],
    ...['-days', '2', ...options],
  ];
  execFileSync('openssl', arguments_, { cwd: folder, stdio: 'pipe' });
}

function contentOf(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

/** Connects and tells whether the session is encrypted. */
async function isEncrypted(settings: ClientConfig): Promise<boolean> {
  const client = new Client(settings);
  try {
    await client.connect();
    const text = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
    const { rows } = await client.query<{ ssl: boolean }>(text);
    return rows[0]?.ssl === true;
  } finally {
    await client.end();
  }
}

describe('connection settings', () => {
  test.each([
    ['postgres://anna:secret@db.example:6543/reports', 'db.example:6543/reports'],
    ['postgresql://anna:secret@db.example/reports', 'db.example:5432/reports'],
    ['postgresql://anna:secret@[::1]:6543/reports', '::1:6543/reports'],
    ['postgresql:///reports?host=/run/postgresql', '/run/postgresql:5432/reports'],
    ['postgresql://anna:secret@/reports?host=/run/x&port=7', '/run/x:7/reports'],
    ['postgresql://anna:secret@%2Frun%2Fx/reports', '/run/x:5432/reports'],
  ])('%s is described as %s', (url, text) => {
    expect(describeConnection(connectionSettings(url, 'kassa'))).toBe(text);
  });

  test('user and password are decoded, and the name of the application is a default', () => {
    const url = 'postgresql://anna%40x:p%2Fw%23d@db/reports';
    const settings = connectionSettings(url, 'kassa reporter');
    const client = new Client(settings);
    expect([client.user, client.password]).toEqual(['anna@x', 'p/w#d']);
    expect(settings).toMatchObject({ keepAlive: true, connectionTimeoutMillis: 10_000 });
    expect(settings.fallback_application_name).toBe('kassa reporter');
  });

  test.each([
    ['mysql://anna:secret@db/reports', 'does not begin with postgres://'],
    ['host=db password=secret', 'does not begin with postgres://'],
    ['postgresql://anna:secret@db:99999/reports', 'no valid URL'],
    ['postgresql://anna:secret@db/reports?port=none', 'its port is none'],
    ['postgresql://anna:secret@db:0/reports', 'its port is none'],
    ['postgresql://anna:12#secret@db/reports', 'a bare "@" or "#"'],
    ['postgresql://anna:12/secret@db/reports', 'a bare "@" or "#"'],
    ['postgresql://anna:12?secret@db/reports', 'a bare "@" or "#"'],
    ['postgresql://anna:secret@one,two/reports', 'several hosts'],
    ['postgresql://anna:secret%FF@db/reports', 'pg cannot use it'],
    ['postgresql://anna:secret@db/reports?sslmode=prefer', 'sslmode is none of'],
    ['postgresql://anna:secret@db/reports?sslmode=verify_full', 'sslmode is none of'],
    ['postgresql://anna:secret@db/reports?sslmode=verify-ca', 'sslrootcert is missing'],
    ['postgresql://anna:secret@db/reports?sslrootcert=/none/ca.crt', '/none/ca.crt'],
  ])('%s is refused, and the password is not shown', (url, reason) => {
    try {
      connectionSettings(url, 'kassa');
      expect.unreachable('the URL was accepted');
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      expect(error.message).toMatch(/^Cannot use KASSA_POSTGRES_URL because /);
      expect(error.message).toContain(reason);
      expect(`${error.stack}${JSON.stringify(error.cause)}`).not.toContain('secret');
    }
  });
});

describe.each<[PostgresKind, boolean]>([
  ['embedded', true],
  ['debian', hasDebianPostgres()],
])('TLS to the %s server', (kind, isInstalled) => {
  let tlsServer: PostgresServer | undefined;
  let plainServer: PostgresServer | undefined;

  beforeAll(async () => {
    if (!isInstalled) return;
    const tls = { certificate: contentOf('server.crt'), key: contentOf('server.key') };
    tlsServer = await PostgresServer.start(kind, { tls });
    plainServer = await PostgresServer.start(kind);
  });

  afterAll(async () => {
    await tlsServer?.remove();
    await plainServer?.remove();
  });

  function settingsOf(
    server: PostgresServer | undefined,
    parameters: Readonly<Record<string, string>>,
    host = '127.0.0.1',
  ): ClientConfig {
    if (server === undefined) throw new Error('The server was not started');
    const query = new URLSearchParams(parameters);
    return connectionSettings(`${server.url.replace('127.0.0.1', host)}?${query}`, 'kassa');
  }

  const rootOf = (name: string) => ({ sslrootcert: join(folder, name) });

  test.skipIf(!isInstalled)('verify-full passes with the right root certificate', async () => {
    const settings = settingsOf(tlsServer, { sslmode: 'verify-full', ...rootOf('root.crt') });
    expect(await isEncrypted(settings)).toBe(true);
  });

  test.skipIf(!isInstalled)('verify-full fails with another root certificate', async () => {
    const settings = settingsOf(tlsServer, { sslmode: 'verify-full', ...rootOf('other.crt') });
    await expect(isEncrypted(settings)).rejects.toThrow('unable to verify');
    // None of the public roots has signed it either.
    const publicRoots = settingsOf(tlsServer, { sslmode: 'verify-full' });
    await expect(isEncrypted(publicRoots)).rejects.toThrow('unable to verify');
  });

  test.skipIf(!isInstalled)('verify-full checks the name, verify-ca does not', async () => {
    const root = rootOf('root.crt');
    const full = settingsOf(tlsServer, { sslmode: 'verify-full', ...root }, 'localhost');
    await expect(isEncrypted(full)).rejects.toThrow('does not match');
    const authority = settingsOf(tlsServer, { sslmode: 'verify-ca', ...root }, 'localhost');
    expect(await isEncrypted(authority)).toBe(true);
    const other = settingsOf(tlsServer, { sslmode: 'verify-ca', ...rootOf('other.crt') });
    await expect(isEncrypted(other)).rejects.toThrow('unable to verify');
  });

  test.skipIf(!isInstalled)(
    'require encrypts without a check, and with a root it checks',
    async () => {
      expect(await isEncrypted(settingsOf(tlsServer, { sslmode: 'require' }))).toBe(true);
      expect(await isEncrypted(settingsOf(tlsServer, { sslmode: 'no-verify' }))).toBe(true);
      const checked = settingsOf(tlsServer, { sslmode: 'require', ...rootOf('other.crt') });
      await expect(isEncrypted(checked)).rejects.toThrow('unable to verify');
    },
  );

  test.skipIf(!isInstalled)('require refuses a server without TLS, disable takes it', async () => {
    const encrypted = settingsOf(plainServer, { sslmode: 'require' });
    await expect(isEncrypted(encrypted)).rejects.toThrow('does not support SSL');
    expect(await isEncrypted(settingsOf(plainServer, { sslmode: 'disable' }))).toBe(false);
  });

  test.skipIf(!isInstalled)(
    'a killed server answers on the same port after its restart',
    async () => {
      if (plainServer === undefined) throw new Error('The server was not started');
      await plainServer.kill();
      await expect(isEncrypted({ connectionString: plainServer.url })).rejects.toThrow();
      await plainServer.restart();
      expect(await isEncrypted({ connectionString: plainServer.url })).toBe(false);
    },
  );
});

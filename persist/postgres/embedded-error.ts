// The error of the embedded Postgres, for the person who has to act on it.

/** What helps where the embedded Postgres cannot run at all; ends an error's text. */
export const OTHER_WAYS: string =
  'set KASSA_POSTGRES_URL to a server of your own, or KASSA_REPORTING=off';

/** The embedded Postgres cannot be found, made, started or stopped. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}

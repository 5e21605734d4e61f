// Every setting: its name, default, allowed values and meaning, in one place;
// configuration-source.ts reads them from the environment and the file, `npm start -- --help`
// prints them. Main thread only.
import { z } from 'zod';
import { BATCH_TRANSACTIONS_MAX, DAY_MS } from '../core/limits.ts';
import { DEFAULT_POLICIES } from '../core/policies/operator-definition.ts';

/** The checked settings; `shape` below says what each one means. */
export interface Configuration {
  readonly dataFolder: string;
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly logLevel: string;
  readonly demo: boolean;
  readonly segmentBytes: number;
  readonly retentionMs: number;
  readonly unansweredPerConnectionMax: number;
  readonly unansweredPerLaneMax: number;
  readonly frameBytesMax: number;
  readonly connectionsMax: number;
  readonly indexEntriesMax: number;
  readonly accountsMax: number;
  readonly openRoundsMax: number;
  readonly holdsMax: number;
  readonly acceptClock: boolean;
  /** Whether Postgres gets reports at all. */
  readonly reporting: boolean;
  /** Undefined: the embedded Postgres of the data folder. */
  readonly postgresUrl: string | undefined;
  readonly journal: boolean;
  /** 0 for ever. */
  readonly journalDays: number;
  readonly snapshotIntervalMs: number;
}

const MIB = 1_048_576;
const GIB = 1024 * MIB;

// A number comes as digits from the environment and as a number or digits from the file.
function wholeNumber(minimum: number, maximum: number): z.ZodType<number> {
  const fromDigits = (value: unknown): unknown =>
    typeof value === 'string' && /^[0-9]{1,16}$/.test(value) ? Number(value) : value;
  return z
    .preprocess(fromDigits, z.number().int().min(minimum).max(maximum))
    .meta({ allowed: `a whole number from ${minimum} to ${maximum}` });
}

function switched(): z.ZodType<boolean> {
  return z
    .enum(['on', 'off'])
    .transform((value) => value === 'on')
    .meta({ allowed: 'on or off' });
}

function text(allowed: string): z.ZodType<string> {
  return z.string().min(1).max(1_000).meta({ allowed });
}

function postgresUrl(): z.ZodType<string> {
  return z
    .string()
    .regex(/^postgres(ql)?:\/\/./)
    .max(2_000)
    .meta({ allowed: 'postgresql://user:password@host:port/database?sslmode=…' });
}

function oneOf(values: readonly [string, ...string[]]): z.ZodType<string> {
  return z.enum(values).meta({ allowed: `one of ${values.join(', ')}` });
}

/** A setting that may be left out or empty, then it is undefined. */
function optional(
  schema: z.ZodType<string>,
  defaultText: string,
  meaning: string,
): z.ZodType<string | undefined> {
  const allowed = schema.meta()?.allowed;
  const filled = z.preprocess((value) => (value === '' ? undefined : value), schema.optional());
  return filled.meta({ allowed, defaultText, meaning });
}

function setting<Value>(
  schema: z.ZodType<Value>,
  defaultText: string,
  meaning: string,
): z.ZodType<Value> {
  const allowed = schema.meta()?.allowed;
  const filled = z.preprocess((value) => value ?? defaultText, schema);
  return filled.meta({ allowed, defaultText, meaning });
}

// Retention (rule 7): an operator that names no hold expiry has the default one, so less than that
// is never enough; the lane checks it against each operator's own ages once the log is replayed.
const RETENTION_DAYS_MIN = DEFAULT_POLICIES.holdExpiryMaxMs / DAY_MS;

const shape = {
  KASSA_DATA: setting(text('the path of a folder'), './data', 'the data folder; made if missing'),
  KASSA_HOST: setting(
    text('a host name or address'),
    '127.0.0.1',
    'address that clients connect to; 0.0.0.0 for every interface',
  ),
  KASSA_PORT: setting(wholeNumber(0, 65_535), '7070', 'port for clients; 0 takes a free one'),
  KASSA_ADMIN_HOST: setting(
    text('a host name or address'),
    '127.0.0.1',
    'address of health, readiness and metrics; they ask for no key',
  ),
  KASSA_ADMIN_PORT: setting(wholeNumber(0, 65_535), '9464', 'their port; 0 takes a free one'),
  KASSA_LOG_LEVEL: setting(
    oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    'info',
    'least serious lines of the log that are printed',
  ),
  KASSA_DEMO: setting(
    switched(),
    'on',
    'with an empty log: make a demo operator, player and client key, and print a first bet',
  ),
  KASSA_SEGMENT_BYTES: setting(
    wholeNumber(4 * MIB, 64 * GIB),
    String(GIB),
    'size at which the log goes on in a new segment',
  ),
  KASSA_RETENTION_DAYS: setting(
    wholeNumber(RETENTION_DAYS_MIN, 3_650),
    '120',
    'how long a repeated transaction is known; at least every round age and hold expiry',
  ),
  KASSA_UNANSWERED_PER_CONNECTION: setting(
    wholeNumber(BATCH_TRANSACTIONS_MAX, 1_000_000),
    '20000',
    'unanswered transactions of one connection; beyond it: overloaded',
  ),
  KASSA_UNANSWERED_PER_LANE: setting(
    wholeNumber(BATCH_TRANSACTIONS_MAX, 10_000_000),
    '200000',
    'the same for all connections of a lane; at least the one above',
  ),
  KASSA_FRAME_BYTES_MAX: setting(
    wholeNumber(64 * 1024, 64 * MIB),
    String(4 * MIB),
    'longest WebSocket frame and HTTP body',
  ),
  KASSA_CONNECTIONS_MAX: setting(wholeNumber(1, 100_000), '10000', 'open connections of clients'),
  KASSA_INDEX_ENTRIES_MAX: setting(
    wholeNumber(1_000, 200_000_000),
    '100000000',
    'keys, reversals and rounds that are known; beyond it, or 67 million rounds: overloaded',
  ),
  KASSA_ACCOUNTS_MAX: setting(wholeNumber(1_000, 85_000_000), '80000000', 'accounts'),
  KASSA_OPEN_ROUNDS_MAX: setting(wholeNumber(1_000, 100_000_000), '20000000', 'open rounds'),
  KASSA_HOLDS_MAX: setting(wholeNumber(1_000, 100_000_000), '5000000', 'unfinished holds'),
  KASSA_ACCEPT_CLOCK: setting(
    switched(),
    'off',
    "start although the log's last time lies more than 60 s ahead of the clock",
  ),
  KASSA_REPORTING: setting(
    switched(),
    'on',
    'keep Postgres up to date for reporting; it is never in the way of an answer',
  ),
  KASSA_POSTGRES_URL: optional(
    postgresUrl(),
    '',
    'the Postgres to report into; without it an embedded one in the data folder',
  ),
  KASSA_REPORTING_JOURNAL: setting(
    switched(),
    'on',
    'report each transaction; off: only balances and sums',
  ),
  KASSA_REPORTING_JOURNAL_DAYS: setting(
    wholeNumber(0, 36_500),
    '0',
    'days after which the journal of a day is detached; 0 keeps all',
  ),
  KASSA_REPORTING_INTERVAL_MS: setting(
    wholeNumber(100, 3_600_000),
    '1000',
    'ms between two snapshots, while anything changes',
  ),
};

/** Makes a Configuration of values by name; unknown names and wrong values are issues. */
export const configurationSchema: z.ZodType<Configuration> = z
  .strictObject(shape)
  .transform(configurationOf);

/** One setting as it is shown to people. */
export interface SettingDescription {
  readonly name: string;
  readonly defaultText: string;
  readonly allowed: string;
  readonly meaning: string;
}

/** Every setting in the order of the help text. */
export function describeSettings(): SettingDescription[] {
  return Object.entries(shape).map(([name, schema]) => {
    const { defaultText, allowed, meaning } = schema.meta() ?? {};
    return {
      name,
      defaultText: String(defaultText),
      allowed: String(allowed),
      meaning: String(meaning),
    };
  });
}

function configurationOf(values: z.infer<z.ZodObject<typeof shape>>): Configuration {
  return {
    dataFolder: values.KASSA_DATA,
    host: values.KASSA_HOST,
    port: values.KASSA_PORT,
    adminHost: values.KASSA_ADMIN_HOST,
    adminPort: values.KASSA_ADMIN_PORT,
    logLevel: values.KASSA_LOG_LEVEL,
    demo: values.KASSA_DEMO,
    segmentBytes: values.KASSA_SEGMENT_BYTES,
    retentionMs: values.KASSA_RETENTION_DAYS * DAY_MS,
    unansweredPerConnectionMax: values.KASSA_UNANSWERED_PER_CONNECTION,
    unansweredPerLaneMax: values.KASSA_UNANSWERED_PER_LANE,
    frameBytesMax: values.KASSA_FRAME_BYTES_MAX,
    connectionsMax: values.KASSA_CONNECTIONS_MAX,
    indexEntriesMax: values.KASSA_INDEX_ENTRIES_MAX,
    accountsMax: values.KASSA_ACCOUNTS_MAX,
    openRoundsMax: values.KASSA_OPEN_ROUNDS_MAX,
    holdsMax: values.KASSA_HOLDS_MAX,
    acceptClock: values.KASSA_ACCEPT_CLOCK,
    reporting: values.KASSA_REPORTING,
    postgresUrl: values.KASSA_POSTGRES_URL,
    journal: values.KASSA_REPORTING_JOURNAL,
    journalDays: values.KASSA_REPORTING_JOURNAL_DAYS,
    snapshotIntervalMs: values.KASSA_REPORTING_INTERVAL_MS,
  };
}

// Every setting at its bounds, and every way in which a configuration can be wrong.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DAY_MS } from '../../core/limits.ts';
import { type Configuration, describeSettings } from '../../gateway/configuration.ts';
import {
  ConfigurationError,
  configurationHelp,
  readConfiguration,
} from '../../gateway/configuration-source.ts';

interface NumberRow {
  readonly name: string;
  readonly field: keyof Configuration;
  readonly minimum: number;
  readonly maximum: number;
  readonly unit?: number;
}

const NUMBERS: readonly NumberRow[] = [
  { name: 'KASSA_PORT', field: 'port', minimum: 0, maximum: 65_535 },
  { name: 'KASSA_ADMIN_PORT', field: 'adminPort', minimum: 0, maximum: 65_535 },
  { name: 'KASSA_SEGMENT_BYTES', field: 'segmentBytes', minimum: 2 ** 22, maximum: 2 ** 36 },
  {
    name: 'KASSA_RETENTION_DAYS',
    field: 'retentionMs',
    minimum: 30,
    maximum: 3_650,
    unit: DAY_MS,
  },
  {
    name: 'KASSA_UNANSWERED_PER_CONNECTION',
    field: 'unansweredPerConnectionMax',
    minimum: 10_000,
    maximum: 1_000_000,
  },
  {
    name: 'KASSA_UNANSWERED_PER_LANE',
    field: 'unansweredPerLaneMax',
    minimum: 10_000,
    maximum: 10_000_000,
  },
  { name: 'KASSA_FRAME_BYTES_MAX', field: 'frameBytesMax', minimum: 2 ** 16, maximum: 2 ** 26 },
  { name: 'KASSA_CONNECTIONS_MAX', field: 'connectionsMax', minimum: 1, maximum: 100_000 },
  {
    name: 'KASSA_INDEX_ENTRIES_MAX',
    field: 'indexEntriesMax',
    minimum: 1_000,
    maximum: 200_000_000,
  },
  { name: 'KASSA_ACCOUNTS_MAX', field: 'accountsMax', minimum: 1_000, maximum: 85_000_000 },
  { name: 'KASSA_OPEN_ROUNDS_MAX', field: 'openRoundsMax', minimum: 1_000, maximum: 100_000_000 },
  { name: 'KASSA_HOLDS_MAX', field: 'holdsMax', minimum: 1_000, maximum: 100_000_000 },
  {
    name: 'KASSA_REPORTING_JOURNAL_DAYS',
    field: 'journalDays',
    minimum: 0,
    maximum: 36_500,
  },
  {
    name: 'KASSA_REPORTING_INTERVAL_MS',
    field: 'snapshotIntervalMs',
    minimum: 100,
    maximum: 3_600_000,
  },
];

const WORDS: readonly (readonly [string, keyof Configuration, string, unknown, string])[] = [
  ['KASSA_DATA', 'dataFolder', '/var/lib/kassa', '/var/lib/kassa', ''],
  ['KASSA_HOST', 'host', '0.0.0.0', '0.0.0.0', ''],
  ['KASSA_ADMIN_HOST', 'adminHost', '::1', '::1', ''],
  ['KASSA_LOG_LEVEL', 'logLevel', 'silent', 'silent', 'loud'],
  ['KASSA_DEMO', 'demo', 'off', false, 'false'],
  ['KASSA_ACCEPT_CLOCK', 'acceptClock', 'on', true, 'ON'],
  ['KASSA_REPORTING', 'reporting', 'off', false, 'no'],
  ['KASSA_REPORTING_JOURNAL', 'journal', 'off', false, '0'],
];

// Relations between two settings would refuse a bound that is legal by itself.
function withRoom(name: string, value: string): Record<string, string> {
  const room: Record<string, string> =
    name === 'KASSA_UNANSWERED_PER_CONNECTION'
      ? { KASSA_UNANSWERED_PER_LANE: '10000000' }
      : name === 'KASSA_UNANSWERED_PER_LANE'
        ? { KASSA_UNANSWERED_PER_CONNECTION: '10000' }
        : {};
  return { ...room, [name]: value };
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfiguration(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe('numbers', () => {
  test.each(NUMBERS)('$name takes $minimum and $maximum, and nothing beyond', (row) => {
    const { name, field, minimum, maximum, unit = 1 } = row;
    for (const value of [minimum, minimum + 1, maximum - 1, maximum]) {
      const configuration = readConfiguration(withRoom(name, String(value)));
      expect(configuration[field]).toBe(value * unit);
    }
    for (const value of [minimum - 1, maximum + 1]) {
      expect(problemsOf(withRoom(name, String(value)))).toEqual([
        `Cannot start because ${name} must be a whole number from ${minimum} to ${maximum}: ` +
          `"${value}" in the environment`,
      ]);
    }
  });

  test.each(['', ' 1', '1e3', '0x10', '7070.5', '7070 ', 'NaN', '-1', '+5'])(
    'the text "%s" is no number',
    (value) => {
      expect(problemsOf({ KASSA_PORT: value })).toHaveLength(1);
    },
  );
});

describe('words', () => {
  test.each(WORDS)('%s is read, and a wrong word named', (name, field, value, expected, wrong) => {
    expect(readConfiguration({ [name]: value })[field]).toBe(expected);
    const [problem, ...others] = problemsOf({ [name]: wrong });
    expect(problem).toContain(`Cannot start because ${name} must be `);
    expect(problem).toContain(`: ${JSON.stringify(wrong)} in the environment`);
    expect(others).toEqual([]);
  });
});

test('the URL of Postgres may be left out or empty, and a wrong one is never shown', () => {
  const url = 'postgresql://kassa:secret@host/kassa';
  expect(readConfiguration({ KASSA_POSTGRES_URL: url }).postgresUrl).toBe(url);
  expect(readConfiguration({ KASSA_POSTGRES_URL: '' }).postgresUrl).toBeUndefined();
  const [problem] = problemsOf({ KASSA_POSTGRES_URL: 'http://kassa:secret@host/kassa' });
  expect(problem).toContain('Cannot start because KASSA_POSTGRES_URL must be postgresql://');
  expect(problem).not.toContain('secret');
});

test('every setting stands in these tables and in the help text', () => {
  const words = [...WORDS.map(([name]) => name), 'KASSA_POSTGRES_URL'];
  const tested = [...NUMBERS.map(({ name }) => name), ...words];
  const described = describeSettings();
  expect(described.map(({ name }) => name).sort()).toEqual(tested.sort());
  for (const { name, defaultText, meaning, allowed } of described) {
    expect(configurationHelp()).toContain(`  ${name}=${defaultText}\n`);
    expect(configurationHelp()).toContain(`${meaning} (${allowed})`);
  }
});

test('the defaults are legal and taken when nothing is set', () => {
  const defaults = Object.fromEntries(
    describeSettings().map(({ name, defaultText }) => [name, defaultText]),
  );
  expect(readConfiguration(defaults)).toEqual(readConfiguration({}));
  expect(readConfiguration({}).port).toBe(7070);
});

test('an unknown name is an error that names it, other programs’ variables are not', () => {
  expect(problemsOf({ KASSA_PRT: '7070', HOME: '/root', KASSA_KEY: 'a.b' })).toEqual([
    'Cannot start because no setting has this name: KASSA_PRT in the environment',
  ]);
});

test('every wrong setting is named at once', () => {
  expect(problemsOf({ KASSA_PORT: 'x', KASSA_DEMO: 'y', KASSA_Z: 'z' })).toHaveLength(3);
});

test('the lane’s limit of unanswered transactions is not below a connection’s', () => {
  const limits = (connection: number, lane: number): Record<string, string> => ({
    KASSA_UNANSWERED_PER_CONNECTION: String(connection),
    KASSA_UNANSWERED_PER_LANE: String(lane),
  });
  expect(problemsOf(limits(20_000, 20_000))).toEqual([]);
  expect(problemsOf(limits(20_001, 20_000))[0]).toContain('must be at least');
});

test('both ports are not the same, unless free ones are taken', () => {
  expect(problemsOf({ KASSA_PORT: '8000', KASSA_ADMIN_PORT: '8000' })[0]).toContain('must differ');
  expect(problemsOf({ KASSA_PORT: '0', KASSA_ADMIN_PORT: '0' })).toEqual([]);
});

describe('the file', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kassa-configuration-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function write(content: string): string {
    const path = join(folder, 'kassa.json');
    writeFileSync(path, content);
    return path;
  }

  test('is read, with numbers or digits, and the environment goes before it', () => {
    const file = write('{"KASSA_PORT": 8001, "KASSA_ADMIN_PORT": "8002", "KASSA_DEMO": "off"}');
    const configuration = readConfiguration({ KASSA_CONFIG: file, KASSA_PORT: '8003' });
    expect(configuration).toMatchObject({ port: 8003, adminPort: 8002, demo: false });
  });

  test('with a wrong value or an unknown name is an error that names both and the file', () => {
    const file = write('{"KASSA_PORT": 1.5, "port": 7070, "KASSA_CONFIG": "other.json"}');
    const problems = problemsOf({ KASSA_CONFIG: file });
    expect(problems).toHaveLength(3);
    expect(problems.join('\n')).toContain(`KASSA_PORT must be a whole number from 0 to 65535: 1.5`);
    expect(problems.join('\n')).toContain(`no setting has this name: port in the file ${file}`);
  });

  test.each(['', '[]', 'null', '7', '{"KASSA_PORT": }'])(
    'that holds "%s" is refused',
    (content) => {
      const file = write(content);
      expect(problemsOf({ KASSA_CONFIG: file })[0]).toContain(
        `KASSA_CONFIG must name a readable file`,
      );
    },
  );

  test('that is missing is refused', () => {
    const missing = join(folder, 'missing.json');
    expect(problemsOf({ KASSA_CONFIG: missing })[0]).toContain(missing);
  });
});

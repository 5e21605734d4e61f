// Reads the configuration once at start, on the main thread: environment over file over default.
// A wrong or unknown setting stops the start with an error that names it; nothing is guessed.
import { readFileSync } from 'node:fs';
import {
  type Configuration,
  configurationSchema,
  describeSettings,
  type SettingDescription,
} from './configuration.ts';

/** Names and values as the environment has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The error of a wrong configuration; its message names every wrong setting. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`${problems.join('\n')}\nAll settings: npm start -- --help`);
    this.problems = problems;
  }
}

// Read by the client example and never by the server: a shell that has them may start it too.
const FOREIGN_NAMES: ReadonlySet<string> = new Set(['KASSA_KEY', 'KASSA_URL']);
/** Their values are never shown. */
const SECRET_NAMES: ReadonlySet<string> = new Set(['KASSA_POSTGRES_URL']);
const FILE_NAME = 'KASSA_CONFIG';

/** The configuration of this environment and the file it names; throws ConfigurationError. */
export function readConfiguration(environment: Environment): Configuration {
  const named = Object.entries(environment).filter(
    ([name, value]) => name.startsWith('KASSA_') && value !== undefined && !FOREIGN_NAMES.has(name),
  );
  const { [FILE_NAME]: file, ...fromEnvironment } = Object.fromEntries(named);
  const fromFile = file === undefined ? {} : readFile(file);
  const values = { ...fromFile, ...fromEnvironment };
  const parsed = configurationSchema.safeParse(values);
  const sourceOf = (name: string): string =>
    name in fromEnvironment ? 'the environment' : `the file ${file}`;
  if (!parsed.success) {
    const names = new Set(
      parsed.error.issues.flatMap((issue) =>
        issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])],
      ),
    );
    throw new ConfigurationError(
      Array.from(names, (name) => problem(name, Reflect.get(values, name), sourceOf(name))),
    );
  }
  checkRelations(parsed.data);
  return parsed.data;
}

/** The text of `--help`: every setting with its default, allowed values and meaning. */
export function configurationHelp(): string {
  const lines = describeSettings().map(
    ({ name, defaultText, allowed, meaning }) =>
      `  ${name}=${defaultText}\n      ${meaning} (${allowed})`,
  );
  return [
    'Kassa: the balance core of a real-money gaming platform.',
    '',
    'Usage: npm start            serve (Ctrl-C or SIGTERM stops it after all answers are out)',
    '       npm start -- --help     this text',
    '       npm start -- --version  the version',
    '',
    `Settings come from the environment, or from a JSON file named by ${FILE_NAME} that holds the`,
    'same names, such as {"KASSA_PORT": 7070}; the environment goes first. Shown: the defaults.',
    '',
    ...lines,
    '',
  ].join('\n');
}

function readFile(path: string): Record<string, unknown> {
  const wrong = (reason: string): ConfigurationError =>
    new ConfigurationError([
      `Cannot start because ${FILE_NAME} must name a readable file with one JSON object: ` +
        `"${path}": ${reason}`,
    ]);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw wrong('it holds something else');
  }
  return Object.fromEntries(Object.entries(content));
}

function problem(name: string, value: unknown, source: string): string {
  const known: SettingDescription | undefined = describeSettings().find(
    (setting) => setting.name === name,
  );
  return known === undefined
    ? `Cannot start because no setting has this name: ${name} in ${source}`
    : `Cannot start because ${name} must be ${known.allowed}: ` +
        `${SECRET_NAMES.has(name) ? 'something else' : JSON.stringify(value)} in ${source}`;
}

function checkRelations(configuration: Configuration): void {
  if (configuration.unansweredPerLaneMax < configuration.unansweredPerConnectionMax) {
    throw new ConfigurationError([
      'Cannot start because KASSA_UNANSWERED_PER_LANE must be at least ' +
        `KASSA_UNANSWERED_PER_CONNECTION (${configuration.unansweredPerConnectionMax}): ` +
        `${configuration.unansweredPerLaneMax}`,
    ]);
  }
  if (configuration.port !== 0 && configuration.port === configuration.adminPort) {
    throw new ConfigurationError([
      `Cannot start because KASSA_PORT and KASSA_ADMIN_PORT must differ: ${configuration.port}`,
    ]);
  }
}

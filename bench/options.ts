// The benchmark's command line: names, defaults and examples. Pure but for reading the arguments.
import { Command, InvalidArgumentError, Option } from 'commander';
import { randomSeed } from './load/identifiers.ts';

/** What to measure, and under which load. */
export interface BenchOptions {
  readonly workload: 'batch' | 'single' | 'replay' | 'open';
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly accounts: number;
  readonly connections: number;
  /** Transactions sent and unanswered, over all connections. */
  readonly inFlight: number;
  readonly frameTransactions: number;
  readonly idBytes: number;
  readonly seed: number;
  readonly json: boolean;
  readonly folder: string | null;
}

const EXAMPLES = `
Examples:
  npm run bench                                        the canonical workload, frames of 1,000
  npm run bench -- --workload single                   one transaction a frame, 1,024 in flight
  npm run bench -- --workload single --connections 1 --in-flight 1    latency of one at a time
  npm run bench -- --workload open --accounts 5000000  memory of an account, longest slice
  npm run bench -- --workload replay --seconds 30      records a second of a replay
  npm run bench -- --frame-transactions 100 --json     frames of 100, result as one JSON object

Canonical: 70 % bets, 30 % wins, every round new, accounts at random, each account opened and
funded first. Of 7 bets 4 are lost and end their round; 3 get a win in a later frame, which names
the bet and the round and ends the round.`;

// Of a shape: what fits two cores. More in flight raises latency, not throughput.
const IN_FLIGHT = { batch: 16_000, single: 1_024, replay: 16_000, open: 16_000 } as const;
const CONNECTIONS = { batch: 4, single: 16, replay: 4, open: 4 } as const;

/** The options of a command line; prints and exits for --help and for what is wrong. */
export function readOptions(programArguments: readonly string[]): BenchOptions {
  const command = new Command('npm run bench --')
    .description('Measures Kassa over WebSocket, durable, with the load in a process of its own.')
    .addOption(
      new Option('--workload <name>', 'what to measure')
        .choices(['batch', 'single', 'replay', 'open'])
        .default('batch'),
    )
    .option('--seconds <number>', 'length of the measured window', numberFrom(1, 86_400), 30)
    .option('--warm-up-seconds <number>', 'load before the window', numberFrom(0, 3_600), 5)
    .option('--accounts <number>', 'opened and funded first', numberFrom(1, 100_000_000), 1_000_000)
    .option('--connections <number>', 'WebSockets (16 for single, else 4)', numberFrom(1, 1_000))
    .option(
      '--in-flight <number>',
      'transactions unanswered, over all connections (1,024 for single, else 16,000)',
      numberFrom(1, 1_000_000),
    )
    .option('--frame-transactions <number>', 'of a frame (1 for single)', numberFrom(1, 10_000))
    .option('--id-bytes <number>', 'of a transaction id, and most of others', numberFrom(8, 64), 36)
    .option('--seed <number>', 'repeats the same transactions', numberFrom(0, 0xffffffff))
    .option('--folder <path>', 'make the data folder in here instead of the temporary folder')
    .option('--json', 'print one JSON object instead of a table', false)
    .addHelpText('after', EXAMPLES);
  const given = command.parse([...programArguments], { from: 'user' }).opts();
  const workload: BenchOptions['workload'] = given.workload;
  return {
    workload,
    seconds: given.seconds,
    warmUpSeconds: given.warmUpSeconds,
    accounts: given.accounts,
    connections: given.connections ?? CONNECTIONS[workload],
    inFlight: given.inFlight ?? IN_FLIGHT[workload],
    frameTransactions: given.frameTransactions ?? (workload === 'single' ? 1 : 1_000),
    idBytes: given.idBytes,
    seed: given.seed ?? randomSeed(),
    json: given.json,
    folder: given.folder ?? null,
  };
}

function numberFrom(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= minimum && number <= maximum) return number;
    throw new InvalidArgumentError(`Give a whole number from ${minimum} to ${maximum}.`);
  };
}

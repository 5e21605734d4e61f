// The benchmark's command line: names, defaults and examples. Pure but for reading the arguments.
import { Command, InvalidArgumentError, Option } from 'commander';
import { randomSeed } from './load/identifiers.ts';
import { frameTransactionsAt } from './load/pace.ts';
import { TROUBLES } from './reporting/troubles.ts';

/** What to measure, and under which load. */
export interface BenchOptions {
  readonly workload: 'batch' | 'single' | 'replay' | 'open' | 'report' | 'trouble';
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly accounts: number;
  readonly connections: number;
  /** Transactions sent and unanswered, over all connections. */
  readonly inFlight: number;
  readonly frameTransactions: number;
  /** The option alone; null where the frame follows from the workload or a rate. */
  readonly givenFrameTransactions: number | null;
  /** Over all connections; null sends as fast as answers come. */
  readonly ratePerSecond: number | null;
  /** Workload report: the rates with and without the journal, and how long its log is written. */
  readonly journalRatePerSecond: number;
  readonly balanceRatePerSecond: number;
  readonly logSeconds: number;
  /** Workload trouble: which, and how often each is measured. */
  readonly troubles: readonly string[];
  readonly rounds: number;
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
  npm run bench -- --workload single --rate 20000      latency at 20,000 transactions a second
  npm run bench -- --workload report                   Postgres: catching up, lag, cost to a bet
  npm run bench -- --workload report --journal-rate 50000 --seconds 60
  npm run bench -- --workload trouble                  bets while Postgres is in trouble

With --rate the loop is open: a frame goes when it is due, whatever is unanswered (up to
--in-flight), and its latency counts from when it was due.

Canonical: 70 % bets, 30 % wins, every round new, accounts at random, each account opened and
funded first. Of 7 bets 4 are lost and end their round; 3 get a win in a later frame, which names
the bet and the round and ends the round.`;

// What fits two cores. More in flight raises latency, not throughput.
const IN_FLIGHT = 16_000;
const IN_FLIGHT_SINGLE = 1_024;
const CONNECTIONS = 4;
const CONNECTIONS_SINGLE = 16;
const FRAME_TRANSACTIONS = 1_000;
const RATE_MAX = 10_000_000;

const JOURNAL_RATE = 30_000;
const BALANCE_RATE = 300_000;
/** With the loads beside it more than 3 million transactions: a minute or two for Postgres. */
const LOG_SECONDS = 5;
const SECONDS = 30;
/** Six troubles of five rounds, twice each: some twenty minutes. */
const TROUBLE_SECONDS = 10;
const TROUBLE_ROUNDS = 5;
const TROUBLE_NAMES: readonly string[] = TROUBLES.map(({ name }) => name);
const TROUBLE_RATE = 3_000;

/** The options of a command line; prints and exits for --help and for what is wrong. */
export function readOptions(programArguments: readonly string[]): BenchOptions {
  const command = describeCommand();
  const given = command.parse([...programArguments], { from: 'user' }).opts();
  const workload: BenchOptions['workload'] = given.workload;
  refuseForeign(command, workload);
  const isSingle = workload === 'single';
  const isTrouble = workload === 'trouble';
  const ratePerSecond: number | null = given.rate ?? (isTrouble ? TROUBLE_RATE : null);
  const usualFrame =
    ratePerSecond === null ? FRAME_TRANSACTIONS : frameTransactionsAt(ratePerSecond);
  return {
    workload,
    seconds: given.seconds ?? (isTrouble ? TROUBLE_SECONDS : SECONDS),
    warmUpSeconds: given.warmUpSeconds,
    accounts: given.accounts,
    connections: given.connections ?? (isSingle ? CONNECTIONS_SINGLE : CONNECTIONS),
    inFlight: given.inFlight ?? (isSingle ? IN_FLIGHT_SINGLE : IN_FLIGHT),
    frameTransactions: given.frameTransactions ?? (isSingle ? 1 : usualFrame),
    givenFrameTransactions: given.frameTransactions ?? null,
    ratePerSecond,
    journalRatePerSecond: given.journalRate ?? JOURNAL_RATE,
    balanceRatePerSecond: given.balanceRate ?? BALANCE_RATE,
    logSeconds: given.logSeconds ?? LOG_SECONDS,
    troubles: given.troubles ?? TROUBLE_NAMES,
    rounds: given.rounds ?? TROUBLE_ROUNDS,
    idBytes: given.idBytes,
    seed: given.seed ?? randomSeed(),
    json: given.json,
    folder: given.folder ?? null,
  };
}

function describeCommand(): Command {
  return new Command('npm run bench --')
    .description('Measures Kassa over WebSocket, durable, with the load in a process of its own.')
    .addOption(
      new Option('--workload <name>', 'what to measure')
        .choices(['batch', 'single', 'replay', 'open', 'report', 'trouble'])
        .default('batch'),
    )
    .option(
      '--seconds <number>',
      'length of the measured window (10 for trouble, else 30)',
      numberFrom(1, 86_400),
    )
    .option('--warm-up-seconds <number>', 'load before the window', numberFrom(0, 3_600), 5)
    .option('--accounts <number>', 'opened and funded first', numberFrom(1, 100_000_000), 1_000_000)
    .option('--connections <number>', 'WebSockets (16 for single, else 4)', numberFrom(1, 1_000))
    .option(
      '--in-flight <number>',
      'transactions unanswered, over all connections (1,024 for single, else 16,000)',
      numberFrom(1, 1_000_000),
    )
    .option(
      '--frame-transactions <number>',
      'of a frame (1 for single; at a rate the largest of 1, 10, 100, 1,000 with 100 frames a ' +
        'second; else 1,000)',
      numberFrom(1, 10_000),
    )
    .option(
      '--rate <number>',
      'transactions a second, open loop (trouble: 3,000)',
      numberFrom(1, RATE_MAX),
    )
    .option(
      '--journal-rate <number>',
      'report: the rate with the journal (30,000)',
      numberFrom(1, RATE_MAX),
    )
    .option(
      '--balance-rate <number>',
      'report: the rate with balances only (300,000)',
      numberFrom(1, RATE_MAX),
    )
    .option(
      '--log-seconds <number>',
      'report: how long the log is written that Postgres catches up with (5)',
      numberFrom(1, 300),
    )
    .addOption(
      new Option('--troubles <names...>', 'trouble: which of them (all)').choices(TROUBLE_NAMES),
    )
    .option('--rounds <number>', 'trouble: how often each (5)', numberFrom(1, 1_000))
    .option('--id-bytes <number>', 'of a transaction id, and most of others', numberFrom(8, 64), 36)
    .option('--seed <number>', 'repeats the same transactions', numberFrom(0, 0xffffffff))
    .option('--folder <path>', 'make the data folder in here instead of the temporary folder')
    .option('--json', 'print one JSON object instead of a table', false)
    .addHelpText('after', EXAMPLES);
}

/** An option that the workload would not look at is a mistake, not a wish. */
function refuseForeign(command: Command, workload: BenchOptions['workload']): void {
  const given: Readonly<Record<string, unknown>> = command.opts();
  const foreign = [
    ...(workload === 'report' ? [] : ['journalRate', 'balanceRate', 'logSeconds']),
    ...(workload === 'report' || workload === 'open' ? ['rate'] : []),
    ...(workload === 'trouble' ? [] : ['rounds', 'troubles']),
  ];
  for (const option of command.options) {
    const name = option.attributeName();
    if (!foreign.includes(name) || given[name] === undefined) continue;
    command.error(`error: option '${option.flags}' has no meaning for workload ${workload}`);
  }
}

function numberFrom(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= minimum && number <= maximum) return number;
    throw new InvalidArgumentError(`Give a whole number from ${minimum} to ${maximum}.`);
  };
}

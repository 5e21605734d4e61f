// `--workload report`: what the Postgres reporter does and costs, on two folders.
//
//   first    without reporting     accounts ─ load at the balance rate ─ a log at full speed
//                                  ─ load at the journal rate
//            with the journal      catch up with all of it ─ load at the journal rate
//   second   with balances only    accounts ─ catch up ─ load at the balance rate
//
// The loads without reporting are what those with it are compared to, at the same rate and on a
// server in about the same state: the difference in latency is what reporting costs a bet.
import type { LoadResult } from '../load/load-run.ts';
import { openAccounts, type ReportProgress } from '../measurement.ts';
import type { BenchOptions } from '../options.ts';
import { ServerProcess, type ServerSettings, WITHOUT_REPORTING } from '../server-process.ts';
import { type CatchUp, measureCatchUp } from './catch-up.ts';
import {
  generatePacedLoad,
  type Lag,
  measureWithoutReporting,
  measureWithReporting,
} from './paced-load.ts';
import { followToEnd } from './reporter-sample.ts';

/** A load at a rate with reporting, beside the same without. */
export interface LiveMeasurement {
  readonly ratePerSecond: number;
  readonly load: LoadResult;
  readonly lag: Lag;
  readonly withoutReporting: LoadResult;
}

/** What the workload measured. */
export interface ReportingMeasurement {
  /** The load at full speed, without reporting. */
  readonly log: LoadResult;
  readonly catchUp: CatchUp;
  readonly journal: LiveMeasurement;
  readonly balances: LiveMeasurement;
  /** All loads, openings and deposits too. */
  readonly runs: readonly LoadResult[];
}

const WITH_JOURNAL: ServerSettings = { KASSA_REPORTING: 'on', KASSA_REPORTING_JOURNAL: 'on' };
const WITH_BALANCES: ServerSettings = { KASSA_REPORTING: 'on', KASSA_REPORTING_JOURNAL: 'off' };
const COMPARISON_SECONDS_MAX = 10;

/** Measures everything in a folder; rejects where a step cannot be done at all. */
export async function measureReporting(
  folder: string,
  options: BenchOptions,
  report: ReportProgress,
): Promise<ReportingMeasurement> {
  const steps = new ReportingSteps(options, report);
  const first = `${folder}/journal`;
  const written = await steps.writeLog(first);
  const journal = await steps.measureJournal(first);
  const balances = await steps.measureBalances(`${folder}/balances`);
  return {
    log: written.log,
    catchUp: journal.catchUp,
    journal: { ...journal.live, withoutReporting: written.atJournalRate },
    balances: { ...balances, withoutReporting: written.atBalanceRate },
    runs: steps.runs,
  };
}

class ReportingSteps {
  readonly runs: LoadResult[] = [];
  readonly #options: BenchOptions;
  readonly #report: ReportProgress;

  constructor(options: BenchOptions, report: ReportProgress) {
    this.#options = options;
    this.#report = report;
  }

  async writeLog(dataFolder: string) {
    const { journalRatePerSecond, balanceRatePerSecond, logSeconds } = this.#options;
    const server = await ServerProcess.start(dataFolder, WITHOUT_REPORTING);
    await this.#openAccounts(server);
    const seconds = Math.min(COMPARISON_SECONDS_MAX, this.#options.seconds);
    const comparison = { ...this.#loadOn(server), seconds };
    const atBalanceRate = await measureWithoutReporting({
      ...comparison,
      name: 'without reporting, 1',
      ratePerSecond: balanceRatePerSecond,
      run: 0,
    });
    const log = await generatePacedLoad({
      ...this.#loadOn(server),
      name: 'log',
      ratePerSecond: null,
      warmUpSeconds: 0,
      seconds: logSeconds,
      run: 1,
    });
    const atJournalRate = await measureWithoutReporting({
      ...comparison,
      name: 'without reporting, 2',
      ratePerSecond: journalRatePerSecond,
      run: 2,
    });
    await server.stop();
    this.runs.push(atBalanceRate, log, atJournalRate);
    return { atBalanceRate, log, atJournalRate };
  }

  async measureJournal(dataFolder: string) {
    const { accounts, journalRatePerSecond: ratePerSecond } = this.#options;
    const records = this.runs.reduce((sum, run) => sum + run.runTransactions, 0);
    const server = await ServerProcess.start(dataFolder, WITH_JOURNAL);
    const written = { preludeRecords: 2 * accounts, records };
    const catchUp = await measureCatchUp(server, written, this.#report);
    const live = await measureWithReporting({
      ...this.#loadOn(server),
      name: 'with the journal',
      ratePerSecond,
      run: 3,
    });
    await server.stop();
    this.runs.push(live.load);
    return { catchUp, live: { ...live, ratePerSecond } };
  }

  async measureBalances(dataFolder: string) {
    const { balanceRatePerSecond: ratePerSecond, accounts } = this.#options;
    const server = await ServerProcess.start(dataFolder, WITH_BALANCES);
    await this.#openAccounts(server);
    await followToEnd(server, ({ recordsTotal }) => {
      this.#report('accounts to Postgres', Math.min(recordsTotal, 2 * accounts), 2 * accounts);
    });
    const live = await measureWithReporting({
      ...this.#loadOn(server),
      name: 'with balances only',
      ratePerSecond,
      run: 0,
    });
    await server.stop();
    this.runs.push(live.load);
    return { ...live, ratePerSecond };
  }

  async #openAccounts(server: ServerProcess): Promise<void> {
    const { runs } = await openAccounts(server, this.#options, this.#report);
    this.runs.push(...runs);
  }

  #loadOn(server: ServerProcess) {
    const { warmUpSeconds, seconds } = this.#options;
    return { server, options: this.#options, report: this.#report, warmUpSeconds, seconds };
  }
}

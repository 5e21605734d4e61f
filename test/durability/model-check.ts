// Plays what was answered on the model, in the order of the log's sequences, and compares every
// outcome, every record that time made, and at the end every balance and total. Answers that are no
// records (rule 4) have no sequence: they are judged at the place that the order of their
// connection and the restarts give. That place is exact for what other connections do not touch:
// keys, bets and holds of a studio, but not an account's money and status.
import { expect } from 'vitest';
import { Kind } from '../../core/kinds.ts';
import { ResultCode } from '../../core/result-codes.ts';
import type { Shard } from '../../core/shard.ts';
import { SystemAccount } from '../../core/tables/system-accounts.ts';
import type { Outcome } from '../../gateway/client/outcome.ts';
import { Model } from '../model/model.ts';
import type { ModelOutcome, ModelTransaction } from '../model/model-transaction.ts';
import type { JournalEntry, LoadClient } from './load-client.ts';
import { type LogRecord, nameOf, type ReadLog } from './log-records.ts';
import { OPERATORS, RETENTION_MS, SEED_RECORD_COUNT } from './seeded-folder.ts';

const CURRENCIES = ['EUR', 'USD'];

/** Records of the seed that the model has not: the retention and the clients. */
const OWN_RECORD_COUNT = SEED_RECORD_COUNT - Object.keys(OPERATORS).length;

/** Answers of one request, to be played at a place in the order. */
interface Played {
  readonly isAtomic: boolean;
  readonly transactions: readonly ModelTransaction[];
  readonly outcomes: readonly Outcome[];
}

/** The model and what it is fed with. */
export class ModelCheck {
  readonly model: Model = new Model({ retentionMs: RETENTION_MS });
  /** Answers by the sequence of their first record. */
  readonly #recorded = new Map<number, Played>();
  /** Answers without records, by the last sequence before them. */
  readonly #unrecorded = new Map<number, Played[]>();
  readonly #log: ReadLog;

  /** `sequencesBefore` is, by run of the server, the log's last sequence when it started. */
  constructor(log: ReadLog, clients: readonly LoadClient[], sequencesBefore: readonly number[]) {
    this.#log = log;
    for (const { entries } of clients) this.#add(entries, sequencesBefore);
  }

  /** Plays the whole log; fails at the first difference. */
  play(): void {
    this.#playOperators();
    let dueRecords: LogRecord[] = [];
    for (const record of this.#log.records.slice(SEED_RECORD_COUNT)) {
      if (record.kind >= Kind.roundAged) dueRecords.push(record);
      else {
        this.#playDue(dueRecords);
        dueRecords = [];
        if (this.model.sequence < record.sequence - OWN_RECORD_COUNT) this.#playAnswer(record);
      }
      for (const played of this.#unrecorded.get(record.sequence) ?? []) this.#compare(played, 0);
    }
    this.#playDue(dueRecords);
    expect(this.model.sequence).toBe(this.#log.shard.sequence - OWN_RECORD_COUNT);
  }

  /** Compares every account of these players, and the system's accounts, with the rebuilt state. */
  compareBalances(players: readonly string[]): void {
    const { shard } = this.#log;
    for (const operator of Object.keys(OPERATORS)) {
      for (const currency of CURRENCIES) {
        for (const player of players) {
          const expected = this.model.balances(operator, player, currency);
          expect(balancesIn(shard, { operator, player, currency })).toEqual(expected);
        }
        const { players: _sum, ...books } = this.model.totals(operator, currency);
        expect(booksIn(shard, operator, currency)).toEqual(books);
      }
    }
  }

  #add(entries: readonly JournalEntry[], sequencesBefore: readonly number[]): void {
    let lastSequence = 0;
    for (const { command, outcomes, run } of entries) {
      if (outcomes === undefined) throw new Error('the model is fed when all is answered');
      const played = { ...command, outcomes };
      const [{ recorded, sequence }] = outcomes;
      // Judged in its connection's order, by a run that had all of the log at its start.
      const place = Math.max(lastSequence, sequencesBefore[run]);
      if (recorded) this.#recorded.set(sequence, played);
      else if (isPlaceExact(played)) {
        this.#unrecorded.set(place, [...(this.#unrecorded.get(place) ?? []), played]);
      } else expectNotExecuted(played);
      for (const outcome of outcomes) lastSequence = Math.max(lastSequence, outcome.sequence);
    }
  }

  #playOperators(): void {
    const [{ timeMs }] = this.#log.records;
    for (const [operator, definition] of Object.entries(OPERATORS)) {
      const transaction = { operator, provider: '', kind: 'setOperator', transactionId: operator };
      expect(this.model.decide({ ...transaction, definition }, timeMs).code).toBe(0);
    }
  }

  /**
   * Records that time made, none of them between two others. The engine makes them in portions and
   * the model at once, so only the expiries, which move money, have the same order in both.
   */
  #playDue(records: readonly LogRecord[]): void {
    const last = records.at(-1);
    if (last === undefined) return;
    const events = this.model.advance(last.timeMs);
    const expired = records.filter(({ kind }) => kind === Kind.holdExpired);
    expect(expired.map(({ name, balances }) => ({ name, balances }))).toEqual(
      events
        .filter(({ kind }) => kind === 'holdExpired')
        .map((event) => ({ name: nameOf(event), balances: event.balances })),
    );
    const aged = records.filter(({ kind }) => kind === Kind.roundAged);
    const agedInModel = events.filter(({ kind }) => kind === 'roundAged');
    expect(aged.map(({ name }) => name).sort()).toEqual(agedInModel.map(nameOf).sort());
    expect(this.model.sequence).toBe(last.sequence - OWN_RECORD_COUNT);
  }

  #playAnswer({ sequence }: LogRecord): void {
    const played = this.#recorded.get(sequence);
    if (played === undefined) {
      throw new Error(`record ${sequence} is in the log, and no client was answered with it`);
    }
    this.#compare(played, played.outcomes[0].timeMs);
  }

  #compare({ isAtomic, transactions, outcomes }: Played, nowMs: number): void {
    const expected = isAtomic
      ? this.model.decideAtomic(transactions, nowMs)
      : transactions.map((transaction) => this.model.decide(transaction, nowMs));
    for (const [row, outcome] of outcomes.entries()) {
      const what = `${JSON.stringify(transactions[row])} at ${outcome.sequence}`;
      expect(comparable(outcome), what).toEqual(comparableOfModel(expected[row]));
    }
  }
}

/**
 * Whether only the sender's own doing led to an unrecorded answer. In a batch a bet that another
 * connection had frozen the account for would be the first refusal, and recorded.
 */
function isPlaceExact({ isAtomic, outcomes }: Played): boolean {
  return !isAtomic || outcomes.every(({ code }) => code === ResultCode.keyConflict);
}

/** One transaction of the batch names what does not exist, and nothing of it was executed. */
function expectNotExecuted({ outcomes }: Played): void {
  const codes = outcomes.map(({ code }) => code);
  const others = codes.filter((code) => code !== ResultCode.batchNotExecuted);
  expect(others.length, String(codes)).toBe(1);
  expect([ResultCode.betNotFound, ResultCode.holdNotFound]).toContain(others[0]);
}

/** An outcome without what differs between a first sending and a repeat. */
export function comparable(outcome: Outcome): object {
  const { code, noop, made, sequence, timeMs, balances, moved, previousStatus } = outcome;
  const status = code === 0 ? previousStatus : null;
  return { code, noop, made, sequence, timeMs, balances, moved, previousStatus: status };
}

function comparableOfModel(outcome: ModelOutcome): object {
  const { code, noop, made, sequence = 0, timeMs = 0, balances = null, moved = null } = outcome;
  return {
    code,
    noop,
    made,
    sequence: sequence === 0 ? 0 : sequence + OWN_RECORD_COUNT,
    timeMs,
    balances,
    moved,
    previousStatus: outcome.previousStatus ?? null,
  };
}

function balancesIn(
  shard: Shard,
  account: { readonly operator: string; readonly player: string; readonly currency: string },
): ReturnType<Model['balances']> {
  const { operator, player, currency } = account;
  const bytes = new TextEncoder().encode(player + currency);
  const source = { bytes, view: new DataView(bytes.buffer) };
  const number = shard.directory.operatorNumber(operator);
  const row = shard.findAccount(number, source, 0, player.length, player.length, currency.length);
  if (row < 0) return undefined;
  const { accounts } = shard;
  return {
    cash: accounts.cashMinor(row),
    bonus: accounts.bonusMinor(row),
    held: accounts.heldMinor(row),
    status: (['active', 'betLocked', 'frozen', 'closed'] as const)[accounts.status(row)],
  };
}

function booksIn(shard: Shard, operator: string, currency: string): Record<string, bigint> {
  const number = shard.directory.operatorNumber(operator);
  const place = CURRENCIES.indexOf(currency);
  const names = Object.entries(SystemAccount);
  return Object.fromEntries(
    names.map(([name, account]) => [name, shard.systemTotal(number, place, account)]),
  );
}

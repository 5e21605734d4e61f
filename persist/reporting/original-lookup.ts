// Finds the game and the round of records that do not name them: a rollback's are those of the bet
// or win that it takes back, a joining win's those of its bet, a closing by age's those of the
// round. First among the rows of the same snapshot, then in Postgres. Rare with most providers; one
// query a snapshot all the same. Belongs to the reporter's thread.
import type { ClientBase } from 'pg';
import { assert } from '../../core/assert.ts';
import { Kind } from '../../core/kinds.ts';
import { ResultCode } from '../../core/result-codes.ts';
import type { JournalBatch } from './journal-batch.ts';
import {
  findField,
  JournalField,
  JournalFlag,
  type JournalRow,
  setText,
  textOf,
} from './journal-row.ts';
import type { NotedRound, RoundChanges } from './round-changes.ts';
import { type RoundName, roundKeyFrom, roundKeyText } from './round-name.ts';

/** What a record that refers to another takes from it. */
interface Original {
  /** 0 for one that Postgres has: before all of this snapshot. */
  readonly sequence: number;
  readonly gameId: number;
  /** Null for a nameless round. */
  readonly round: string | null;
}

/** A row with what was found; `ended` is the round that it ends, if that was not known before. */
export interface ResolvedRow {
  readonly row: JournalRow;
  readonly ended: NotedRound | null;
}

// The record of the account with this id, or the newest accepted bet or win with a game in this
// round.
const FIND_ORIGINALS = `
  select wanted.number, original.game_id, original.round
  from unnest($1::integer[], $2::integer[], $3::integer[], $4::smallint[], $5::text[])
    as wanted (number, account_id, provider_id, kind, name)
  cross join lateral (
    select game_id, round from kassa.transactions
    where account_id = wanted.account_id
      and provider_id is not distinct from nullif(wanted.provider_id, 0)
      and case when wanted.kind = 0
        then round = wanted.name and game_id is not null and kind in (3, 4) and code = 0
        else transaction_id = wanted.name and kind = wanted.kind end
    order by sequence desc
    limit 1
  ) as original`;

const FIND_AGED = `
  select aged.number, opened.account_id, opened.provider_id, opened.round_key, opened.game_id
  from unnest($1::integer[], $2::smallint[], $3::bigint[]) as aged (number, shard, opened_sequence)
  join kassa.unfinished_rounds as opened using (shard, opened_sequence)`;

/** Fills in what the deferred rows of a batch lack; in their order. */
export async function resolveRows(
  client: ClientBase,
  journal: JournalBatch,
  rounds: RoundChanges,
): Promise<{ readonly rows: ResolvedRow[]; readonly agedRounds: RoundName[] }> {
  const { deferred } = journal;
  if (deferred.length === 0) return { rows: [], agedRounds: [] };
  const originals = originalsOf(journal);
  const own = new Set(deferred.filter(({ kind }) => isPlay(kind)).map((row) => nameOf(row)));
  const missing = deferred.filter((row) => {
    const wanted = wantedOf(row);
    if (wanted === null || own.has(wanted.key)) return false;
    return originals.find(wanted.key, row.sequence) === undefined;
  });
  await findMissing(client, missing, originals);
  const aged = await findAged(client, deferred, rounds);
  const rows = deferred.map((row): ResolvedRow => {
    if (row.kind === Kind.roundAged) return fillAged(row, aged.get(row));
    const wanted = wantedOf(row);
    const original = wanted === null ? undefined : originals.find(wanted.key, row.sequence);
    const resolved = fill(row, original);
    if (isPlay(row.kind)) {
      const { sequence, gameId } = row;
      const round = row.round.byteCount === 0 ? null : textOf(row.round);
      originals.add(nameOf(row), { sequence, gameId, round });
      if (round !== null && gameId > 0) {
        originals.add(roundNameOf(row, round), { sequence, gameId, round });
      }
    }
    return resolved;
  });
  return { rows, agedRounds: [...aged.values()] };
}

function fill(row: JournalRow, original: Original | undefined): ResolvedRow {
  const isJoined = (row.flags & JournalFlag.joined) !== 0;
  if (row.gameId === 0 && original !== undefined) row.gameId = original.gameId;
  if (row.kind === Kind.rollback) {
    if (original !== undefined && row.round.byteCount === 0) {
      setText(row.round, original.round ?? '');
    }
    return { row, ended: null };
  }
  // A win that does not join its bet's round, such as one on a refused bet, is not in it.
  if (!isJoined) return { row, ended: null };
  if (original !== undefined) setText(row.round, original.round ?? '');
  if ((row.flags & JournalFlag.roundEnd) === 0) return { row, ended: null };
  const hasName = row.round.byteCount > 0;
  const ended: NotedRound = hasName
    ? { sort: 'r', id: row.round }
    : { sort: 'b', id: row.reference };
  return { row, ended };
}

function fillAged(row: JournalRow, round: AgedRound | undefined): ResolvedRow {
  if (round !== undefined) {
    row.gameId = round.gameId;
    row.providerId = round.providerId;
    const sort = round.roundKey[0];
    setText(sort === 'r' ? row.round : row.reference, roundKeyText(round.roundKey.slice(1)));
    if (sort === 'w') row.flags |= JournalFlag.ofWin;
  }
  return { row, ended: null };
}

/** What a row looks for: a bet or win by its id, or (kind 0) a round. */
function wantedOf(row: JournalRow): { key: string; kind: number; name: string } | null {
  const { accountId, providerId } = row;
  if (row.reference.byteCount > 0) {
    const ofWin = row.kind === Kind.rollback && (row.flags & JournalFlag.ofWin) !== 0;
    const kind = ofWin ? Kind.win : Kind.bet;
    const name = textOf(row.reference);
    return { key: `${accountId} ${providerId} ${kind} ${name}`, kind, name };
  }
  if (row.round.byteCount === 0) return null;
  const name = textOf(row.round);
  return { key: roundNameOf(row, name), kind: 0, name };
}

function roundNameOf({ accountId, providerId }: JournalRow, round: string): string {
  return `${accountId} ${providerId} 0 ${round}`;
}

function nameOf({ accountId, providerId, kind, transactionId }: JournalRow): string {
  return `${accountId} ${providerId} ${kind} ${textOf(transactionId)}`;
}

function isPlay(kind: number): boolean {
  return kind === Kind.bet || kind === Kind.win;
}

/** What is known by each name, in the order of the log: only what stands before a row is for it. */
class Originals {
  readonly #byName = new Map<string, Original[]>();

  add(name: string, original: Original): void {
    const known = this.#byName.get(name);
    if (known === undefined) this.#byName.set(name, [original]);
    else known.splice(placeOf(known, original.sequence), 0, original);
  }

  /** The last one of the name before this sequence. */
  find(name: string, sequence: number): Original | undefined {
    const known = this.#byName.get(name);
    return known?.[placeOf(known, sequence) - 1];
  }
}

/** How many stand before this sequence. */
function placeOf(known: readonly Original[], sequence: number): number {
  let from = 0;
  let until = known.length;
  while (from < until) {
    const middle = (from + until) >>> 1;
    if (known[middle].sequence < sequence) from = middle + 1;
    else until = middle;
  }
  return from;
}

/** The bets and wins of the same snapshot and the same accounts, read back from their rows. */
function originalsOf(journal: JournalBatch): Originals {
  const originals = new Originals();
  const accounts = new Set(journal.deferred.map(({ accountId }) => accountId));
  const { bytes } = journal;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const start of journal.startsOf(accounts)) {
    const number = (field: number): number => {
      const [at, byteCount] = findField(view, start, field);
      if (byteCount < 0) return 0;
      if (byteCount === 8) return Number(view.getBigInt64(at));
      return byteCount === 2 ? view.getInt16(at) : view.getInt32(at);
    };
    const text = (field: number): string | null => {
      const [at, byteCount] = findField(view, start, field);
      return byteCount < 0 ? null : Buffer.from(bytes.subarray(at, at + byteCount)).toString();
    };
    const kind = number(JournalField.kind);
    if (!isPlay(kind)) continue;
    const original: Original = {
      sequence: number(JournalField.sequence),
      gameId: number(JournalField.gameId),
      round: text(JournalField.round),
    };
    const { gameId, round } = original;
    const isAccepted = number(JournalField.code) === ResultCode.ok;
    const owner = `${number(JournalField.accountId)} ${number(JournalField.providerId)}`;
    originals.add(`${owner} ${kind} ${text(JournalField.transactionId)}`, original);
    if (isAccepted && round !== null && gameId > 0) originals.add(`${owner} 0 ${round}`, original);
  }
  return originals;
}

async function findMissing(
  client: ClientBase,
  missing: readonly JournalRow[],
  originals: Originals,
): Promise<void> {
  if (missing.length === 0) return;
  const wanted = missing.map((row) => {
    const found = wantedOf(row);
    assert(found !== null, 'a row that misses its original says which it is');
    return { ...found, accountId: row.accountId, providerId: row.providerId };
  });
  const { rows } = await client.query<{ number: number; game_id: number | null; round: string }>(
    FIND_ORIGINALS,
    [
      wanted.map((_, number) => number),
      wanted.map(({ accountId }) => accountId),
      wanted.map(({ providerId }) => providerId),
      wanted.map(({ kind }) => kind),
      wanted.map(({ name }) => name),
    ],
  );
  for (const { number, game_id, round } of rows) {
    const { key } = wanted[number];
    originals.add(key, { sequence: 0, gameId: game_id ?? 0, round });
  }
}

interface AgedRound extends RoundName {
  readonly gameId: number;
}

/** The rounds that were closed by age: opened in this snapshot, or known to Postgres. */
async function findAged(
  client: ClientBase,
  deferred: readonly JournalRow[],
  rounds: RoundChanges,
): Promise<Map<JournalRow, AgedRound>> {
  const found = new Map<JournalRow, AgedRound>();
  const aged = deferred.filter(({ kind }) => kind === Kind.roundAged);
  assert(aged.length === rounds.aged.length, 'each closing by age has a row');
  const numbers: number[] = [];
  for (const [number, opened] of rounds.takeOpened(rounds.aged).entries()) {
    if (opened === undefined) numbers.push(number);
    else found.set(aged[number], opened);
  }
  if (numbers.length === 0) return found;
  const { rows } = await client.query<{
    number: number;
    account_id: number;
    provider_id: number;
    round_key: string;
    game_id: number | null;
  }>(FIND_AGED, [
    numbers,
    numbers.map((number) => rounds.aged[number].shard),
    numbers.map((number) => rounds.aged[number].openedSequence),
  ]);
  for (const row of rows) {
    const round: AgedRound = {
      accountId: row.account_id,
      providerId: row.provider_id,
      roundKey: roundKeyFrom(row.round_key),
      gameId: row.game_id ?? 0,
    };
    rounds.forget(round);
    found.set(aged[row.number], round);
  }
  return found;
}

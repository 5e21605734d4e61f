// The journal as it has to be, made from what was sent and what the model answered: rows by their
// sequence, with the game and the round that each counts in. The rules, apart from the reporter's
// code (REPORTING.md): what names no game counts in that of the bet or win that it refers to; else,
// if it names a round, in that of the round's last accepted bet or win before it. Tests only.
import { kindNumber } from '../../../core/kinds.ts';
import type { ModelEvent, ModelOutcome, ModelTransaction } from '../../model/model-transaction.ts';

/** One row; money in minor units, in the order cash, bonus, held. */
export interface ExpectedRow {
  readonly sequence: number;
  readonly timeMs: number;
  readonly kind: number;
  readonly code: number;
  readonly isReceived: boolean;
  readonly isNoop: boolean;
  readonly ofWin: boolean;
  readonly operator: string;
  readonly player: string | null;
  readonly currency: string | null;
  readonly provider: string | null;
  readonly game: string | null;
  readonly round: string | null;
  readonly transactionId: string | null;
  readonly reference: string | null;
  readonly amount: number | null;
  readonly moved: readonly [cash: number, bonus: number, held: number];
  readonly after: readonly [cash: number, bonus: number, held: number];
  readonly metadata: string | null;
}

/** A bet or win that others may refer to. */
interface Original {
  readonly isAccepted: boolean;
  readonly game: string | null;
  /** The round that it stands in, null for a nameless one. */
  readonly round: string | null;
}

/** What may have opened a round: an accepted bet, or a win that did not join a bet's round. */
interface Opener {
  readonly isWin: boolean;
  /** That it named itself. */
  readonly game: string | null;
  readonly round: string | null;
  isEnded: boolean;
}

type Bare = Omit<
  ExpectedRow,
  'game' | 'round' | 'transactionId' | 'reference' | 'amount' | 'metadata'
>;

/** Rows in the order of their sequences, a receiver's behind the sender's. */
export class ExpectedJournal {
  readonly rows: ExpectedRow[] = [];
  readonly #originals = new Map<string, Original>();
  readonly #roundGames = new Map<string, string>();
  /** By owner and transaction id: a bet and a win may have the same. */
  readonly #openers = new Map<string, Opener[]>();

  /** Adds a recorded outcome; `receiverCash` is the other side's cash after a transfer. */
  add(transaction: ModelTransaction, outcome: ModelOutcome, receiverCash: number): void {
    const { kind, operator, player, currency, provider } = transaction;
    const { balances, moved } = outcome;
    const amount = transaction.amount ?? null;
    const isAccepted = outcome.code === 0;
    const cash = moved?.cash ?? 0;
    const bare: Bare = {
      sequence: outcome.sequence ?? 0,
      timeMs: outcome.timeMs ?? 0,
      kind: kindNumber(kind),
      code: outcome.code,
      isReceived: false,
      isNoop: outcome.noop,
      ofWin: kind === 'rollback' && transaction.of === 'win',
      operator,
      player: player ?? null,
      currency: currency ?? null,
      provider: provider === '' ? null : provider,
      moved: [cash, moved?.bonus ?? 0, isAccepted ? heldMoved(kind, amount ?? 0) : 0],
      after: [balances?.cash ?? 0, balances?.bonus ?? 0, balances?.held ?? 0],
    };
    const texts = {
      transactionId: transaction.transactionId,
      reference: transaction.reference || null,
      metadata: transaction.metadata || null,
    };
    const row = { ...bare, ...texts, ...this.#playOf(transaction, isAccepted), amount };
    this.rows.push(row);
    if (kind !== 'transfer' || !isAccepted) return;
    const received = { isReceived: true, player: transaction.to ?? null };
    this.rows.push({
      ...row,
      ...received,
      moved: [amount ?? 0, 0, 0],
      after: [receiverCash, 0, 0],
    });
  }

  /** Adds what time made. */
  addEvent(event: ModelEvent): void {
    const { balances, amount } = event;
    const isHold = event.kind === 'holdExpired';
    const round = event.round === '' ? null : event.round;
    const account = accountOf(event.operator, event.player, event.currency);
    const opener = isHold ? undefined : this.#takeOpener(`${account} ${event.provider}`, event);
    this.rows.push({
      sequence: event.sequence,
      timeMs: event.timeMs,
      kind: isHold ? 33 : 32,
      code: 0,
      isReceived: false,
      isNoop: false,
      ofWin: opener?.isWin === true && round === null,
      operator: event.operator,
      player: event.player,
      currency: event.currency,
      provider: event.provider,
      game: opener?.game ?? null,
      round,
      transactionId: null,
      reference: isHold || round !== null ? null : event.transactionId,
      amount: null,
      moved: isHold ? [amount, 0, -amount] : [0, 0, 0],
      after: [balances.cash, balances.bonus, balances.held],
      metadata: null,
    });
  }

  #noteOpener(
    { kind, transactionId, reference, game, roundEnd }: ModelTransaction,
    place: { readonly owner: string; readonly round: string | null; readonly isJoined: boolean },
  ): void {
    const { owner, round, isJoined } = place;
    const key = `${owner} ${isJoined ? reference : transactionId}`;
    const openers = this.#openers.get(key) ?? [];
    this.#openers.set(key, openers);
    const isEnded = roundEnd === true;
    if (!isJoined) {
      openers.push({ isWin: kind === 'win', game: game || null, round, isEnded });
      return;
    }
    const bet = openers.find((one) => !one.isWin);
    if (isEnded && bet !== undefined) bet.isEnded = true;
  }

  /** Takes the opener of a round that is closed by age: the first of its id that is still open. */
  #takeOpener(owner: string, { transactionId, round }: ModelEvent): Opener | undefined {
    const name = round === '' ? null : round;
    const openers = this.#openers.get(`${owner} ${transactionId}`) ?? [];
    const opener = openers.find((one) => one.round === name && !one.isEnded);
    if (opener !== undefined) opener.isEnded = true;
    return opener;
  }

  /** The game and the round that a transaction counts in. */
  #playOf(
    transaction: ModelTransaction,
    isAccepted: boolean,
  ): { game: string | null; round: string | null } {
    const { kind, operator, player = '', currency = '', provider, reference } = transaction;
    const account = accountOf(operator, player, currency);
    const owner = `${account} ${provider}`;
    const named = transaction.round || null;
    const target = transaction.of === 'win' ? 'win' : 'bet';
    const original = reference
      ? this.#originals.get(`${owner} ${kind === 'rollback' ? target : 'bet'} ${reference}`)
      : undefined;
    let game = transaction.game || null;
    let round = named;
    if (isAccepted && kind === 'win') {
      if (original?.isAccepted) round = original.round;
      if (!reference && round !== null) game ??= this.#roundGames.get(`${owner} ${round}`) ?? null;
    }
    if (isAccepted && (kind === 'win' || kind === 'rollback')) game ??= original?.game ?? null;
    if (isAccepted && kind === 'rollback') round ??= original?.round ?? null;
    if (kind === 'bet' || kind === 'win') {
      const id = transaction.transactionId;
      this.#originals.set(`${owner} ${kind} ${id}`, { isAccepted, game, round });
      if (isAccepted && round !== null && game !== null) {
        this.#roundGames.set(`${owner} ${round}`, game);
      }
      const isJoined = kind === 'win' && original?.isAccepted === true;
      if (isAccepted) this.#noteOpener(transaction, { owner, round, isJoined });
    }
    return { game, round };
  }
}

function accountOf(operator: string, player: string, currency: string): string {
  return JSON.stringify([operator, player, currency]);
}

function heldMoved(kind: string, amount: number): number {
  if (kind === 'hold') return amount;
  return kind === 'capture' || kind === 'release' ? -amount : 0;
}

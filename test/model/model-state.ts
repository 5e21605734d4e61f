// The state of the model: operators, and for each player of an operator everything that is known of
// that player, in plain Maps of plain objects. A player's part can be cloned whole, which is how an
// atomic batch is undone. Money is bigint, so that no sum is ever rounded. Used by tests only.

import type { AccountStatus, ModelOutcome, ModelTransaction } from './model-transaction.ts';

/** An operator with every policy filled in. */
export interface ModelOperator {
  currencies: Map<string, number>;
  bucketOrder: 'cashFirst' | 'bonusFirst';
  winNeedsBet: boolean;
  unknownBetRollback: 'refuse' | 'noop' | 'error';
  spentWinRollback: 'reject' | 'negative';
  roundAgeMs: number;
  holdExpiryMaxMs: number;
}

/** One player's wallet in one currency. */
export interface ModelAccount {
  status: AccountStatus;
  cash: bigint;
  bonus: bigint;
  held: bigint;
}

/** A recorded bet or win, rejected ones too: what rollbacks and wins that name it look at. */
export interface ModelOriginal {
  accepted: boolean;
  amount: bigint;
  currency: string;
  /** The round that it named, '' if none. */
  roundNamed: string;
  /** The round that it stands in; '' if it was rejected. */
  roundKey: string;
  cash: bigint;
  bonus: bigint;
}

/** One play of a game. `bets` counts all that it ever had, `live…` what was not rolled back. */
export interface ModelRound {
  provider: string;
  currency: string;
  name: string;
  openedBy: string;
  openedAtMs: number;
  order: number;
  closed: 'no' | 'byFlag' | 'byAge';
  bets: number;
  liveBets: number;
  liveCash: bigint;
  liveBonus: bigint;
  /** Wins above 0 that were not rolled back. */
  liveWins: number;
}

/** An accepted hold and what is left of it. */
export interface ModelHold {
  provider: string;
  currency: string;
  transactionId: string;
  remaining: bigint;
  dueMs: number | undefined;
  order: number;
}

/**
 * Everything known of one player of one operator. Reversals stand under the key of their target.
 */
export interface ModelPlayer {
  operator: string;
  id: string;
  accounts: Map<string, ModelAccount>;
  known: Map<string, { body: string; outcome: ModelOutcome }>;
  originals: Map<string, ModelOriginal>;
  reversals: Map<string, 'done' | 'refuse' | 'noop'>;
  rounds: Map<string, ModelRound>;
  holds: Map<string, ModelHold>;
}

/** The names of the accounts on the other side of every posting. */
export type SystemAccount = 'house' | 'cashier' | 'bonusFund' | 'adjustments' | 'transit';

/** The balances of the system accounts of one operator and currency. */
export type SystemBooks = Record<SystemAccount, bigint>;

/** The whole state of one shard. */
export class ModelState {
  readonly retentionMs: number;
  readonly operators: Map<string, ModelOperator> = new Map();
  readonly players: Map<string, ModelPlayer> = new Map();
  books: Map<string, SystemBooks> = new Map();
  sequence = 0;
  lastTimeMs = 0;
  createdCount = 0;
  /** Nothing expires or ages before this time: spares a search through all rounds each time. */
  nothingDueBeforeMs = 0;

  constructor(retentionMs: number) {
    this.retentionMs = retentionMs;
  }

  /** Everything known of a player; an empty one is made on the first look. */
  player(operator: string, player: string): ModelPlayer {
    const name = JSON.stringify([operator, player]);
    const found = this.players.get(name) ?? {
      operator,
      id: player,
      accounts: new Map(),
      known: new Map(),
      originals: new Map(),
      reversals: new Map(),
      rounds: new Map(),
      holds: new Map(),
    };
    this.players.set(name, found);
    return found;
  }

  /** The system accounts of an operator's currency. */
  booksOf(operator: string, currency: string): SystemBooks {
    const name = JSON.stringify([operator, currency]);
    const found = this.books.get(name) ?? {
      house: 0n,
      cashier: 0n,
      bonusFund: 0n,
      adjustments: 0n,
      transit: 0n,
    };
    this.books.set(name, found);
    return found;
  }
}

/**
 * The key of a transaction among those of its player: provider, kind (with `of`) and id (rule 1).
 */
export function keyOf(transaction: ModelTransaction): string {
  const { kind, transactionId } = transaction;
  if (kind === 'setOperator') {
    return JSON.stringify(['', kind, transactionId]);
  }
  const ofWin = kind === 'rollback' && transaction.of === 'win';
  return targetKey(transaction.provider, ofWin ? 'rollbackOfWin' : kind, transactionId);
}

/** The key under which the named transaction of a player stands. */
export function targetKey(provider: string, kind: string, transactionId: string): string {
  return JSON.stringify([provider, kind, transactionId]);
}

// What goes into the model and what comes out of it, as plain objects. The engine's own forms
// (columns, frames, records) are left to whoever compares the two. Used by tests only.

/** The settings of an operator that a `setOperator` transaction names; what it leaves out stays. */
export interface OperatorDefinition {
  /** Currencies and their exponents; they are only ever added. */
  currencies?: Record<string, number>;
  bucketOrder?: 'cashFirst' | 'bonusFirst';
  winNeedsBet?: boolean;
  unknownBetRollback?: 'refuse' | 'noop' | 'error';
  spentWinRollback?: 'reject' | 'negative';
  roundAgeMs?: number;
  holdExpiryMaxMs?: number;
}

/** The four states of an account (rule 32). */
export type AccountStatus = 'active' | 'betLocked' | 'frozen' | 'closed';

/**
 * One transaction as a sender would write it; amounts are in minor units, times in milliseconds.
 */
export interface ModelTransaction {
  operator: string;
  provider: string;
  player?: string;
  kind: string;
  transactionId: string;
  currency?: string;
  amount?: number;
  round?: string;
  roundEnd?: boolean;
  reference?: string;
  of?: 'bet' | 'win';
  game?: string;
  stakeless?: boolean;
  to?: string;
  bucket?: 'cash' | 'bonus';
  reason?: string;
  expiresIn?: number;
  status?: AccountStatus;
  definition?: OperatorDefinition;
  metadata?: string;
  sentAt?: number;
}

/** The three buckets of an account, in minor units; cash and bonus may be below zero. */
export interface BucketAmounts {
  cash: number;
  bonus: number;
  held: number;
}

/**
 * The answer to one transaction. `recorded` says that the outcome is a record of the log (a
 * repeat's first outcome is one). Without a record there are no balances, no sequence and no time.
 * `moved` is the signed change of the account's cash and bonus; a transfer's is the sender's.
 */
export interface ModelOutcome {
  code: number;
  recorded: boolean;
  replay: boolean;
  noop: boolean;
  made: boolean;
  previousStatus?: AccountStatus;
  sequence?: number;
  timeMs?: number;
  balances?: BucketAmounts;
  moved?: { cash: number; bonus: number };
}

/** A record that time made: a hold that expired or a round that was closed by age. */
export interface ModelEvent {
  kind: 'holdExpired' | 'roundAged';
  operator: string;
  provider: string;
  player: string;
  currency: string;
  /** The hold's transaction id, or the id of the transaction that opened the round. */
  transactionId: string;
  /** The round's id; '' for a nameless round and for a hold. */
  round: string;
  /** What went from held back to cash; 0 for a round. */
  amount: number;
  sequence: number;
  timeMs: number;
  balances: BucketAmounts;
}

// Short ways to write the transactions that the rules' tests send. Used by tests only.
import type { Draft } from '../../model/model-stage.ts';

/** A bet of 10 under an id. */
export function bet(transactionId: string, rest: Partial<Draft> = {}): Draft {
  return { kind: 'bet', amount: 10, transactionId, ...rest };
}

/** A win of 7; the case names its round or reference. */
export function win(rest: Partial<Draft>): Draft {
  return { kind: 'win', amount: 7, ...rest };
}

/** A rollback of what has the id. */
export function rollback(reference: string, rest: Partial<Draft> = {}): Draft {
  return { kind: 'rollback', reference, ...rest };
}

/** A transaction of a kind that has an amount and nothing else. */
export function move(kind: string, amount: number, rest: Partial<Draft> = {}): Draft {
  return { kind, amount, ...rest };
}

/** An adjust of cash, or of what the rest says. */
export function adjust(amount: number, rest: Partial<Draft> = {}): Draft {
  return { kind: 'adjust', amount, reason: 'ticket 1', ...rest };
}

/** A change of an account's status. */
export function setStatus(
  status: 'active' | 'betLocked' | 'frozen' | 'closed',
  rest: Partial<Draft> = {},
): Draft {
  return { kind: 'setStatus', status, ...rest };
}

// The table "Money moved" of the wallet's rules, row by row: the refusals of a kind are judged in
// the row's order. Each case makes all refusals of a row apply, and takes them away one by one.
import { describe, expect, test } from 'vitest';
import { ResultCode as Code } from '../../../core/result-codes.ts';
import type { Draft } from '../../model/model-stage.ts';
import { EngineStage } from '../../support/engine-stage.ts';
import { adjust, bet, move, rollback, setStatus, win } from './drafts.ts';

const MAX = Number.MAX_SAFE_INTEGER;

interface Row {
  readonly policies?: object;
  readonly before: readonly Draft[];
  /** The transaction that all refusals apply to; it gets a new id each time. */
  readonly draft: Draft;
  /** Each refusal with what takes it away. */
  readonly steps: readonly (readonly [code: number, remedy: readonly Draft[]])[];
}

const rows: Readonly<Record<string, Row>> = {
  'deposit: status, overflow': {
    before: [adjust(MAX), setStatus('frozen')],
    draft: move('deposit', 1),
    steps: [
      [Code.accountFrozen, [setStatus('betLocked')]],
      [Code.accountBetLocked, [setStatus('active')]],
      [Code.overflow, [adjust(-1)]],
    ],
  },
  'withdraw: account_closed, account_frozen, insufficient_funds': {
    before: [setStatus('closed')],
    draft: move('withdraw', 1),
    steps: [
      [Code.accountClosed, [setStatus('frozen')]],
      [Code.accountFrozen, [setStatus('betLocked')]],
      [Code.insufficientFunds, [adjust(1)]],
    ],
  },
  'bet: status, round_closed, insufficient_funds': {
    before: [bet('0', { amount: 0, round: 'r', roundEnd: true }), setStatus('closed')],
    draft: bet('', { round: 'r' }),
    steps: [
      [Code.accountClosed, [setStatus('active')]],
      [Code.roundClosed, []],
    ],
  },
  'bet: status, insufficient_funds, overflow': {
    // The live stake of the round is at its bound, and the cash is spent.
    before: [
      adjust(MAX),
      bet('0', { amount: MAX - 5, round: 'r' }),
      bet('1', { amount: 5, round: 'r' }),
      adjust(-1),
      setStatus('betLocked'),
    ],
    draft: bet('', { amount: 1, round: 'r' }),
    steps: [
      [Code.accountBetLocked, [setStatus('active')]],
      [Code.insufficientFunds, [adjust(2)]],
      [Code.overflow, [rollback('1')]],
    ],
  },
  'win: bet_not_found': {
    before: [],
    draft: win({ reference: 'b', round: 'else' }),
    steps: [
      [Code.betNotFound, [bet('b', { amount: 0, round: 'r' }), rollback('b')]],
      [Code.referenceMismatch, []],
    ],
  },
  'win: bet_rolled_back before round_closed': {
    before: [
      bet('b', { amount: 0, round: 'r' }),
      rollback('b'),
      bet('e', { amount: 0, round: 'r', roundEnd: true }),
    ],
    draft: win({ reference: 'b' }),
    steps: [[Code.betRolledBack, []]],
  },
  'win: round_closed before overflow': {
    before: [adjust(MAX), bet('b', { amount: 0, round: 'r', roundEnd: true })],
    draft: win({ reference: 'b' }),
    steps: [[Code.roundClosed, []]],
  },
  'win: overflow': {
    before: [adjust(MAX), bet('b', { amount: 0, round: 'r' })],
    draft: win({ reference: 'b' }),
    steps: [[Code.overflow, [adjust(-7)]]],
  },
  'rollback of a bet: bet_not_found, reference_mismatch, already_rolled_back': {
    policies: { unknownBetRollback: 'error' },
    before: [],
    draft: rollback('b', { amount: 1 }),
    steps: [
      [Code.betNotFound, [bet('b', { amount: 0 }), rollback('b')]],
      [Code.referenceMismatch, []],
    ],
  },
  'rollback of a bet: bet_settled, overflow': {
    before: [
      adjust(10),
      bet('b', { round: 'r' }),
      win({ round: 'r', transactionId: 'w', amount: 5 }),
      adjust(MAX - 5),
    ],
    draft: rollback('b'),
    steps: [
      [Code.betSettled, [rollback('w', { of: 'win' })]],
      [Code.overflow, [adjust(-10)]],
    ],
  },
  'rollback of a win: bet_not_found, reference_mismatch': {
    before: [bet('b', { amount: 0, round: 'r' })],
    draft: rollback('w', { of: 'win', amount: 8 }),
    steps: [
      [Code.betNotFound, [win({ round: 'r', transactionId: 'w' }), adjust(-1)]],
      [Code.referenceMismatch, []],
    ],
  },
  'rollback of a win: already_rolled_back before balance_spent': {
    before: [
      bet('b', { amount: 0, round: 'r' }),
      win({ round: 'r', transactionId: 'w' }),
      rollback('w', { of: 'win' }),
    ],
    draft: rollback('w', { of: 'win' }),
    steps: [[Code.alreadyRolledBack, []]],
  },
  'rollback of a win: balance_spent': {
    before: [
      bet('b', { amount: 0, round: 'r' }),
      win({ round: 'r', transactionId: 'w' }),
      adjust(-1),
    ],
    draft: rollback('w', { of: 'win' }),
    steps: [[Code.balanceSpent, [adjust(1)]]],
  },
  'rollback of a win: overflow': {
    policies: { spentWinRollback: 'negative' },
    before: [
      bet('b', { amount: 0, round: 'r' }),
      win({ round: 'r', transactionId: 'w' }),
      adjust(-MAX),
      adjust(-7),
    ],
    draft: rollback('w', { of: 'win' }),
    steps: [[Code.overflow, [adjust(10)]]],
  },
  'hold: account_closed, account_frozen, insufficient_funds': {
    before: [setStatus('closed')],
    draft: move('hold', 1),
    steps: [
      [Code.accountClosed, [setStatus('frozen')]],
      [Code.accountFrozen, [setStatus('betLocked')]],
      [Code.insufficientFunds, [adjust(1)]],
    ],
  },
  'capture: hold_not_found, exceeds_hold': {
    before: [adjust(5)],
    draft: move('capture', 2, { reference: 'h' }),
    steps: [
      [Code.holdNotFound, [move('hold', 1, { transactionId: 'h' })]],
      [Code.exceedsHold, []],
    ],
  },
  'release: hold_finished before exceeds_hold': {
    before: [
      adjust(5),
      move('hold', 1, { transactionId: 'h' }),
      move('capture', 1, { reference: 'h' }),
    ],
    draft: move('release', 2, { reference: 'h' }),
    steps: [[Code.holdFinished, []]],
  },
  'transfer: account_closed, account_frozen, insufficient_funds, receiver_refused': {
    before: [setStatus('closed'), setStatus('frozen', { player: 'bob' })],
    draft: move('transfer', 1, { to: 'bob' }),
    steps: [
      [Code.accountClosed, [setStatus('frozen')]],
      [Code.accountFrozen, [setStatus('active')]],
      [Code.insufficientFunds, [adjust(1)]],
      [Code.receiverRefused, [setStatus('active', { player: 'bob' })]],
    ],
  },
  'grant: account_closed, overflow': {
    before: [setStatus('closed'), adjust(MAX)],
    draft: move('grant', 1),
    steps: [
      [Code.accountClosed, [setStatus('frozen')]],
      [Code.overflow, [adjust(-1)]],
    ],
  },
  'convert: account_closed, insufficient_funds': {
    before: [setStatus('closed')],
    draft: move('convert', 1),
    steps: [
      [Code.accountClosed, [setStatus('frozen')]],
      [Code.insufficientFunds, [adjust(1, { bucket: 'bonus' })]],
    ],
  },
  'forfeit: account_closed, insufficient_funds': {
    before: [setStatus('closed')],
    draft: move('forfeit', 1),
    steps: [
      [Code.accountClosed, [setStatus('frozen')]],
      [Code.insufficientFunds, [adjust(1, { bucket: 'bonus' })]],
    ],
  },
  'adjust: overflow, on any status': {
    before: [setStatus('closed'), adjust(MAX)],
    draft: adjust(1, { bucket: 'bonus' }),
    steps: [[Code.overflow, [adjust(-1)]]],
  },
};

describe('Money moved: refusals in the row’s order', () => {
  test.each(Object.entries(rows))('%s', (_, { policies, before, draft, steps }) => {
    const stage = new EngineStage(policies);
    expect(stage.sendAll(before).map(({ code }) => code)).toEqual(before.map(() => Code.ok));
    let tries = 0;
    const tryAgain = (): number => {
      tries += 1;
      return stage.send({ ...draft, transactionId: `try-${tries}` }).code;
    };
    for (const [code, remedy] of steps) {
      expect(tryAgain()).toBe(code);
      expect(stage.sendAll(remedy).map((one) => one.code)).toEqual(remedy.map(() => Code.ok));
    }
    const [, lastRemedy] = steps[steps.length - 1];
    if (lastRemedy.length > 0) expect(tryAgain()).toBe(Code.ok);
  });

  test('bet: bet_rolled_back comes before status and closed rounds', () => {
    const stage = new EngineStage();
    stage.codes(bet('0', { amount: 0, round: 'r', roundEnd: true }), rollback('b'));
    stage.send(setStatus('closed'));
    expect(stage.codes(bet('b', { round: 'r' }))).toEqual([Code.betRolledBack]);
  });

  test('before all: form, then the key, then the account', () => {
    const stage = new EngineStage().fund({ cash: 10 });
    stage.codes(bet('b'));
    const long = 'x'.repeat(65);
    expect(
      stage.codes(
        { ...bet('b'), kind: 'bett', amount: -1 },
        bet('b', { amount: -1, reference: 'x', round: long }),
        bet('b', { amount: -1, round: long, metadata: 'x'.repeat(300) }),
        bet('b', { amount: -1, metadata: 'x'.repeat(300), operator: 'nobody' }),
        bet('b', { metadata: 'x'.repeat(300), operator: 'nobody' }),
        bet('b', { operator: 'nobody', currency: 'GBP', sentAt: 1 }),
        bet('b', { currency: 'GBP', sentAt: 1, amount: 11 }),
        bet('b', { sentAt: 1, amount: 11 }),
        bet('b', { amount: 11 }),
        bet('c', { player: 'eve', amount: 11 }),
      ),
    ).toEqual([43, 40, 44, 41, 47, 45, 42, 49, 46, 11]);
  });
});

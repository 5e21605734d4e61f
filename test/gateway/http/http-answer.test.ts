// The HTTP status of each result code, and JSON bodies as the frames that they become.
import { Unpackr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { ResultCode } from '../../../core/result-codes.ts';
import { httpStatusOf } from '../../../gateway/http/http-answer.ts';
import { requestOfJson } from '../../../gateway/http/json-transaction.ts';

const unpackr = new Unpackr({ useRecords: false });

const STATUSES: Readonly<Record<keyof typeof ResultCode, number>> = {
  ok: 200,
  insufficientFunds: 409,
  accountNotFound: 404,
  accountBetLocked: 409,
  accountFrozen: 409,
  accountClosed: 409,
  roundClosed: 409,
  betNotFound: 404,
  betRolledBack: 409,
  alreadyRolledBack: 409,
  betSettled: 409,
  balanceSpent: 409,
  referenceMismatch: 409,
  holdNotFound: 404,
  holdFinished: 409,
  exceedsHold: 409,
  limitReached: 409,
  overflow: 409,
  batchAborted: 409,
  accountNotEmpty: 409,
  receiverRefused: 409,
  malformed: 400,
  amountOutOfRange: 400,
  unknownCurrency: 400,
  unknownKind: 400,
  idTooLong: 400,
  forbidden: 403,
  keyConflict: 409,
  tooLarge: 400,
  batchNotExecuted: 400,
  tooOld: 400,
  overloaded: 503,
  starting: 503,
  stopping: 503,
  clockUnsure: 503,
  diskReserve: 503,
};

describe('a status', () => {
  it.each(Object.entries(STATUSES))('of %s is %i', (name, status) => {
    expect(httpStatusOf(ResultCode[name as keyof typeof ResultCode])).toBe(status);
  });
});

function transactionOf(fields: Record<string, unknown>): unknown[] {
  const request = requestOfJson(fields);
  if (request === undefined) throw new Error('a request');
  expect(request.isSingle).toBe(true);
  return unpackr.unpack(request.frame)[2][0];
}

describe('a JSON transaction', () => {
  const none = null;

  it('becomes its positional array', () => {
    const fields = {
      ...{ kind: 'win', transactionId: 't', player: 'p', currency: 'EUR', amount: 2 ** 53 - 1 },
      ...{ round: 'r', roundEnd: true, stakeless: true, reference: 'b', game: 'g' },
      ...{ metadata: 'm', sentAt: 5, of: 'win', provider: 's' },
    };
    const options = { of: 'win', provider: 's' };
    const elements = [4, 't', 'p', 'EUR', 2 ** 53 - 1, 'r', 3, 'b', 'g', 'm', 5, options];
    expect(transactionOf(fields)).toEqual(elements);
  });

  it('has a definition as its text', () => {
    const [, , , , , , , , , , , options] = transactionOf({
      kind: 'setOperator',
      definition: { a: 1 },
    });
    expect(options).toEqual({ definition: '{"a":1}' });
  });

  it.each<[string, Record<string, unknown>, number]>([
    ['a kind that is a number', { kind: 3 }, 0],
    ['an id that is an object', { transactionId: {} }, 1],
    ['a player with a lone surrogate', { player: '\udfff' }, 2],
    ['a flag that is a text', { roundEnd: 'true' }, 6],
    ['a flag that is 1', { stakeless: 1 }, 6],
    ['an unknown name', { rond: 'r' }, 11],
    ['a definition that is a text', { definition: '{}' }, 11],
  ])('%s becomes an element that the decoder refuses', (_, fields, place) => {
    const element = transactionOf(fields)[place];
    const value =
      place === 11 && typeof element === 'object' ? Object.values(Object(element)) : [element];
    expect(value).toEqual([true]);
  });

  it('absent, null and false are the same', () => {
    const absent = transactionOf({ kind: 'bet' });
    expect(transactionOf({ kind: 'bet', round: null, roundEnd: false })).toEqual(absent);
    expect(absent.slice(1)).toEqual([
      none,
      none,
      none,
      none,
      none,
      0,
      none,
      none,
      none,
      none,
      none,
    ]);
  });

  it.each<[string, unknown]>([
    ['a text', 'bet'],
    ['null', null],
    ['a list', []],
    ['transactions that are no list', { transactions: {} }],
    ['atomic that is no boolean', { transactions: [], atomic: 1 }],
    ['atomic without transactions', { kind: 'bet', atomic: true }],
    ['a field beside transactions', { transactions: [], kind: 'bet' }],
  ])('%s is no request', (_, body) => {
    expect(requestOfJson(body)).toBeUndefined();
  });

  it('a batch is atomic only where it says so', () => {
    const type = (body: unknown): number =>
      unpackr.unpack(requestOfJson(body)?.frame ?? Buffer.from([0]))[0];
    expect(type({ transactions: [{}] })).toBe(1);
    expect(type({ transactions: [{}], atomic: false })).toBe(1);
    expect(type({ transactions: [{}], atomic: true })).toBe(2);
  });
});

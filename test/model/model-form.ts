// What is judged before a transaction's key: kind, fields, ids, amount, sizes, operator, currency
// and the sender's time, in that order. None of these answers is an outcome (rule 9). Used by tests
// only.

import { ResultCode } from '../../core/result-codes.ts';
import { isDefinitionRight } from './model-definition.ts';
import type { ModelState } from './model-state.ts';
import type { ModelTransaction } from './model-transaction.ts';

type FieldName = keyof ModelTransaction;

const idBytesMax = 64;
const metadataBytesMax = 256;
const dayMs = 86_400_000;

const always: readonly FieldName[] = [
  'operator',
  'provider',
  'kind',
  'transactionId',
  'metadata',
  'sentAt',
];
const account: readonly FieldName[] = ['player', 'currency'];
const money: readonly FieldName[] = [...account, 'amount'];

const forms = new Map<string, { required: readonly FieldName[]; optional: readonly FieldName[] }>([
  ['deposit', { required: money, optional: [] }],
  ['withdraw', { required: money, optional: [] }],
  ['bet', { required: money, optional: ['round', 'roundEnd', 'game'] }],
  ['win', { required: money, optional: ['round', 'roundEnd', 'reference', 'game', 'stakeless'] }],
  [
    'rollback',
    { required: [...account, 'reference'], optional: ['of', 'amount', 'round', 'game'] },
  ],
  ['hold', { required: money, optional: ['expiresIn'] }],
  ['capture', { required: [...money, 'reference'], optional: [] }],
  ['release', { required: [...money, 'reference'], optional: [] }],
  ['transfer', { required: [...money, 'to'], optional: [] }],
  ['grant', { required: money, optional: [] }],
  ['convert', { required: money, optional: [] }],
  ['forfeit', { required: money, optional: [] }],
  ['adjust', { required: [...money, 'reason'], optional: ['bucket'] }],
  ['open', { required: account, optional: [] }],
  ['setStatus', { required: [...account, 'status'], optional: ['reason'] }],
  ['setOperator', { required: ['definition'], optional: [] }],
]);

/** Kinds that an atomic batch cannot hold (rule 30). */
const neverInBatch: readonly string[] = ['transfer', 'open', 'setStatus', 'setOperator'];

/** What the form is judged against; `batchOf` is the first transaction of an atomic batch. */
export interface FormConditions {
  readonly state: ModelState;
  readonly nowMs: number;
  readonly batchOf?: ModelTransaction;
}

/** The first fault of the transaction's form, or ok. */
export function formCode(transaction: ModelTransaction, conditions: FormConditions): number {
  const { state, nowMs } = conditions;
  if (!forms.has(transaction.kind)) {
    return ResultCode.unknownKind;
  }
  if (isMalformed(transaction, conditions)) {
    return ResultCode.malformed;
  }
  if (idsOf(transaction).some((id) => Buffer.byteLength(id) > idBytesMax)) {
    return ResultCode.idTooLong;
  }
  if (transaction.amount !== undefined && !isAmountInRange(transaction)) {
    return ResultCode.amountOutOfRange;
  }
  if (Buffer.byteLength(transaction.metadata ?? '') > metadataBytesMax) {
    return ResultCode.tooLarge;
  }
  const operator = state.operators.get(transaction.operator);
  if (transaction.kind !== 'setOperator') {
    if (operator === undefined) {
      return ResultCode.forbidden;
    }
    if (!operator.currencies.has(transaction.currency ?? '')) {
      return ResultCode.unknownCurrency;
    }
  }
  const { sentAt } = transaction;
  if (sentAt !== undefined && sentAt < nowMs - state.retentionMs + dayMs) {
    return ResultCode.tooOld;
  }
  return ResultCode.ok;
}

function isMalformed(transaction: ModelTransaction, conditions: FormConditions): boolean {
  const { state, batchOf } = conditions;
  return (
    hasWrongFields(transaction) ||
    hasWrongValues(transaction) ||
    idsOf(transaction).some((id) => !isCleanText(id)) ||
    isExpiryWrong(transaction) ||
    (transaction.kind === 'setOperator' && !isDefinitionRight(transaction, state)) ||
    (transaction.kind === 'transfer' && isToItself(transaction)) ||
    (transaction.kind === 'win' && endsNoRound(transaction)) ||
    (batchOf !== undefined && isOutOfPlaceInBatch(transaction, batchOf))
  );
}

/** Absent, empty, false and a stated default are the same: not named. */
function isNamed(transaction: ModelTransaction, field: FieldName): boolean {
  const value = transaction[field];
  if (value === undefined || value === '' || value === false) {
    return false;
  }
  return !(field === 'of' && value === 'bet') && !(field === 'bucket' && value === 'cash');
}

function hasWrongFields(transaction: ModelTransaction): boolean {
  const form = forms.get(transaction.kind);
  const required = [...(form?.required ?? []), 'transactionId' as const];
  const allowed = [...always, ...required, ...(form?.optional ?? [])];
  const named = (Object.keys(transaction) as FieldName[]).filter((field) =>
    isNamed(transaction, field),
  );
  return (
    named.some((field) => !allowed.includes(field)) ||
    required.some((field) => !named.includes(field))
  );
}

function hasWrongValues(transaction: ModelTransaction): boolean {
  const { amount, sentAt, of: target, bucket, status } = transaction;
  return (
    (amount !== undefined && !Number.isInteger(amount)) ||
    (sentAt !== undefined && !(Number.isSafeInteger(sentAt) && sentAt >= 0)) ||
    !['bet', 'win'].includes(target || 'bet') ||
    !['cash', 'bonus'].includes(bucket || 'cash') ||
    !['active', 'betLocked', 'frozen', 'closed'].includes(status || 'active')
  );
}

/** The operator's bound is judged with the hold, behind its key. */
function isExpiryWrong({ expiresIn }: ModelTransaction): boolean {
  return expiresIn !== undefined && !(Number.isSafeInteger(expiresIn) && expiresIn >= 1);
}

/** An id that is too long names nobody, so two of them are not compared. */
function isToItself({ to, player }: ModelTransaction): boolean {
  return to === player && Buffer.byteLength(to ?? '') <= idBytesMax;
}

function endsNoRound(transaction: ModelTransaction): boolean {
  return Boolean(transaction.roundEnd) && !transaction.round && !transaction.reference;
}

function isOutOfPlaceInBatch(transaction: ModelTransaction, batchOf: ModelTransaction): boolean {
  return (
    neverInBatch.includes(transaction.kind) ||
    transaction.operator !== batchOf.operator ||
    transaction.player !== batchOf.player
  );
}

function idsOf(transaction: ModelTransaction): string[] {
  const { player, transactionId, round, reference, game, to, reason } = transaction;
  return [player, transactionId, round, reference, game, to, reason].map((id) => id ?? '');
}

/** Well-formed UTF-16 without control characters; ill-formed text does not survive UTF-8. */
function isCleanText(text: string): boolean {
  const isWellFormed = Buffer.from(text, 'utf8').toString('utf8') === text;
  return isWellFormed && [...text].every((letter) => letter >= ' ' && letter !== '\u007f');
}

function isAmountInRange(transaction: ModelTransaction): boolean {
  const { kind, amount = 0 } = transaction;
  if (kind === 'adjust') {
    return amount !== 0 && Math.abs(amount) <= Number.MAX_SAFE_INTEGER;
  }
  const least = ['bet', 'win', 'rollback'].includes(kind) ? 0 : 1;
  return amount >= least && amount <= Number.MAX_SAFE_INTEGER;
}

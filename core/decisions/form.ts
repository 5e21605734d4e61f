// What is judged of a transaction before its key: the fields that its kind has, ranges, permission,
// currency and age, in the order of wallet-rules.md ("Money moved", first paragraph). An answer
// from here is not recorded and burns no key (rule 9).

import { Field, fieldsFitKind, Kind } from '../kinds.ts';
import { AMOUNT_MINOR_MAX, DAY_MS } from '../limits.ts';
import { ResultCode } from '../result-codes.ts';
import type { TransactionColumns } from '../transaction-columns.ts';
import { type DefinitionRules, isDefinitionFit } from './administration.ts';

const STATUS_MAX = 3;

/** What the form of a slice is judged against. */
export interface FormRules extends DefinitionRules {
  readonly timeMs: number;
}

/** The owners (operator × 256 + currency) found for the rows, and the codes of their forms. */
export interface FormColumns {
  /** 0: go on. */
  readonly code: Uint8Array;
  readonly owner: Int32Array;
}

/** Judges the form of one row: fills its code (0: go on) and its owner. */
export function judgeForm(
  columns: TransactionColumns,
  row: number,
  rules: FormRules,
  forms: FormColumns,
): void {
  forms.owner[row] = 0;
  let code = judgeFields(columns, row, rules);
  if (code === ResultCode.ok) code = judgeTarget(columns, row, rules, forms);
  forms.code[row] = code;
}

function judgeFields(columns: TransactionColumns, row: number, rules: FormRules): number {
  const problem = columns.problem[row];
  if (problem === ResultCode.unknownKind || problem === ResultCode.malformed) return problem;
  const kind = columns.kind[row];
  if (!fieldsFitKind(kind, columns.fields[row])) return ResultCode.malformed;
  if (problem !== ResultCode.idTooLong && columns.transactionId.byteCount[row] === 0) {
    return ResultCode.malformed;
  }
  if (!detailsFitKind(columns, row, kind)) return ResultCode.malformed;
  if (kind >= Kind.setOperator && !isDefinitionFit(rules, columns, row)) {
    return problem === ResultCode.tooLarge ? problem : ResultCode.malformed;
  }
  if (problem === ResultCode.idTooLong) return problem;
  if (!amountFitsKind(columns, row, kind)) return ResultCode.amountOutOfRange;
  return problem;
}

/** Checks of single kinds: rules 18 and 33, and the values of rare fields. */
function detailsFitKind(columns: TransactionColumns, row: number, kind: number): boolean {
  const fields = columns.fields[row];
  if (kind === Kind.win) {
    const names = fields & (Field.round | Field.reference);
    return (fields & Field.roundEnd) === 0 || names !== 0;
  }
  if (kind === Kind.transfer) return !namesItself(columns, row);
  if (kind === Kind.hold && (fields & Field.expiresIn) !== 0) {
    return Number.isSafeInteger(columns.expiresInMs[row]) && columns.expiresInMs[row] >= 1;
  }
  return kind !== Kind.setStatus || columns.status[row] <= STATUS_MAX;
}

function namesItself(columns: TransactionColumns, row: number): boolean {
  const { player, to } = columns;
  const byteCount = to.byteCount[row];
  if (byteCount === 0 || byteCount !== player.byteCount[row]) return false;
  const { bytes } = columns.sources[columns.sourceIndex[row]];
  for (let offset = 0; offset < byteCount; offset += 1) {
    if (bytes[to.at[row] + offset] !== bytes[player.at[row] + offset]) return false;
  }
  return true;
}

/** Rule 10, and ±1…±(2^53−1) for an adjust. */
function amountFitsKind(columns: TransactionColumns, row: number, kind: number): boolean {
  if ((columns.fields[row] & Field.amount) === 0) return true;
  const amountMinor = columns.amountMinor[row];
  if (kind === Kind.adjust) return amountMinor !== 0 && Math.abs(amountMinor) <= AMOUNT_MINOR_MAX;
  const mayBeZero = kind === Kind.bet || kind === Kind.win || kind === Kind.rollback;
  return amountMinor >= (mayBeZero ? 0 : 1) && amountMinor <= AMOUNT_MINOR_MAX;
}

function judgeTarget(
  columns: TransactionColumns,
  row: number,
  rules: FormRules,
  forms: FormColumns,
): number {
  const kind = columns.kind[row];
  const operator = columns.operator[row];
  const isOperatorsOwn = kind === Kind.setOperator || kind === Kind.setClient;
  if (((columns.kindsAllowed[row] >>> kind) & 1) === 0) return ResultCode.forbidden;
  if (!isOperatorsOwn) {
    if (operator === 0) return ResultCode.forbidden;
    const source = columns.sources[columns.sourceIndex[row]];
    const { at, byteCount } = columns.currency;
    const { directory } = rules;
    const currency = directory.currencyNumber(operator, source, at[row], byteCount[row]);
    if (currency < 0) return ResultCode.unknownCurrency;
    forms.owner[row] = operator * 256 + currency;
  } else if (kind === Kind.setClient) {
    forms.owner[row] = operator * 256;
  }
  if ((columns.fields[row] & Field.sentAt) !== 0) {
    const oldestMs = rules.timeMs - rules.retentionMs + DAY_MS;
    if (columns.sentAtMs[row] < oldestMs) return ResultCode.tooOld;
  }
  return ResultCode.ok;
}

// The numbers and names of outcomes (wallet-rules.md, "Codes"). They are part of the protocol and
// of the log: once released, a number never changes its meaning.

/** What a transaction was answered with; 0 to 39 name outcomes of the wallet's rules. */
export const ResultCode = {
  ok: 0,
  insufficientFunds: 10,
  accountNotFound: 11,
  accountBetLocked: 12,
  accountFrozen: 13,
  accountClosed: 14,
  roundClosed: 15,
  betNotFound: 16,
  betRolledBack: 17,
  alreadyRolledBack: 18,
  betSettled: 19,
  balanceSpent: 20,
  referenceMismatch: 21,
  holdNotFound: 22,
  holdFinished: 23,
  exceedsHold: 24,
  limitReached: 25,
  overflow: 26,
  batchAborted: 27,
  accountNotEmpty: 28,
  receiverRefused: 29,
  malformed: 40,
  amountOutOfRange: 41,
  unknownCurrency: 42,
  unknownKind: 43,
  idTooLong: 44,
  forbidden: 45,
  keyConflict: 46,
  tooLarge: 47,
  batchNotExecuted: 48,
  tooOld: 49,
  overloaded: 60,
  starting: 61,
  stopping: 62,
  clockUnsure: 63,
  diskReserve: 64,
} as const;

/** One of the numbers in ResultCode. */
export type ResultCode = (typeof ResultCode)[keyof typeof ResultCode];

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ResultCode).map(([name, code]) => [
    code,
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  ]),
);

/** The code's name as the protocol writes it, such as `insufficient_funds`. */
export function resultCodeName(code: number): string {
  return NAMES.get(code) ?? `code_${code}`;
}

/**
 * Whether an outcome with this code is a record and burns its key (rule 4): ok and the business
 * rejections, but for the three that wait for a thing to exist.
 */
export function isRecordedCode(code: number): boolean {
  return (
    code < ResultCode.malformed &&
    code !== ResultCode.accountNotFound &&
    code !== ResultCode.betNotFound &&
    code !== ResultCode.holdNotFound
  );
}

/** Whether the same transaction may be sent again unchanged at once or later (60 to 64). */
export function isRetryableCode(code: number): boolean {
  return code >= ResultCode.overloaded;
}

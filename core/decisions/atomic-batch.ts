// Atomic batches (rule 30): form first, then keys, then accounts, then judged in order up to the
// first refusal. What was changed until then is taken back, and every key of the batch is burnt by
// a record of its own, so that each transaction sent again alone is a repeat.
import { assert } from '../assert.ts';
import { Kind } from '../kinds.ts';
import { writeRecord } from '../records/record-writer.ts';
import { isRecordedCode, ResultCode } from '../result-codes.ts';
import { answerCode, answerDecision } from './answers.ts';
import { takeSequence } from './apply-decision.ts';
import { computeBalances } from './balances.ts';
import {
  answerKnown,
  closeDueRounds,
  enterDecision,
  judgeTransaction,
  KnownKey,
  lookUpKey,
  refuseDecision,
  type Slice,
} from './decide-transaction.ts';
import { enterOutcome } from './effects.ts';
import type { ShardState } from './shard-state.ts';

/** Decides all rows of the slice as one; forms, hashes and accounts are ready. */
export function decideAtomicBatch(state: ShardState, slice: Slice): void {
  const { columns, work } = slice;
  const { count } = columns;
  const leader = leaderOf(slice);
  for (let row = 0; row < count; row += 1) judgeMembership(slice, row, leader);
  if (answerUnexecuted(slice, (row) => work.code[row])) return;
  if (answerByKeys(state, slice)) return;
  const isMissing = (row: number): number =>
    work.accountRow[row] < 0 ? ResultCode.accountNotFound : ResultCode.ok;
  if (answerUnexecuted(slice, isMissing)) return;
  // An aborted batch burns all its keys, so room for them is asked for before anything is judged.
  const hasRoom = state.index.entryCount + count <= state.bounds.indexEntriesMax;
  if (!hasRoom && answerUnexecuted(slice, () => ResultCode.overloaded)) return;
  for (let row = 0; row < count; row += 1) closeDueRounds(state, slice, row);
  executeAll(state, slice);
}

/** Whom the batch is for: the first transaction whose own form says so. */
function leaderOf(slice: Slice): number {
  const { columns, work } = slice;
  for (let row = 0; row < columns.count; row += 1) {
    const code = work.code[row];
    if (code !== ResultCode.unknownKind && code !== ResultCode.malformed) return row;
  }
  return 0;
}

/** Another operator or player, and kinds that an atomic batch does not have, are malformed. */
function judgeMembership(slice: Slice, row: number, leader: number): void {
  const { columns, work } = slice;
  const code = work.code[row];
  if (code === ResultCode.unknownKind || code === ResultCode.malformed) return;
  const kind = columns.kind[row];
  const isLone =
    kind === Kind.transfer ||
    kind === Kind.open ||
    kind >= Kind.setStatus ||
    !isOfLeader(slice, row, leader);
  if (isLone) work.code[row] = ResultCode.malformed;
}

function isOfLeader(slice: Slice, row: number, leader: number): boolean {
  const { columns } = slice;
  const { player } = columns;
  if (columns.operator[row] !== columns.operator[leader]) return false;
  const byteCount = player.byteCount[row];
  if (byteCount !== player.byteCount[leader]) return false;
  const { bytes } = columns.sources[columns.sourceIndex[row]];
  const leading = columns.sources[columns.sourceIndex[leader]].bytes;
  for (let offset = 0; offset < byteCount; offset += 1) {
    if (bytes[player.at[row] + offset] !== leading[player.at[leader] + offset]) return false;
  }
  return true;
}

/** If any row has a code that is not recorded, it gets that and the others batch_not_executed. */
function answerUnexecuted(slice: Slice, codeOf: (row: number) => number): boolean {
  const { columns, outcomes } = slice;
  let isRefused = false;
  for (let row = 0; row < columns.count; row += 1) isRefused ||= codeOf(row) !== ResultCode.ok;
  if (!isRefused) return false;
  for (let row = 0; row < columns.count; row += 1) {
    const code = codeOf(row);
    answerCode(outcomes, row, code === ResultCode.ok ? ResultCode.batchNotExecuted : code);
  }
  return true;
}

/** All known: repeats. Some known, another body, or one key twice: all are key_conflict. */
function answerByKeys(state: ShardState, slice: Slice): boolean {
  const { columns, work, outcomes } = slice;
  const seen = new Set<string>();
  let repeatCount = 0;
  let isConflict = false;
  for (let row = 0; row < columns.count; row += 1) {
    const known = lookUpKey(state, slice, row);
    if (known === KnownKey.repeat) repeatCount += 1;
    if (known === KnownKey.conflict) isConflict = true;
    seen.add(work.keys.key.subarray(row * 4, row * 4 + 4).join());
  }
  const isMixed = repeatCount > 0 && repeatCount < columns.count;
  if (isConflict || isMixed || seen.size < columns.count) {
    for (let row = 0; row < columns.count; row += 1) {
      answerCode(outcomes, row, ResultCode.keyConflict);
    }
    return true;
  }
  if (repeatCount === 0) return false;
  for (let row = 0; row < columns.count; row += 1) {
    lookUpKey(state, slice, row);
    answerKnown(state, slice, row);
  }
  return true;
}

function executeAll(state: ShardState, slice: Slice): void {
  const { columns, block } = slice;
  const { usedBytes, recordCount, firstSequence, lastTimeMs } = block;
  const { sequence, lastTimeMs: stateTimeMs } = state;
  state.undo.begin();
  for (let row = 0; row < columns.count; row += 1) {
    lookUpKey(state, slice, row);
    const decision = slice.work.decision(row);
    const code = judgeTransaction(state, slice, row, decision, state.index.markRow);
    if (code === ResultCode.ok) {
      decision.atomic = true;
      enterDecision(state, slice, row, decision);
      writeRecord(block, decision, columns, row);
      answerDecision(slice.outcomes, row, decision);
      continue;
    }
    state.undo.takeBack();
    Object.assign(block, { usedBytes, recordCount, firstSequence, lastTimeMs });
    state.sequence = sequence;
    state.lastTimeMs = stateTimeMs;
    if (isRecordedCode(code)) abortAll(state, slice, row, code);
    else answerUnexecuted(slice, (other) => (other === row ? code : ResultCode.ok));
    return;
  }
  state.undo.keep();
}

/** Burns all keys: the refused one with its code, the others with batch_aborted. */
function abortAll(state: ShardState, slice: Slice, refusedRow: number, refusal: number): void {
  for (let row = 0; row < slice.columns.count; row += 1) {
    const decision = slice.work.decision(row);
    judgeTransaction(state, slice, row, decision, -1);
    decision.code = row === refusedRow ? refusal : ResultCode.batchAborted;
    assert(decision.accountRow >= 0, 'a batch is executed for accounts that are there');
    refuseDecision(decision);
    computeBalances(decision);
    takeSequence(state, decision);
    decision.atomic = true;
    enterOutcome(state, decision);
    writeRecord(slice.block, decision, slice.columns, row);
    answerDecision(slice.outcomes, row, decision);
  }
}

// Answers requests for balances: `[[player, currency], …]` of the client's operator. What is read
// may not be durable yet; the outbox holds the answer until it is (rule 37). Lane's thread only.
import { CURRENCY_BYTES_MAX, ID_BYTES_MAX } from '../../core/limits.ts';
import { ResultCode } from '../../core/result-codes.ts';
import type { Shard } from '../../core/shard.ts';
import { type FrameSource, TransactionColumns } from '../../core/transaction-columns.ts';
import type { AnswerBuffer } from '../wire/answer-buffer.ts';
import { writeBalance, writeCodes } from '../wire/answer-writer.ts';
import { BROKEN, countHeadBytes, passOver, readArrayCount } from '../wire/msgpack-value.ts';
import { readId } from '../wire/text-reader.ts';

/** One request for balances: its pairs lie from `at` to `end`. */
export interface BalanceQuery {
  readonly source: FrameSource;
  readonly at: number;
  readonly end: number;
  readonly count: number;
  readonly operatorNumber: number;
}

const PAIR_BYTES_MAX = 65_536;
const pair: TransactionColumns = new TransactionColumns(1);

/**
 * Writes a code or a balance for each pair. False when the structure is broken: the pairs from
 * there on were answered `malformed`.
 */
export function answerBalances(shard: Shard, query: BalanceQuery, buffer: AnswerBuffer): boolean {
  let at = query.at;
  for (let done = 0; done < query.count; done += 1) {
    const next = readPair(query.source, at, Math.min(query.end, at + PAIR_BYTES_MAX));
    if (next === BROKEN) {
      writeCodes(buffer, ResultCode.malformed, query.count - done);
      return false;
    }
    at = next;
    const code = pair.problem[0] === 0 ? writeKnown(shard, query, buffer) : pair.problem[0];
    if (code !== ResultCode.ok) writeCodes(buffer, code, 1);
  }
  return at === query.end;
}

function readPair(source: FrameSource, at: number, end: number): number {
  pair.problem[0] = 0;
  const elements = readArrayCount(source.view, at, end);
  if (elements !== 2) {
    pair.problem[0] = ResultCode.malformed;
    return elements === BROKEN ? BROKEN : passOver(source.view, at, end);
  }
  const { player, currency } = pair;
  const playerAt = at + countHeadBytes(source.view, at);
  const currencyAt = readId(source, playerAt, end, pair, player, 0, ID_BYTES_MAX);
  if (currencyAt === BROKEN) return BROKEN;
  const next = readId(source, currencyAt, end, pair, currency, 0, CURRENCY_BYTES_MAX);
  const isNamed = player.byteCount[0] > 0 && currency.byteCount[0] > 0;
  if (!isNamed && pair.problem[0] === 0) pair.problem[0] = ResultCode.malformed;
  return next;
}

// Writes the balance of the pair that was read, or returns the code that it gets instead.
function writeKnown(shard: Shard, query: BalanceQuery, buffer: AnswerBuffer): number {
  const { operatorNumber, source } = query;
  if (operatorNumber === 0) return ResultCode.forbidden;
  const playerAt = pair.player.at[0];
  const playerBytes = pair.player.byteCount[0];
  const currencyAt = pair.currency.at[0];
  const currencyBytes = pair.currency.byteCount[0];
  const { accounts } = shard;
  const row = shard.findAccount(
    operatorNumber,
    source,
    playerAt,
    playerBytes,
    currencyAt,
    currencyBytes,
  );
  if (row < 0) return row === -2 ? ResultCode.unknownCurrency : ResultCode.accountNotFound;
  writeBalance(buffer, {
    cashMinor: accounts.cashMinor(row),
    bonusMinor: accounts.bonusMinor(row),
    heldMinor: accounts.heldMinor(row),
    status: accounts.status(row),
  });
  return ResultCode.ok;
}

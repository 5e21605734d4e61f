// The operator's kinds, which have no account: setOperator and setClient. Their bodies are JSON
// texts; an unfit one is `malformed` and not recorded. They take effect for the transactions decoded
// after their own slice.

import { assert } from '../assert.ts';
import { Kind } from '../kinds.ts';
import { type ClientDefinition, parseClientDefinition } from '../policies/client-definition.ts';
import {
  type OperatorDefinition,
  parseOperatorDefinition,
} from '../policies/operator-definition.ts';
import { ResultCode } from '../result-codes.ts';
import type { TextColumn, TransactionColumns } from '../transaction-columns.ts';
import type { ShardState } from './shard-state.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** ok, or malformed where the definition cannot be applied. */
export function judgeAdministration(
  state: ShardState,
  columns: TransactionColumns,
  row: number,
): number {
  const isFit =
    columns.kind[row] === Kind.setOperator
      ? readOperator(state, columns, row) !== undefined
      : readClient(state, columns, row) !== undefined;
  return isFit ? ResultCode.ok : ResultCode.malformed;
}

/** Changes the directory as an accepted record says. */
export function applyAdministration(
  state: ShardState,
  columns: TransactionColumns,
  row: number,
): void {
  if (columns.kind[row] === Kind.setOperator) {
    const definition = readOperator(state, columns, row);
    assert(definition !== undefined, 'a recorded definition of an operator is fit');
    state.directory.applyOperator(textOf(columns, columns.player, row), definition);
    state.roundsDueAtMs = 0;
    return;
  }
  const definition = readClient(state, columns, row);
  assert(definition !== undefined, 'a recorded definition of a client is fit');
  state.directory.applyClient(definition);
}

function readOperator(
  state: ShardState,
  columns: TransactionColumns,
  row: number,
): OperatorDefinition | undefined {
  const name = textOf(columns, columns.player, row);
  const text = textOf(columns, columns.definition, row);
  const definition = parseOperatorDefinition(text, state.retentionMs);
  if (name === '' || definition === undefined) return undefined;
  return state.directory.acceptsOperator(name, definition) ? definition : undefined;
}

function readClient(
  state: ShardState,
  columns: TransactionColumns,
  row: number,
): ClientDefinition | undefined {
  const definition = parseClientDefinition(textOf(columns, columns.definition, row));
  if (definition === undefined) return undefined;
  return state.directory.acceptsClient(definition) ? definition : undefined;
}

function textOf(columns: TransactionColumns, column: TextColumn, row: number): string {
  const { bytes } = columns.sources[columns.sourceIndex[row]];
  const at = column.at[row];
  return decoder.decode(bytes.slice(at, at + column.byteCount[row]));
}

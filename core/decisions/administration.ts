// The operator's kinds, which have no account: setOperator and setClient. Their bodies are JSON
// texts; an unfit one is `malformed` and not recorded. They take effect for the transactions
// decoded after their own slice.

import { assert } from '../assert.ts';
import { Kind } from '../kinds.ts';
import { type ClientDefinition, parseClientDefinition } from '../policies/client-definition.ts';
import type { Directory } from '../policies/directory.ts';
import {
  type OperatorDefinition,
  parseOperatorDefinition,
} from '../policies/operator-definition.ts';
import type { TextColumn, TransactionColumns } from '../transaction-columns.ts';
import type { ShardState } from './shard-state.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** What a definition is checked against; a ShardState is one. */
export interface DefinitionRules {
  readonly directory: Directory;
  readonly retentionMs: number;
}

/** Whether the definition of a setOperator or setClient can be applied; part of its form. */
export function isDefinitionFit(
  rules: DefinitionRules,
  columns: TransactionColumns,
  row: number,
): boolean {
  return columns.kind[row] === Kind.setOperator
    ? readOperator(rules, columns, row) !== undefined
    : readClient(rules, columns, row) !== undefined;
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
  rules: DefinitionRules,
  columns: TransactionColumns,
  row: number,
): OperatorDefinition | undefined {
  const name = textOf(columns, columns.player, row);
  const text = textOf(columns, columns.definition, row);
  const definition = parseOperatorDefinition(text, rules.retentionMs);
  if (name === '' || definition === undefined) return undefined;
  return rules.directory.acceptsOperator(name, definition) ? definition : undefined;
}

function readClient(
  rules: DefinitionRules,
  columns: TransactionColumns,
  row: number,
): ClientDefinition | undefined {
  const definition = parseClientDefinition(textOf(columns, columns.definition, row));
  if (definition === undefined) return undefined;
  return rules.directory.acceptsClient(definition) ? definition : undefined;
}

function textOf(columns: TransactionColumns, column: TextColumn, row: number): string {
  const { bytes } = columns.sources[columns.sourceIndex[row]];
  const at = column.at[row];
  return decoder.decode(bytes.slice(at, at + column.byteCount[row]));
}

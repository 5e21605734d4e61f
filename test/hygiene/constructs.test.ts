// What the code may not contain, and what each export must have. Read from the syntax tree, so that
// a suppression comment for the linter does not help.
import ts from 'typescript';
import { expect, test } from 'vitest';
import { placeOf, readSourceFiles, type SourceFile, walk } from '../support/source-tree.ts';

const all = readSourceFiles();
const sources = all.filter(({ file }) => !file.startsWith('test/') && file !== 'vitest.config.ts');

/** Places of the nodes for which `matches` holds. */
function find(files: readonly SourceFile[], matches: (node: ts.Node) => boolean): string[] {
  const places: string[] = [];
  for (const source of files) {
    walk(source.tree, (node) => {
      if (matches(node)) places.push(placeOf(source, node));
    });
  }
  return places;
}

const forbidden: readonly [string, (node: ts.Node) => boolean][] = [
  ['the type any', (node) => node.kind === ts.SyntaxKind.AnyKeyword],
  ['a non-null assertion', (node) => ts.isNonNullExpression(node)],
  ['an enum', (node) => ts.isEnumDeclaration(node)],
  ['a namespace', (node) => ts.isModuleDeclaration(node)],
  ['a parameter property', (node) => ts.isParameterPropertyDeclaration(node, node.parent)],
];

test.each(forbidden)('no code uses %s', (_name, matches) => {
  expect(find(all, matches)).toEqual([]);
});

test('no file but a configuration has a default export', () => {
  const isDefault = (node: ts.Node) =>
    ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword;
  const places = find(all, (node) => isDefault(node) && !ts.isDefaultClause(node.parent));
  expect(places.filter((place) => !place.startsWith('vitest.config.ts'))).toEqual([]);
});

test('no type error is switched off in a comment, and no lint rule for a whole file', () => {
  // Put together from pieces, so that this file passes its own test.
  const mark = new RegExp(`@ts-(ignore|expect-error|nocheck)|biome-${'ignore-all'}`);
  expect(all.filter(({ text }) => mark.test(text)).map(({ file }) => file)).toEqual([]);
});

test('no function is longer than 70 lines', () => {
  const lineAt = (node: ts.Node, position: number) =>
    node.getSourceFile().getLineAndCharacterOfPosition(position).line;
  const isLong = (node: ts.Node) =>
    ts.isFunctionLike(node) && lineAt(node, node.end) - lineAt(node, node.getStart()) >= 70;
  expect(find(sources, isLong)).toEqual([]);
});

test('each export is documented', () => {
  const isBare = (node: ts.Node) =>
    ts.isSourceFile(node.parent) &&
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false) &&
    ts.getJSDocCommentsAndTags(node).length === 0;
  expect(find(sources, (node) => node.parent !== undefined && isBare(node))).toEqual([]);
});

test('names are whole words', () => {
  const short = new Set([
    'acc',
    'tx',
    'txn',
    'msg',
    'ctx',
    'idx',
    'buf',
    'len',
    'cfg',
    'cb',
    'tmp',
  ]);
  const isShort = (node: ts.Node) =>
    (ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isPropertyDeclaration(node)) &&
    ts.isIdentifier(node.name) &&
    short.has(node.name.text);
  expect(find(sources, isShort)).toEqual([]);
});

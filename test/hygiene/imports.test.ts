// Who may import whom: core ← persist ← gateway, bench, test and scripts all of them, core nothing
// outside itself. This is what keeps the core pure (law 3): it cannot reach a disk or a socket.
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import {
  importsOf,
  layers,
  placeOf,
  readSourceFiles,
  type SourceFile,
  walk,
} from '../support/source-tree.ts';

const sources = readSourceFiles();

function layerOf(file: string): string {
  return file.split('/')[0] ?? '';
}

/** A relative import as a path from the project's folder; undefined for a package. */
function targetOf(source: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return path.posix.join(path.posix.dirname(source.file), specifier);
}

test('a layer imports only itself and the layers below it', () => {
  const wrong = sources.flatMap((source) => {
    const height = layers.indexOf(layerOf(source.file));
    if (height < 0) return [];
    const allowed = layers.slice(0, height + 1);
    return importsOf(source)
      .map((specifier) => targetOf(source, specifier))
      .filter((target) => target !== undefined && !allowed.includes(layerOf(target)))
      .map((target) => `${source.file} imports ${target}`);
  });
  expect(wrong).toEqual([]);
});

test('the core imports no package and no module of Node', () => {
  const wrong = sources
    .filter(({ file }) => layerOf(file) === 'core')
    .flatMap((source) =>
      importsOf(source)
        .filter((specifier) => targetOf(source, specifier) === undefined)
        .map((specifier) => `${source.file} imports ${specifier}`),
    );
  expect(wrong).toEqual([]);
});

test('the core reads no clock, no randomness, no environment, and starts nothing', () => {
  const outside = new Set(
    [
      'Date',
      'process',
      'performance',
      'crypto',
      'console',
      'fetch',
      'globalThis',
      'Atomics',
    ].concat(['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'require']),
  );
  const wrong: string[] = [];
  for (const source of sources.filter(({ file }) => layerOf(file) === 'core')) {
    walk(source.tree, (node) => {
      if (!ts.isIdentifier(node)) return;
      const parent = node.parent;
      // `row.process` is a member of something of the core's own.
      const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
      const isRandom = node.text === 'random' && isMember && parent.expression.getText() === 'Math';
      if ((outside.has(node.text) && !isMember) || isRandom) {
        wrong.push(`${placeOf(source, node)} uses ${node.text}`);
      }
    });
  }
  expect(wrong).toEqual([]);
});

test('no file imports itself by a detour', () => {
  const targets = new Map(
    sources.map((source) => [
      source.file,
      importsOf(source).flatMap((specifier) => targetOf(source, specifier) ?? []),
    ]),
  );
  const finished = new Set<string>();
  const cycles: string[] = [];
  const follow = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) cycles.push([...way.slice(way.indexOf(file)), file].join(' → '));
    if (way.includes(file) || finished.has(file)) return;
    for (const target of targets.get(file) ?? []) follow(target, [...way, file]);
    finished.add(file);
  };
  for (const file of targets.keys()) follow(file, []);
  expect(cycles).toEqual([]);
});

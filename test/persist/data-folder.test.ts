// The data folder's identity: made once, never guessed, refused by name when it does not fit.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chainSeedOf, DataFolderError, openDataFolder } from '../../persist/data-folder.ts';
import { UnknownVersionError } from '../../persist/log-errors.ts';
import { makeTemporaryFolder, removeFolder, TestLog } from './test-log.ts';

let folder = '';

beforeEach(() => {
  folder = makeTemporaryFolder();
});

afterEach(() => removeFolder(folder));

function editIdentity(change: Record<string, unknown>): void {
  const file = join(folder, 'identity.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }));
}

describe('data folder', () => {
  test('a new folder gets an identity, which stays', () => {
    const identity = openDataFolder(folder, 2);
    expect(identity).toMatchObject({ formatVersion: 1, lanes: 2 });
    expect(identity.secretHashSeed).toMatch(/^[0-9a-f]{32}$/);
    expect(identity.shardHashSeed).not.toBe(identity.secretHashSeed);
    expect(openDataFolder(folder, 2)).toEqual(identity);
  });

  test('two folders differ in seeds and in the start of their chains', () => {
    const one = openDataFolder(join(folder, 'one'), 1);
    const two = openDataFolder(join(folder, 'two'), 1);
    expect(one.secretHashSeed).not.toBe(two.secretHashSeed);
    expect(chainSeedOf(one)).not.toBe(chainSeedOf(two));
  });

  test('a folder that a crash left half made is finished', () => {
    mkdirSync(join(folder, 'log'));
    writeFileSync(join(folder, 'lock'), '');
    writeFileSync(join(folder, 'identity.json.next'), '{"format');
    expect(openDataFolder(folder, 1).lanes).toBe(1);
  });

  test('a newer or unknown version stops by name', () => {
    openDataFolder(folder, 1);
    for (const formatVersion of [2, 0, '1', null]) {
      editIdentity({ formatVersion });
      expect(() => openDataFolder(folder, 1)).toThrow(UnknownVersionError);
      expect(() => openDataFolder(folder, 1)).toThrow(`program: ${formatVersion} (known: 1)`);
    }
  });

  test('another number of lanes is refused', () => {
    openDataFolder(folder, 2);
    expect(() => openDataFolder(folder, 1)).toThrow(/fixed when it is made: 2/);
  });

  test('a log without its identity is never given a new one', () => {
    const log = new TestLog({ folder });
    log.append(1);
    log.close();
    rmSync(join(folder, 'identity.json'));
    expect(() => openDataFolder(folder, 1)).toThrow(/no identity\.json.*log\/0000000000000001/);
  });

  test('a folder with other files is refused', () => {
    writeFileSync(join(folder, 'letter.txt'), 'x');
    expect(() => openDataFolder(folder, 1)).toThrow(/holds other files: letter\.txt/);
  });

  const broken: [string, Record<string, unknown>][] = [
    ['folderId', { folderId: 'abc' }],
    ['secretHashSeed', { secretHashSeed: 5 }],
    ['shardHashSeed', { shardHashSeed: undefined }],
    ['lanes', { lanes: 0 }],
    ['created', { created: 'yesterday' }],
  ];
  for (const [field, change] of broken) {
    test(`a wrong ${field} is named`, () => {
      openDataFolder(folder, 1);
      editIdentity(change);
      expect(() => openDataFolder(folder, 1)).toThrow(DataFolderError);
      expect(() => openDataFolder(folder, 1)).toThrow(`field ${field} is wrong`);
    });
  }

  test('an identity that is no JSON is refused, not replaced', () => {
    openDataFolder(folder, 1);
    writeFileSync(join(folder, 'identity.json'), '{');
    expect(() => openDataFolder(folder, 1)).toThrow(/identity cannot be read/);
    expect(readFileSync(join(folder, 'identity.json'), 'utf8')).toBe('{');
  });
});

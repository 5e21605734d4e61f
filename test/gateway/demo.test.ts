// The demo's file, its transactions and its text; a first start end to end is in main.e2e.test.ts.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, unpack } from 'msgpackr';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeDemo, readDemo, writeDemo } from '../../gateway/demo/demo-file.ts';
import { clientAddress, demoText } from '../../gateway/demo/demo-text.ts';
import { submitDemo } from '../../gateway/demo/demo-transactions.ts';

const OUTCOME = [0, 0, 1, 1, 0, 0, 0, 0, 0];

describe('the file', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kassa-demo-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is read as it was written, by its owner only', () => {
    const demo = makeDemo();
    writeDemo(folder, demo);
    expect(readDemo(folder)).toEqual(demo);
    expect(statSync(join(folder, 'demo.json')).mode & 0o777).toBe(0o600);
  });

  test('is undefined when there is none', () => {
    expect(readDemo(folder)).toBeUndefined();
  });

  test.each(['', '{}', '{"clientId":1}'])(
    'that holds "%s" is an error that names it',
    (content) => {
      writeFileSync(join(folder, 'demo.json'), content);
      expect(() => readDemo(folder)).toThrow(/demo\.json.*KASSA_DEMO=off/);
    },
  );

  test('keeps the secret that no two demos share', () => {
    expect(makeDemo().secret).not.toBe(makeDemo().secret);
    expect(makeDemo().secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    writeDemo(folder, makeDemo());
    expect(readFileSync(join(folder, 'demo.json'), 'utf8')).toContain('"secret"');
  });
});

describe('the transactions', () => {
  test('are the same in a repeat after a crash', async () => {
    const demo = makeDemo();
    const runs: unknown[][] = [[], []];
    for (const frames of runs) {
      await submitDemo(demo, async (frame) => {
        frames.push(unpack(frame));
        return pack([1, 0, 7n, [OUTCOME]]);
      });
    }
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]).toHaveLength(5);
  });

  test('hold the hash of the secret, never the secret', async () => {
    const demo = makeDemo();
    const texts: string[] = [];
    await submitDemo(demo, async (frame) => {
      texts.push(JSON.stringify(unpack(frame)));
      return pack([1, 0, 7n, [OUTCOME]]);
    });
    const hash = createHash('sha256').update(demo.secret).digest('hex');
    expect(texts.join('\n')).toContain(hash);
    expect(texts.join('\n')).not.toContain(demo.secret);
  });

  test.each<[string, unknown[], string]>([
    ['a plain code', [1, 0, 7n, [45]], 'forbidden'],
    ['a recorded outcome', [1, 0, 7n, [[10, ...OUTCOME.slice(1)]]], 'insufficient_funds'],
    ['a refused request', [9, 0, 60, '50'], 'overloaded'],
  ])('that are refused by %s are an error with the code', async (_, answer, name) => {
    await expect(submitDemo(makeDemo(), async () => pack(answer))).rejects.toThrow(name);
  });
});

describe('the text', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1:7070'],
    ['0.0.0.0', '127.0.0.1:7070'],
    ['::', '[::1]:7070'],
    ['kassa.example', 'kassa.example:7070'],
  ])('names an address that can be connected to for %s', (host, address) => {
    expect(clientAddress(host, 7070)).toBe(address);
  });

  test('names address, operator, player, balance and key', () => {
    const demo = makeDemo();
    const text = demoText(demo, '127.0.0.1:7070');
    const key = `${demo.clientId}.${demo.secret}`;
    for (const part of ['http://127.0.0.1:7070', 'demo', 'player-1', '100.00 EUR', key]) {
      expect(text).toContain(part);
    }
  });
});

// Niceness of threads: it is set for the calling thread alone, and going first is only tried.
import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

const MODULE = new URL('../../persist/thread-order.ts', import.meta.url).href;

/** What the code makes of the niceness of a thread of its own; main's stays as it is. */
async function nicenessBehind(code: string): Promise<{ result: unknown; niceness: number }> {
  const script = `
    const { parentPort } = require('node:worker_threads');
    const { readlinkSync } = require('node:fs');
    import(${JSON.stringify(MODULE)}).then((order) => {
      const result = ${code};
      const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
      parentPort.postMessage({ result, niceness: require('node:os').getPriority(thread) });
    });`;
  const worker = new Worker(script, { eval: true });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

test('a thread that helps is put behind; the others stay as they are', async () => {
  const before = os.getPriority();
  const { niceness } = await nicenessBehind('order.setNiceness(10)');
  expect(niceness).toBe(10);
  expect(os.getPriority()).toBe(before);
  expect(path.basename(readlinkSync('/proc/thread-self'))).toBe(String(process.pid));
});

test('a lane goes first where the process may, and says whether it may', async () => {
  const { result, niceness } = await nicenessBehind('order.tryGoFirst()');
  const mayRaise = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  const hasCapability = ((BigInt(`0x${mayRaise?.[1] ?? '0'}`) >> 23n) & 1n) === 1n;
  if (hasCapability) expect(result).toBe(true);
  expect(niceness).toBe(result === true ? -10 : os.getPriority());
});

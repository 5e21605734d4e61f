// Long slices of a core: for the thread that asks and for what it starts, at the niceness that it
// has. Read from where kernels that have them (Linux 6.12 and later) show them.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const MODULE = new URL('../../persist/long-slices.ts', import.meta.url).href;
const SLICE = 'se.slice';
const showsSlices =
  existsSync('/proc/self/sched') && readFileSync('/proc/self/sched', 'utf8').includes(SLICE);

/** What a process of niceness 3 sees of itself and of a child of its, after it asked. */
function slicesBehind(code: string): { own: string; child: string; niceness: number } {
  const script = `
    const { execFileSync } = require('node:child_process');
    const { readFileSync } = require('node:fs');
    const os = require('node:os');
    os.setPriority(3);
    import(${JSON.stringify(MODULE)}).then(({ tryLongSlices }) => {
      ${code};
      const own = readFileSync('/proc/self/sched', 'utf8');
      const child = execFileSync('cat', ['/proc/self/sched'], { encoding: 'utf8' });
      console.log(JSON.stringify({ own, child, niceness: os.getPriority() }));
    });`;
  const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  return JSON.parse(stdout);
}

function nanosecondsIn(text: string): number {
  return Number(new RegExp(`^${SLICE}\\s*:\\s*(\\d+)$`, 'm').exec(text)?.[1]);
}

test.skipIf(!showsSlices)('go to the thread that asks and to what it starts', () => {
  const without = slicesBehind('');
  expect(nanosecondsIn(without.own)).toBeLessThan(10_000_000);
  const { own, child, niceness } = slicesBehind('tryLongSlices()');
  expect(nanosecondsIn(own)).toBe(50_000_000);
  expect(nanosecondsIn(child)).toBe(50_000_000);
  expect(niceness).toBe(3);
});

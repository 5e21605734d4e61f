// Runs the stages of the tests, in order, and stops at the first that fails:
// `node scripts/test.mjs lint typecheck unit [arguments for vitest]`. Runs under any Node from 20 on.
// The last line it causes to be printed is always "N passed, N failed".
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { nodeProgram, projectFolder, setUp } from './set-up.mjs';

const stages = {
  // Warnings fail too: one that is let pass today hides among fifty next month.
  lint: ['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '.'],
  typecheck: ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.json'],
  unit: ['node_modules/vitest/vitest.mjs', 'run'],
};

// The tools colour their output even into a file, where the codes only hide the words.
const colour = process.stdout.isTTY ? {} : { NO_COLOR: '1' };

const given = process.argv.slice(2);
const isStage = (name) => Object.hasOwn(stages, name);
const firstOther = given.findIndex((name) => !isStage(name));
const names = firstOther < 0 ? given : given.slice(0, firstOther);
const extra = firstOther < 0 ? [] : given.slice(firstOther);

setUp();
if (names.includes('unit')) tryInstallStrace();
for (const name of names) runStage(name);

function runStage(name) {
  console.log(`== ${name}`);
  const last = name === names.at(-1);
  const result = spawnSync(nodeProgram, [...stages[name], ...(last ? extra : [])], {
    cwd: projectFolder,
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${path.dirname(nodeProgram)}${path.delimiter}${process.env.PATH}`,
    },
  });
  if (result.status === 0) return;
  // The unit stage prints its own count; a stage before it is one failure.
  if (name !== 'unit') console.log(`${name} failed\n0 passed, 1 failed`);
  process.exit(result.status ?? 1);
}

/**
 * The order of system calls is proved with strace. Where it cannot be had (not root, no apt-get, no
 * network) its tests are skipped, by name, so a failure here is no error.
 */
function tryInstallStrace() {
  const runs = (program, programArguments) =>
    spawnSync(program, programArguments, { stdio: 'ignore', timeout: 60_000 }).status === 0;
  if (runs('strace', ['-V']) || process.getuid?.() !== 0 || !runs('apt-get', ['--version'])) return;
  console.error('set-up: installing strace');
  const install = ['install', '--yes', '--quiet', '--no-install-recommends', 'strace'];
  if (!runs('apt-get', install) && runs('apt-get', ['update'])) runs('apt-get', install);
}

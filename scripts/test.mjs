// Runs the stages of the tests, in order, and stops at the first that fails:
// `node scripts/test.mjs lint typecheck unit [arguments for vitest]`. Runs under Node 20 and newer.
// After a failed stage, and after the unit stage, the last line it prints is "N passed, N failed".
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { nodeProgram, projectFolder, setUp } from './set-up.mjs';

// Colour codes in a file only hide the words. Biome listens to a flag only, vitest to the variable.
const coloured = process.stdout.isTTY === true;
const environment = {
  ...process.env,
  ...(coloured ? {} : { NO_COLOR: '1' }),
  PATH: `${path.dirname(nodeProgram)}${path.delimiter}${process.env.PATH}`,
};

const stages = {
  // Warnings fail too: one that is let pass today hides among fifty next month.
  lint: [
    'node_modules/@biomejs/biome/bin/biome',
    'ci',
    `--colors=${coloured ? 'force' : 'off'}`,
    '--error-on-warnings',
    '.',
  ],
  typecheck: ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.json'],
  unit: ['node_modules/vitest/vitest.mjs', 'run'],
};

const given = process.argv.slice(2);
const firstOther = given.findIndex((name) => !Object.hasOwn(stages, name));
const names = firstOther < 0 ? given : given.slice(0, firstOther);
const others = firstOther < 0 ? [] : given.slice(firstOther);

setUp();
if (names.includes('unit')) tryInstallStrace();
for (const name of names) runStage(name, name === names.at(-1) ? others : []);

function runStage(name, extraArguments) {
  console.log(`== ${name}`);
  const result = spawnSync(nodeProgram, [...stages[name], ...extraArguments], {
    cwd: projectFolder,
    stdio: 'inherit',
    env: environment,
  });
  if (result.status === 0) return;
  // Vitest prints its own count unless it was ended from outside; another stage is one failure.
  if (name !== 'unit' || result.status === null) console.log(`${name} failed\n0 passed, 1 failed`);
  process.exit(result.status ?? 128 + os.constants.signals[result.signal]);
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

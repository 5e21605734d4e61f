// Starts one of the project's programs under the Node it is pinned to:
// `node scripts/run.mjs gateway/main.ts [arguments]`. Runs under any Node from 20 on. This process
// is only a stand-in: it hands signals on to the program and ends with the program's exit code.
// package.json calls it with "exec": npm signals the shell it starts, and a shell that stays
// between the two dies without handing on.
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { nodeProgram, projectFolder, setUp } from './set-up.mjs';

const [program, ...programArguments] = process.argv.slice(2);
if (program === undefined) {
  console.error(
    'Cannot start because no program is named: node scripts/run.mjs <file> [arguments]',
  );
  process.exit(1);
}

setUp();

// V8's helpers (compiling, looking for garbage) are four unless told otherwise. On few cores they
// only take a lane's turns, two in a row at times: as many as there are cores beside one lane.
const helperCount = Math.max(1, Math.min(4, os.availableParallelism() - 1));
const nodeArguments = [`--v8-pool-size=${helperCount}`, path.join(projectFolder, program)];

const child = spawn(nodeProgram, [...nodeArguments, ...programArguments], {
  stdio: 'inherit',
  // First on the path, so that what the program starts by the name "node" is the same Node.
  env: { ...process.env, PATH: `${path.dirname(nodeProgram)}${path.delimiter}${process.env.PATH}` },
});

// Handing on means: the program decides when to end. From a terminal it gets Ctrl-C twice (the
// terminal signals the whole group), so it must take a repeated signal as one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => child.kill(signal));
}

child.on('error', (error) => {
  console.error(`Cannot start ${program} because it could not be run: ${error.message}`);
  process.exit(1);
});

child.on('exit', (code, signal) => {
  // 128 + number is what a shell reports of a program ended by a signal.
  process.exit(code ?? 128 + os.constants.signals[signal]);
});

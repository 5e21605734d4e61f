// What is left after the process was killed, after a commit failed, and what the disk had seen when
// a block was published. Each test looks at a process of its own from outside.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExitCode } from '../../persist/exit-codes.ts';
import { makeTemporaryFolder, readLog, removeFolder, TestLog } from './test-log.ts';

const APPENDING_PROCESS = fileURLToPath(new URL('appending-process.ts', import.meta.url));
const CHILD_TIMEOUT_MS = 20_000;

let folder = '';
let dataFolder = '';

beforeEach(() => {
  folder = makeTemporaryFolder();
  dataFolder = join(folder, 'data');
});

afterEach(() => removeFolder(folder));

/** Arguments of the appending process; see its own head. */
function argumentsFor(blocks: { bytes: number; count: number; segmentBytes: number }): string[] {
  const { bytes, count, segmentBytes } = blocks;
  return [APPENDING_PROCESS, dataFolder, String(bytes), String(count), String(segmentBytes)];
}

/** Positions that the process printed as durable; a line that was cut off does not count. */
function durablePositions(output: string): number[] {
  return [...output.matchAll(/durable (\d+)\n/g)].map((match) => Number(match[1]));
}

/** Lets the process print some blocks, kills it, and returns what it printed. */
async function killAfter(child: ChildProcess, lineCount: number): Promise<string> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code, signal) => {
      if (signal === 'SIGKILL') resolve();
      else reject(new Error(`the process ended by itself: ${code} ${signal}`));
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.split('\n').length > lineCount) child.kill('SIGKILL');
    });
  });
  return output;
}

describe('SIGKILL', () => {
  test('every published block is there after each of five kills, over rotation', async () => {
    let lastPosition = 0;
    for (let round = 0; round < 5; round++) {
      const settings = { bytes: 3_000 + round * 4_000, count: 0, segmentBytes: 400_000 };
      const child = spawn(process.execPath, argumentsFor(settings), {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const output = await killAfter(child, 40 + round * 17);
      const positions = durablePositions(output);
      expect(positions[0]).toBeGreaterThan(lastPosition);
      const { blocks, end } = readLog(dataFolder);
      lastPosition = positions.at(-1) ?? 0;
      expect(end.blockNumber).toBeGreaterThanOrEqual(lastPosition);
      expect(positions).toEqual(positions.map((_, index) => (positions[0] ?? 0) + index));
      for (const block of blocks) {
        const byte = (block.firstSequence - 1) & 0xff;
        const expected = Buffer.alloc(block.content.byteLength, byte);
        expect(Buffer.compare(block.content, expected)).toBe(0);
      }
    }
  }, 60_000);
});

describe('a failed commit', () => {
  test('stops the process with its own code, tells why, and publishes nothing', () => {
    // The kernel refuses to write beyond 600 × 512 bytes of any file, as a full disk would.
    const limited = ['-c', 'ulimit -f 600; exec "$@"', 'sh', process.execPath];
    const settings = { bytes: 20_000, count: 0, segmentBytes: 100_000_000 };
    const child = spawnSync('sh', [...limited, ...argumentsFor(settings)], {
      timeout: CHILD_TIMEOUT_MS,
      encoding: 'utf8',
    });
    expect(child.status).toBe(ExitCode.commitFailed);
    const positions = durablePositions(child.stdout);
    const last = positions.at(-1) ?? 0;
    expect(last).toBeGreaterThan(5);
    const message = new RegExp(
      `exit code 14: log writer: .*Cannot commit block ${last + 1} and following`,
    );
    expect(child.stderr).toMatch(message);
    expect(readFileSync(join(dataFolder, 'last-error'), 'utf8')).toMatch(message);
    const { end } = readLog(dataFolder);
    expect(end.blockNumber).toBe(last);
    const next = new TestLog({ folder: dataFolder });
    next.append(3, 30_000);
    next.close();
    expect(readLog(dataFolder).end.blockNumber).toBe(last + 3);
  });

  test('a segment that cannot be made stops the process in the same way', () => {
    // No room for LMDB's first two pages: already the new segment fails.
    const limited = ['-c', 'ulimit -f 8; exec "$@"', 'sh', process.execPath];
    const settings = { bytes: 2_000, count: 0, segmentBytes: 1_000_000 };
    const child = spawnSync('sh', [...limited, ...argumentsFor(settings)], {
      timeout: CHILD_TIMEOUT_MS,
      encoding: 'utf8',
    });
    expect(child.status).toBe(ExitCode.commitFailed);
    expect(durablePositions(child.stdout)).toEqual([]);
    expect(readLog(dataFolder).end.blockNumber).toBe(0);
  });
});

/** Whether strace is there and may trace: containers often forbid it. */
function findStraceProblem(): string {
  const probe = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']);
  if (probe.error) return 'strace is not installed';
  return probe.status === 0 ? '' : 'strace may not trace here';
}

/** Index of the first line from `start` on that matches; the test fails when there is none. */
function findLine(lines: readonly string[], pattern: RegExp, start: number): number {
  const index = lines.findIndex((line, at) => at >= start && pattern.test(line));
  expect(index, `${pattern} after line ${start} of\n${lines.join('\n')}`).toBeGreaterThan(-1);
  return index;
}

/** Puts an openat that another thread's call interrupted into the line at which it returned. */
function joinOpenings(lines: readonly string[]): string[] {
  const begun = new Map<string, string>();
  return lines.map((line) => {
    const thread = /^\d+/.exec(line)?.[0] ?? '';
    const start = /^(.*openat\(.*?) *<unfinished \.\.\.>$/.exec(line)?.[1];
    if (start !== undefined) {
      begun.set(thread, start);
      return '';
    }
    const end = /<\.\.\. openat resumed>(.*)$/.exec(line)?.[1];
    return end === undefined ? line : `${begun.get(thread) ?? ''}${end}`;
  });
}

describe('order of system calls', () => {
  test('a block is published only after data, fdatasync and the synchronous meta write', ({
    skip,
  }) => {
    const problem = findStraceProblem();
    skip(problem !== '', problem);
    const trace = join(folder, 'trace');
    const calls = 'openat,pwrite64,pwritev,writev,write,fdatasync,fsync,rename';
    const options = ['-f', '-e', `trace=${calls}`, '-o', trace];
    // Each flush returns 200 ms late: a publication that did not wait for it would come first.
    const delay = ['-e', 'inject=fdatasync,pwrite64:delay_exit=200000'];
    const settings = { bytes: 9_000, count: 1, segmentBytes: 1_000_000 };
    const command = [...options, ...delay, process.execPath, ...argumentsFor(settings)];
    const child = spawnSync('strace', command, { timeout: CHILD_TIMEOUT_MS, encoding: 'utf8' });
    expect(durablePositions(child.stdout)).toEqual([1]);

    const lines = joinOpenings(readFileSync(trace, 'utf8').split('\n'));
    const renamed = findLine(lines, /rename\(".*0000000000000001\.next"/, 0);
    const folderSyncing = findLine(lines, /fsync\(\d+/, renamed);
    const folderSynced = findLine(lines, /fsync(\(\d+\)| resumed>\)) += 0/, folderSyncing);
    const name = '0000000000000001/data\\.mdb"';
    const opened = findLine(lines, new RegExp(`openat.*${name}, O_RDWR.* = \\d+`), folderSynced);
    const openedAgain = findLine(lines, new RegExp(`openat.*${name}, O_WRONLY.*O_DSYNC`), opened);
    const dataDescriptors = lines
      .slice(opened, openedAgain)
      .flatMap((line) => [...line.matchAll(new RegExp(`${name}, O_RDWR.* = (\\d+)$`, 'g'))])
      .map((match) => match[1]);
    const metaDescriptor = / = (\d+)$/.exec(lines[openedAgain] ?? '')?.[1];
    const data = `(${dataDescriptors.join('|')})`;
    const written = findLine(lines, new RegExp(`p?writev?(64)?\\(${data},`), openedAgain);
    const flushing = findLine(lines, new RegExp(`fdatasync\\(${data}`), written);
    const flushed = findLine(lines, /fdatasync(\(\d+\)| resumed>\)) += 0/, flushing);
    const committed = findLine(lines, new RegExp(`pwrite64\\(${metaDescriptor},`), flushed);
    const committedEnd = findLine(lines, /pwrite64(\(| resumed>).* = \d+/, committed);
    const published = findLine(lines, /write\(1, "durable 1/, 0);
    expect(published).toBeGreaterThan(committedEnd);
  });
});

// The order of system calls of a whole server, seen by strace: a bet's answer is handed to the
// client's socket only after the log's data was written and flushed and the synchronous meta page
// was written (design law 1, rule 36). That a block is published only then is test/persist's; here
// it is the bytes on the wire.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Kind } from '../../core/kinds.ts';
import { RawStream } from './raw-stream.ts';
import { keyOfClient } from './seeded-folder.ts';
import { ServerRuns } from './server-runs.ts';

const TRACED = 'openat,pwrite64,pwritev,write,writev,fdatasync,sendto,sendmsg';
/** Each flush returns so much later than it is: an answer that did not wait would come first. */
const FLUSH_DELAY_US = 100_000;
const BET_COUNT = 3;
const TEST_TIMEOUT_MS = 90_000;

/** A system call's beginning and end, as line numbers of the trace: its order needs no clock. */
interface SystemCall {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Name, arguments and result; `strace -yy` writes what each descriptor stands for. */
  readonly text: string;
}

let runs: ServerRuns;

beforeEach(async () => {
  runs = await ServerRuns.prepare();
});

afterEach(() => runs.remove());

/** Whether strace is there and may trace: containers often forbid it. */
function findStraceProblem(): string {
  const probe = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']);
  if (probe.error) return 'strace is not installed';
  return probe.status === 0 ? '' : 'strace may not trace here';
}

/** strace as a process beside the server, which stays the child that gets the signals. */
function straceInto(file: string): string[] {
  return [
    ...['strace', '-D', '-f', '-yy', '-x', '-s', '24', '-o', file, '-e', `trace=${TRACED}`],
    ...['-e', `inject=fdatasync:delay_exit=${FLUSH_DELAY_US}`],
  ];
}

/** Calls in the order of their beginning; one that another thread's call cuts is put together. */
function readCalls(file: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const unfinished = new Map<string, { readonly startedAt: number; readonly text: string }>();
  for (const [at, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    const [, thread, text] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (text === undefined) continue;
    const begun = unfinished.get(thread);
    const [, rest] = /^<\.\.\. \w+ resumed>(.*)$/.exec(text) ?? [];
    if (text.endsWith('<unfinished ...>')) unfinished.set(thread, { startedAt: at, text });
    else if (rest === undefined) calls.push({ startedAt: at, endedAt: at, text });
    else if (begun !== undefined) {
      unfinished.delete(thread);
      calls.push({ startedAt: begun.startedAt, endedAt: at, text: `${begun.text}${rest}` });
    }
  }
  return calls.sort((one, other) => one.startedAt - other.startedAt);
}

/** The trace's calls of these names on what the pattern describes. */
function find(calls: readonly SystemCall[], names: string, target: string): SystemCall[] {
  const pattern = new RegExp(`^(${names})\\(\\d+<${target}>`);
  return calls.filter(({ text }) => pattern.test(text));
}

/** strace writes the end of its file when the server is gone, and ends by itself. */
async function waitForTrace(file: string): Promise<void> {
  const isWhole = (): boolean => /\+\+\+ exited with 0 \+\+\+\n$/.test(readFileSync(file, 'utf8'));
  for (let poll = 0; poll < 200 && !isWhole(); poll += 1) await sleep(20);
}

describe('order of system calls', () => {
  test(
    'an answer reaches the socket only after data, fdatasync and the synchronous meta write',
    async ({ skip }) => {
      const problem = findStraceProblem();
      skip(problem !== '', problem);
      const trace = join(dirname(runs.folder), 'trace');
      await runs.start(straceInto(trace)).listening();
      const stream = await RawStream.open(runs.port, keyOfClient('casino', 'studio-1'));
      stream.send([1, 0, [[Kind.open, 'open', 'ann', 'EUR']]]);
      stream.send([1, 1, [[Kind.deposit, 'deposit', 'ann', 'EUR', 1_000]]]);
      await stream.waitForAnswers(2);
      for (let number = 2; number < 2 + BET_COUNT; number += 1) {
        stream.send([1, number, [[Kind.bet, `bet-${number}`, 'ann', 'EUR', 1]]]);
        await stream.waitForAnswers(number + 1);
      }
      stream.close();
      expect((await runs.end('SIGTERM')).exit).toBe(0);
      await waitForTrace(trace);

      const calls = readCalls(trace);
      const logFile = '[^>]*/log/\\d{16}/data\\.mdb';
      const client = `TCP:\\[127\\.0\\.0\\.1:${runs.port}->[^\\]]*\\]`;
      const written = find(calls, 'pwrite64|pwritev|writev|write', logFile);
      const flushed = find(calls, 'fdatasync', logFile);
      const answers = find(calls, 'sendto|sendmsg|send|write|writev', client);
      // The upgrade and its hello leave by one call; the bets' answers are the last.
      const ofBets = answers.slice(-BET_COUNT);
      expect(ofBets.length).toBe(BET_COUNT);
      let answeredAt = answers.at(-BET_COUNT - 1)?.endedAt ?? 0;
      for (const answer of ofBets) {
        const within = ({ startedAt, endedAt }: SystemCall): boolean =>
          startedAt > answeredAt && endedAt < answer.startedAt;
        const flush = flushed.find(within);
        const explanation = `before ${answer.text}\n${calls.map(({ text }) => text).join('\n')}`;
        expect(flush?.text, explanation).toMatch(/= 0 \(DELAYED\)$/);
        const flushStart = flush?.startedAt ?? 0;
        const flushEnd = flush?.endedAt ?? 0;
        const data = written.find((call) => within(call) && call.endedAt < flushStart);
        const meta = written.find((call) => within(call) && call.startedAt > flushEnd);
        expect(data?.text, explanation).toMatch(/ = [1-9]\d*$/);
        expect(meta?.text, explanation).toMatch(/^pwrite64.* = [1-9]\d*$/);
        // The meta page goes through a descriptor of its own, opened for synchronous writing.
        expect(descriptorOf(meta)).not.toBe(descriptorOf(data));
        expect(dsyncDescriptors(calls)).toContain(descriptorOf(meta));
        // Nothing left for this client between the bet's data and its answer.
        const dataStart = data?.startedAt ?? 0;
        const early = answers.filter(
          ({ startedAt }) => startedAt > dataStart && startedAt < answer.startedAt,
        );
        expect(early, explanation).toEqual([]);
        answeredAt = answer.endedAt;
      }
    },
    TEST_TIMEOUT_MS,
  );
});

function descriptorOf(call: SystemCall | undefined): string | undefined {
  return /^\w+\((\d+)/.exec(call?.text ?? '')?.[1];
}

/** Descriptors of the log's files that were opened with O_DSYNC. */
function dsyncDescriptors(calls: readonly SystemCall[]): (string | undefined)[] {
  return calls
    .filter(({ text }) => /^openat\(.*data\.mdb".*O_DSYNC/.test(text))
    .map(({ text }) => / = (\d+)</.exec(text)?.[1]);
}

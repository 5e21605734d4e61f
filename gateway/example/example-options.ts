// The example's command line and where it finds a key: KASSA_URL and KASSA_KEY, or the demo key
// that a first start of Kassa left in the data folder.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** What the example plays, where and as whom. */
export interface ExampleOptions {
  readonly url: string;
  readonly key: string;
  readonly currency: string;
  readonly players: number;
  /** Of each player, at most. */
  readonly rounds: number;
  /** Playing time, at most. */
  readonly seconds: number;
  readonly pauseMs: number;
}

const HELP = `npm run example -- [options]

A game server that plays rounds for some players against a running Kassa, and goes on
after Kassa was stopped, killed or restarted.

  --players <number>   players at once (5)
  --rounds <number>    rounds of each player, at most (100)
  --seconds <number>   playing time, at most (30)
  --pause-ms <number>  pause between a player's rounds (20)
  --url <url>          KASSA_URL, or ws://127.0.0.1:7070/v1/stream
  --key <id.secret>    KASSA_KEY, or the demo key in KASSA_DATA (./data)
  --currency <code>    EUR

Examples:
  npm run example
  npm run example -- --players 50 --rounds 1000 --seconds 60 --pause-ms 0`;

/** The options of a command line, or null after printing help or what is wrong. */
export function readExampleOptions(programArguments: string[]): ExampleOptions | null {
  try {
    const { values } = parseArgs({
      args: programArguments,
      options: {
        players: { type: 'string', default: '5' },
        rounds: { type: 'string', default: '100' },
        seconds: { type: 'string', default: '30' },
        'pause-ms': { type: 'string', default: '20' },
        url: {
          type: 'string',
          default: process.env.KASSA_URL ?? 'ws://127.0.0.1:7070/v1/stream',
        },
        key: { type: 'string' },
        currency: { type: 'string', default: 'EUR' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return null;
    }
    return {
      url: values.url,
      key: values.key ?? process.env.KASSA_KEY ?? readDemoKey(),
      currency: values.currency,
      players: wholeNumber('players', values.players, 1),
      rounds: wholeNumber('rounds', values.rounds, 1),
      seconds: wholeNumber('seconds', values.seconds, 1),
      pauseMs: wholeNumber('pause-ms', values['pause-ms'], 0),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    process.exitCode = 2;
    return null;
  }
}

function wholeNumber(name: string, text: string, minimum: number): number {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number >= minimum) return number;
  throw new Error(`Cannot use --${name} because it is no whole number from ${minimum}: ${text}`);
}

function readDemoKey(): string {
  const path = join(process.env.KASSA_DATA ?? './data', 'demo.json');
  try {
    const demo: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const { clientId, secret } = demo as { clientId: unknown; secret: unknown };
    return `${String(clientId)}.${String(secret)}`;
  } catch {
    throw new Error(
      `Cannot find a key because ${path} cannot be read. ` +
        'Start Kassa in this folder (npm start), or set KASSA_KEY=<client id>.<secret>.',
    );
  }
}

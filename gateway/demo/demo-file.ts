// data/demo.json: the keys of the demo's two clients, so that the first bet can be printed again at
// each start. It is on disk before the clients are made, else a crash in between would leave a
// client whose key nobody knows. Main thread only. A crash leaves the old file or the new one.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileDurably } from '../../persist/durable-files.ts';

const FILE_NAME = 'demo.json';
const SECRET_BYTES = 32;

const demoSchema = z.strictObject({
  clientId: z.string(),
  secret: z.string(),
  adminId: z.string(),
  adminSecret: z.string(),
  complete: z.boolean(),
});

/** The content of data/demo.json. */
export interface Demo {
  readonly clientId: string;
  /** The second half of the key, the only place where it is kept in clear. */
  readonly secret: string;
  /** The platform client that may make further operators and clients. */
  readonly adminId: string;
  readonly adminSecret: string;
  /** Whether operator, clients, player and money are durable. */
  readonly complete: boolean;
}

/** The demo of this data folder, or undefined if none was ever begun. */
export function readDemo(dataFolder: string): Demo | undefined {
  const path = join(dataFolder, FILE_NAME);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const parsed = demoSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Error(
    `Cannot print the demo because its file is not as it was written: ${path}; ` +
      'remove the file, or start with KASSA_DEMO=off',
  );
}

/** A new demo with random secrets; not written yet. */
export function makeDemo(): Demo {
  return {
    clientId: 'demo-game',
    secret: randomBytes(SECRET_BYTES).toString('base64url'),
    adminId: 'demo-admin',
    adminSecret: randomBytes(SECRET_BYTES).toString('base64url'),
    complete: false,
  };
}

/** Writes the demo; on disk when it returns. Only the owner may read it. */
export function writeDemo(dataFolder: string, demo: Demo): void {
  writeFileDurably(join(dataFolder, FILE_NAME), `${JSON.stringify(demo, null, 2)}\n`);
}

/** What the log keeps of a secret: its SHA-256 in hex. */
export function sha256Of(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

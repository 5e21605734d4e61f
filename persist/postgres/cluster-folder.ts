// The cluster folder `<data folder>/postgres`: made by initdb under the name `postgres.next` and
// renamed when it is whole, so a crash leaves no half cluster under the final name. A folder of
// another major version cannot be opened; it is moved aside, never removed, and a new one is filled
// from the log. Main thread only, under the data folder's lock.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { syncFolder, UNFINISHED_SUFFIX } from '../durable-files.ts';
import { endSurvivors } from './cluster-processes.ts';
import { KASSA_NAME } from './cluster-socket.ts';
import type { EmbeddedBinaries } from './embedded-binaries.ts';
import { embeddedCommand, NOBODY_ID } from './embedded-command.ts';
import { launchError, MINIMAL_ENVIRONMENT } from './embedded-launch.ts';

const CLUSTER_NAME = 'postgres';

/** Path of the cluster in a data folder that exists; without symbolic links. */
export function clusterFolderOf(dataFolder: string): string {
  return join(realpathSync(dataFolder), CLUSTER_NAME);
}

/** Major version of the cluster, "unknown" if the folder holds none; undefined without a folder. */
export function readClusterVersion(clusterFolder: string): string | undefined {
  if (!existsSync(clusterFolder)) return undefined;
  const file = join(clusterFolder, 'PG_VERSION');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : 'unknown';
}

/** Moves a cluster to the first free name `postgres-<version>-<n>`, and returns the new path. */
export function moveClusterAside(clusterFolder: string, version: string): string {
  const nameOf = (number: number) => `${clusterFolder}-${version}-${number}`;
  let number = 1;
  while (existsSync(nameOf(number))) number += 1;
  renameSync(clusterFolder, nameOf(number));
  syncFolder(join(clusterFolder, '..'));
  return nameOf(number);
}

/** Removes what a crash left of an unfinished cluster, once no process works in it any more. */
export async function removeUnfinishedCluster(clusterFolder: string): Promise<void> {
  const unfinished = clusterFolder + UNFINISHED_SUFFIX;
  if (!existsSync(unfinished)) return;
  await endSurvivors(unfinished);
  rmSync(unfinished, { recursive: true });
}

/** Makes the cluster; its folder must not exist. On disk when it resolves. */
export async function makeCluster(
  clusterFolder: string,
  options: { readonly binaries: EmbeddedBinaries; readonly isRoot: boolean },
): Promise<void> {
  const unfinished = clusterFolder + UNFINISHED_SUFFIX;
  mkdirSync(unfinished, { mode: 0o700 });
  chmodSync(unfinished, 0o700);
  if (options.isRoot) chownSync(unfinished, NOBODY_ID, NOBODY_ID);
  const [program, ...parts] = embeddedCommand({
    program: 'initdb',
    nativeFolder: options.binaries.nativeFolder,
    clusterFolder: unfinished,
    isRoot: options.isRoot,
    arguments: [
      `--username=${KASSA_NAME}`,
      // The socket lies in a folder that only its owner may enter.
      ...['--auth=trust', '--encoding=UTF8', '--locale=C', '--no-instructions'],
    ],
  });
  try {
    await runToEnd(program, parts);
  } catch (error) {
    await removeUnfinishedCluster(clusterFolder);
    throw error;
  }
  renameSync(unfinished, clusterFolder);
  syncFolder(join(clusterFolder, '..'));
}

async function runToEnd(program: string, parts: readonly string[]): Promise<void> {
  const child = spawn(program, parts, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: MINIMAL_ENVIRONMENT,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += String(data);
    });
  }
  const end = await new Promise<number | string | Error>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'nothing'));
  });
  if (end !== 0) throw launchError('make', end, output.trim().split('\n'));
}

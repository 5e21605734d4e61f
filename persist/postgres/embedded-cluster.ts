// The embedded Postgres: the server that Kassa starts for reporting where no other one is named.
// For the main thread of a process, of a server or a command that holds the data folder's lock: the
// postmaster's death signal is bound to the thread that spawned it. Whatever ends this process ends
// the postmaster too; one that lives on all the same is ended by the next start. A crash leaves a
// cluster that recovers by itself.
import { Client } from 'pg';
import { assert } from '../../core/assert.ts';
import {
  clusterFolderOf,
  makeCluster,
  moveClusterAside,
  readClusterVersion,
  removeUnfinishedCluster,
} from './cluster-folder.ts';
import { endSurvivors, removeForeignLocks } from './cluster-processes.ts';
import {
  type EmbeddedConnection,
  KASSA_NAME,
  openSocketFolder,
  type SocketFolder,
} from './cluster-socket.ts';
import { type EmbeddedBinaries, findEmbeddedBinaries } from './embedded-binaries.ts';
import { embeddedCommand } from './embedded-command.ts';
import { settingArguments } from './embedded-settings.ts';
import { GrowthFlushes } from './growth-flushes.ts';
import { Postmaster } from './postmaster.ts';
import { SessionWeights } from './session-weights.ts';

/** How to start the cluster. */
export interface EmbeddedClusterOptions {
  /** Has to exist. */
  readonly dataFolder: string;
  /** Called with each line that tells what is done, or that Postgres prints while it starts. */
  readonly onLine?: (line: string) => void;
  /** Called once if the cluster ends by itself after its start; never after stop(). */
  readonly onExit: (reason: string) => void;
}

/** What the folder is prepared with. */
interface Preparation {
  readonly binaries: EmbeddedBinaries;
  readonly isRoot: boolean;
  readonly onLine: (line: string) => void;
}

/** A running embedded cluster. */
export class EmbeddedCluster {
  /** How to connect, from any thread of this process. */
  readonly connection: EmbeddedConnection;
  /** Process id of the postmaster. */
  readonly pid: number;
  readonly #postmaster: Postmaster;
  #isStopping = false;

  private constructor(
    postmaster: Postmaster,
    socket: SocketFolder,
    clusterFolder: string,
    onExit: EmbeddedClusterOptions['onExit'],
  ) {
    assert(postmaster.pid !== undefined, 'a postmaster that answers has a process id');
    this.connection = socket.connection;
    this.pid = postmaster.pid;
    this.#postmaster = postmaster;
    const weights = new SessionWeights(postmaster.pid);
    const flushes = new GrowthFlushes(clusterFolder);
    void postmaster.ended.then((end) => {
      weights.stop();
      flushes.stop();
      socket.close();
      if (this.#isStopping) return;
      onExit(`the embedded Postgres ended with ${end}:\n${postmaster.lastLines().join('\n')}`);
    });
  }

  /** Makes the cluster if there is none, starts it, and resolves once it answers. */
  static async start(options: EmbeddedClusterOptions): Promise<EmbeddedCluster> {
    const onLine = options.onLine ?? (() => undefined);
    const binaries = findEmbeddedBinaries();
    const isRoot = process.geteuid?.() === 0;
    const clusterFolder = clusterFolderOf(options.dataFolder);
    await prepareFolder(clusterFolder, { binaries, isRoot, onLine });
    const { nativeFolder } = binaries;
    const command = embeddedCommand({
      ...{ program: 'postgres', nativeFolder, clusterFolder, isRoot },
      arguments: settingArguments(),
    });
    const socket = openSocketFolder(clusterFolder);
    const postmaster = new Postmaster({ command, clusterFolder, onLine });
    try {
      await postmaster.ready(socket.connection);
      await makeDatabase(socket.connection);
    } catch (error) {
      await postmaster.end('SIGQUIT');
      socket.close();
      throw error;
    }
    return new EmbeddedCluster(postmaster, socket, clusterFolder, options.onExit);
  }

  /** Ends sessions and the server; resolves when all of its processes are gone. */
  async stop(): Promise<void> {
    if (!this.#isStopping) {
      this.#isStopping = true;
      await this.#postmaster.end('SIGINT');
    }
    await this.#postmaster.ended;
  }
}

/** Leaves a cluster of the right version in which no process works. */
async function prepareFolder(clusterFolder: string, options: Preparation): Promise<void> {
  const { binaries, onLine } = options;
  await removeUnfinishedCluster(clusterFolder);
  const version = readClusterVersion(clusterFolder);
  if (version !== undefined) {
    const survivor = await endSurvivors(clusterFolder);
    if (survivor !== undefined) onLine(`ended the postmaster of an earlier run: ${survivor}`);
    removeForeignLocks(clusterFolder);
  }
  if (version !== undefined && version !== binaries.majorVersion) {
    const aside = moveClusterAside(clusterFolder, version);
    onLine(
      `moved the cluster of Postgres ${version} to ${aside}, because Postgres ` +
        `${binaries.majorVersion} cannot open it; a new one is made and filled from the log`,
    );
  }
  if (version === binaries.majorVersion) return;
  await makeCluster(clusterFolder, options);
  onLine(`made a new cluster of Postgres ${binaries.majorVersion} in ${clusterFolder}`);
}

/** Asked at each start: a crash may have come between the cluster and its database. */
async function makeDatabase(connection: EmbeddedConnection): Promise<void> {
  const client = new Client({ ...connection, database: 'postgres' });
  // A server that ends tells so by an event too; the query's rejection is what counts.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const query = 'select 1 from pg_database where datname = $1';
    const { rowCount } = await client.query(query, [connection.database]);
    if (rowCount === 0) await client.query(`create database ${KASSA_NAME}`);
  } finally {
    await client.end();
  }
}

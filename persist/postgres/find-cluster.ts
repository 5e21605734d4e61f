// Finds the embedded cluster that another process runs in a data folder; for the command line. Only
// looks, so it needs no lock.
import { clusterFolderOf } from './cluster-folder.ts';
import { ownerOf, readPostmasterPid } from './cluster-processes.ts';
import { type EmbeddedConnection, openSocketFolder } from './cluster-socket.ts';

/**
 * How to connect to the cluster that runs in the data folder; undefined if none does. The folder
 * has to exist. A descriptor that a very long path needs stays open until the process ends.
 */
export function findRunningCluster(dataFolder: string): EmbeddedConnection | undefined {
  const clusterFolder = clusterFolderOf(dataFolder);
  const pid = readPostmasterPid(clusterFolder);
  if (pid === undefined) return undefined;
  const owner = ownerOf(pid, clusterFolder);
  // Where /proc tells nothing the connection itself will show it.
  if (owner !== 'this folder' && owner !== 'unknown') return undefined;
  return openSocketFolder(clusterFolder).connection;
}

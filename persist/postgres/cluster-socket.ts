// How a cluster in a folder is reached: by the Unix socket in the folder itself, whose rights are
// the folder's. No password: who may enter the folder may connect. Any thread.
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';

/** Part of the socket's file name; nothing listens on it. */
export const SOCKET_PORT = 5432;

/** Name of the superuser and of the database. */
export const KASSA_NAME = 'kassa';

/** sun_path has 108 bytes, one of them for the zero at the end. */
const SOCKET_PATH_BYTES_MAX = 107;

/** The socket's file in the cluster folder. */
export const SOCKET_FILE: string = `.s.PGSQL.${SOCKET_PORT}`;

/** How to connect, as pg's Client takes it; plain data, so it may go to another thread. */
export interface EmbeddedConnection {
  /** Folder of the socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** A socket has no TLS, whatever PGSSLMODE says. */
  readonly ssl: false;
}

/** The folder of a socket, by a path that is short enough. */
export interface SocketFolder {
  readonly connection: EmbeddedConnection;
  /** Gives the descriptor back, if one was needed; new connections are not possible after it. */
  close(): void;
}

/**
 * Opens the way to the socket in the cluster folder, which has to exist. A path that is too long is
 * replaced by a descriptor of the folder: valid in all threads of this process, in no other one.
 */
export function openSocketFolder(clusterFolder: string): SocketFolder {
  const isShort = Buffer.byteLength(join(clusterFolder, SOCKET_FILE)) <= SOCKET_PATH_BYTES_MAX;
  if (isShort) return { connection: connectionBy(clusterFolder), close() {} };
  const descriptor = openSync(clusterFolder, constants.O_RDONLY | constants.O_DIRECTORY);
  return {
    connection: connectionBy(`/proc/self/fd/${descriptor}`),
    close: () => closeSync(descriptor),
  };
}

function connectionBy(host: string): EmbeddedConnection {
  return { host, port: SOCKET_PORT, user: KASSA_NAME, database: KASSA_NAME, ssl: false };
}

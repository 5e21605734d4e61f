// A process of its own that runs the embedded cluster of a data folder until it is killed, or until
// standard input ends, when it stops the cluster as the server does. Argument: the data folder.
// Prints `started <postmaster's process id>` once the cluster answers.
import { writeSync } from 'node:fs';
import { EmbeddedCluster } from '../../../persist/postgres/embedded-cluster.ts';

const [dataFolder = ''] = process.argv.slice(2);
const cluster = await EmbeddedCluster.start({
  dataFolder,
  onExit(reason) {
    throw new Error(reason);
  },
});
writeSync(1, `started ${cluster.pid}\n`);
process.stdin.resume();
process.stdin.once('end', () => void cluster.stop());

// Refuses any Node but the pinned one. On others lmdb was seen to store foreign memory in place of
// a block, without an error. Main thread only, first thing of a start.
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const manifestSchema = z.object({ version: z.string(), engines: z.object({ node: z.string() }) });

/** The project's own version and the Node it is pinned to, from package.json. */
export interface ProjectManifest {
  readonly version: string;
  readonly pinnedNode: string;
}

/** Reads package.json beside the sources. */
export function readManifest(): ProjectManifest {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version, engines } = manifestSchema.parse(JSON.parse(text));
  return { version, pinnedNode: engines.node };
}

/** The reason to refuse this Node, or '' for the pinned one. */
export function refuseNode(runningVersion: string, pinnedNode: string): string {
  return runningVersion === `v${pinnedNode}`
    ? ''
    : `Cannot start because Kassa runs only on Node ${pinnedNode}: this is ${runningVersion}. ` +
        '`npm start` installs and uses the right one.';
}

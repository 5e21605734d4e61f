// Entry of the load generator's process: gets one run's settings from its parent, reports, ends. It
// ends with its parent too, so that a killed benchmark leaves nothing that sends.
import { type LoadResult, type LoadSettings, runLoad } from './load-run.ts';

/** What the generator tells the benchmark. */
export type LoadMessage =
  | { readonly type: 'progress'; readonly transactions: number }
  | { readonly type: 'windowOpened' }
  | { readonly type: 'windowClosed' }
  | { readonly type: 'finished'; readonly result: LoadResult }
  | { readonly type: 'failed'; readonly reason: string };

function tell(message: LoadMessage): void {
  if (process.connected) process.send?.(message);
}

// Ctrl-C reaches the whole group; the parent decides what happens then.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(1));
process.once('message', (settings: LoadSettings) => {
  runLoad(settings, {
    onProgress: (transactions) => tell({ type: 'progress', transactions }),
    onWindowOpened: () => tell({ type: 'windowOpened' }),
    onWindowClosed: () => tell({ type: 'windowClosed' }),
  }).then(
    (result) => tell({ type: 'finished', result }),
    (error: Error) => tell({ type: 'failed', reason: error.message }),
  );
});

// A progress bar on standard error where that is a terminal, and nothing where it is not, so that
// the output of a scheduled job stays readable.
import { SingleBar } from 'cli-progress';
import type { Invocation } from './invocation.ts';

/** How far a command is. */
export interface Progress {
  /** Both counts may change; the total is never shown below what is done. */
  update(doneCount: number, totalCount: number): void;
  /** Ends the bar's line. May be called again. */
  stop(): void;
}

const RATE_WINDOW_MS = 1_000;

/** Opens a bar, drawn at its first update. The unit is a plural: "records". */
export function openProgress(
  { errorOutput }: Invocation,
  { title, unit }: { readonly title: string; readonly unit: string },
): Progress {
  if (errorOutput.isTTY !== true) return { update: () => undefined, stop: () => undefined };
  return new TerminalProgress(errorOutput, title, unit);
}

class TerminalProgress implements Progress {
  readonly #bar: SingleBar;
  readonly #title: string;
  #isDrawn = false;
  #windowStartMs = 0;
  #windowStartCount = 0;
  #rateText = '…';

  constructor(stream: NodeJS.WritableStream, title: string, unit: string) {
    this.#title = title;
    this.#bar = new SingleBar({
      ...{ stream, hideCursor: true, barsize: 24, etaBuffer: 50, gracefulExit: false },
      format:
        `{title} [{bar}] {percentage} % | {value} of {total} ${unit} ` +
        '| {rate}/s | {eta} s left',
      barCompleteChar: '=',
      barIncompleteChar: ' ',
      formatValue: (value, _options, type) =>
        type === 'value' || type === 'total' ? value.toLocaleString('en-US') : String(value),
    });
  }

  update(doneCount: number, totalCount: number): void {
    const total = Math.max(doneCount, totalCount);
    if (!this.#isDrawn) {
      this.#isDrawn = true;
      this.#windowStartMs = performance.now();
      this.#windowStartCount = doneCount;
      this.#bar.start(total, doneCount, { title: this.#title, rate: this.#rateText });
      return;
    }
    this.#measure(doneCount);
    this.#bar.setTotal(total);
    this.#bar.update(doneCount, { rate: this.#rateText });
  }

  stop(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    this.#bar.stop();
  }

  #measure(doneCount: number): void {
    const elapsedMs = performance.now() - this.#windowStartMs;
    if (elapsedMs < RATE_WINDOW_MS) return;
    const rate = ((doneCount - this.#windowStartCount) * 1_000) / elapsedMs;
    this.#rateText = Math.round(rate).toLocaleString('en-US');
    this.#windowStartMs = performance.now();
    this.#windowStartCount = doneCount;
  }
}

// An engine without sockets and disk for microbenchmarks: canonical frames are decoded by the
// gateway's decoder and decided by a shard, in memory. One thread.
import { Packr } from 'msgpackr';
import { assert } from '../../core/assert.ts';
import { BlockContent } from '../../core/block-content.ts';
import { Kind } from '../../core/kinds.ts';
import { BLOCK_CONTENT_BYTES_MAX } from '../../core/limits.ts';
import { OutcomeColumns } from '../../core/outcome-columns.ts';
import { Shard } from '../../core/shard.ts';
import type { TransactionColumns } from '../../core/transaction-columns.ts';
import { FrameDecoder } from '../../gateway/wire/frame-decoder.ts';
import { type RequestHead, readRequestHead } from '../../gateway/wire/request-head.ts';
import { emptyColumns } from '../../gateway/wire/transaction-reader.ts';
import type { TransactionRun } from '../../gateway/wire/transaction-run.ts';
import { identifierForm } from '../load/identifiers.ts';
import { AccountsWorkload, CanonicalWorkload, type Workload } from '../load/workload.ts';

const OPERATOR = 'bench';
const NOW_MS = 1_790_000_000_000;
const FRAME_ROWS = 1_000;
const EVERY_KIND = -1;
const SEED_BYTES = 16;

/** A shard with open and funded accounts, and the frames of the canonical workload for it. */
export class MicroEngine {
  readonly shard: Shard = new Shard({ shard: 0, hashSeed: new Uint8Array(SEED_BYTES).fill(7) });
  readonly #decoder = new FrameDecoder();
  readonly columns: TransactionColumns = this.#decoder.columns;
  readonly outcomes: OutcomeColumns = new OutcomeColumns();
  readonly block: BlockContent = new BlockContent(new Uint8Array(BLOCK_CONTENT_BYTES_MAX));
  readonly #head: RequestHead = { type: 0, requestId: 0, count: 0, at: 0 };
  readonly #canonical: Workload;
  readonly #frame: Uint8Array;
  readonly #view: DataView;
  #frameEnd = 0;

  constructor(accountCount: number) {
    const settings = {
      connection: 0,
      connectionCount: 1,
      frameTransactions: FRAME_ROWS,
      accountCount,
      identifiers: identifierForm(36),
      currency: 'EUR',
      seed: 1,
      run: 0,
      runCount: 1,
    };
    this.#canonical = new CanonicalWorkload(settings);
    this.#frame = new Uint8Array(this.#canonical.frameBytesMax);
    this.#view = new DataView(this.#frame.buffer);
    this.#makeOperator();
    for (const phase of ['open', 'deposit'] as const) {
      const workload = new AccountsWorkload(settings, phase);
      while (this.#write(workload)) this.decideFrame();
    }
  }

  /** Writes the next canonical frame; each of its keys is new. */
  nextFrame(): void {
    const isWritten = this.#write(this.#canonical);
    assert(isWritten, 'the canonical workload has no end');
  }

  /** Decodes the frame written last into the columns. */
  decodeFrame(): void {
    const head = this.#head;
    const headerBytes = 8 + (this.#frame[1] === 0xff ? 6 : 0);
    const isRequest = readRequestHead(this.#view, headerBytes, this.#frameEnd, head);
    assert(isRequest && head.type === 1, 'a frame of the workload is a request');
    emptyColumns(this.columns);
    this.columns.sources.push({ bytes: this.#frame, view: this.#view });
    const { directory } = this.shard;
    const run: TransactionRun = {
      source: this.columns.sources[0],
      sourceIndex: 0,
      sender: {
        kindsAllowed: EVERY_KIND,
        operatorNumber: directory.operatorNumber(OPERATOR),
        providerNumber: 0,
        findOperator: (name) => directory.operatorNumber(name),
        findProvider: (name) => directory.providerNumber(name),
      },
      at: head.at,
      end: this.#frameEnd,
      remaining: head.count,
      isInterrupted: false,
    };
    const isWhole = this.#decoder.decode(run, head.count, this.#frameEnd);
    assert(isWhole && run.remaining === 0, 'a frame of the workload is whole');
  }

  /** Decides what was decoded; every outcome must be ok. */
  decideColumns(): void {
    const { block, columns, outcomes } = this;
    block.reset();
    const decided = this.shard.decide(columns, 0, NOW_MS, block, outcomes);
    assert(decided === columns.count, 'a block holds the records of one frame');
    for (let row = 0; row < columns.count; row += 1) {
      assert(outcomes.code[row] === 0, 'every transaction of the workload is accepted');
    }
  }

  /** Decodes and decides the frame written last. */
  decideFrame(): void {
    this.decodeFrame();
    this.decideColumns();
  }

  #write(workload: Workload): boolean {
    this.#frameEnd = workload.writeFrame(this.#frame, this.#view, 0);
    return this.#frameEnd > 0;
  }

  #makeOperator(): void {
    const options = {
      operator: OPERATOR,
      definition: JSON.stringify({ currencies: { EUR: 2 } }),
    };
    const nothing = Array(9).fill(null);
    const request = [1, 0, [[Kind.setOperator, 'operator', ...nothing, options]]];
    const payload = new Packr({ useRecords: false }).pack(request);
    // In the place of a frame with a header of 8 bytes, as decodeFrame expects it.
    this.#frame.fill(0, 0, 8);
    this.#frame.set(payload, 8);
    this.#frameEnd = 8 + payload.byteLength;
    this.decideFrame();
  }
}

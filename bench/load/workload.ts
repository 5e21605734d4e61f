// The transactions of a run, written frame by frame into a connection's buffer.
//
// Canonical (design section 9), in tens: 7 bets, 3 wins. Of 7 bets, 4 are lost and end their round
// themselves; 3 get a win in a later frame of the same connection, which names the bet and the
// round and ends the round. Every round is new, accounts are drawn at random for each bet.
//
//   row of ten   0     1     2    3     4     5    6     7     8    9
//                lost  bet   win  lost  bet   win  lost  bet   win  lost
//                       └─ won by row 2, 5, 8 of a later ten ─┘
import { assert } from '../../core/assert.ts';
import { Kind } from '../../core/kinds.ts';
import { buildTemplate, type FrameTemplate, type TemplateRow } from './frame-template.ts';
import {
  type IdentifierForm,
  identifierText,
  mix,
  patchIdentifier,
  type Salts,
  saltsOf,
} from './identifiers.ts';

/** A source of frames for one connection. */
export interface Workload {
  /** No frame is longer. */
  readonly frameBytesMax: number;
  /** Rows of the frame written last. */
  readonly lastRowCount: number;
  /** Writes the next frame at `at` and returns its end, or −1 when there are no more. */
  writeFrame(bytes: Uint8Array, view: DataView, at: number): number;
}

/** What the connections of one run share. */
export interface WorkloadSettings {
  readonly connection: number;
  readonly connectionCount: number;
  readonly frameTransactions: number;
  readonly accountCount: number;
  readonly identifiers: IdentifierForm;
  readonly currency: string;
  readonly seed: number;
  /** From 0, below runCount; each has numbers of its own, and so transactions and rounds. */
  readonly run: number;
  readonly runCount: number;
}

const TEN = 10;
const WIN_EVERY_THIRD = 3;
const GAME_COUNT = 32;
/** Each account's first deposit: enough for any run (a bet takes 500 at most). */
const DEPOSIT_MINOR = 1_000_000_000;
/** All runs share the numbers below this. */
const NUMBERS: number = 2 ** 32;

/** Bets and wins of the canonical workload on one connection. */
export class CanonicalWorkload implements Workload {
  readonly frameBytesMax: number;
  lastRowCount = 0;
  readonly #settings: WorkloadSettings;
  readonly #salts: Salts;
  readonly #templates: readonly FrameTemplate[];
  readonly #preludeTemplates: readonly FrameTemplate[];
  /** How many rows after its bet a win stands, less one: at least a frame. */
  readonly #distance: number;
  /** The account of each of the last rows, by serial. */
  readonly #accounts: Uint32Array;
  /** The number of row 0: what the ids of a transaction and its round are made of. */
  readonly #firstNumber: number;
  #serial = 0;
  #random: number;

  constructor(settings: WorkloadSettings) {
    const { frameTransactions, connection, seed, run, runCount } = settings;
    assert(run >= 0 && run < runCount, 'each run on the same accounts has numbers of its own');
    this.#settings = settings;
    this.#firstNumber = run * Math.floor(NUMBERS / runCount) + connection;
    this.#salts = saltsOf(seed);
    this.#distance = Math.ceil(frameTransactions / TEN) * TEN;
    this.#accounts = new Uint32Array(2 ** Math.ceil(Math.log2(this.#distance * 2 + TEN)));
    this.#random = mix(seed ^ mix(this.#firstNumber + 1)) | 1;
    this.#templates = templatesOf(settings, false);
    this.#preludeTemplates = templatesOf(settings, true);
    this.frameBytesMax = Math.max(
      ...[...this.#templates, ...this.#preludeTemplates].map((each) => each?.bytes.byteLength ?? 0),
    );
  }

  /** Copies the template, then patches each row: about 40 ns a transaction. */
  writeFrame(bytes: Uint8Array, view: DataView, at: number): number {
    const start = this.#serial;
    const templates = start < this.#distance ? this.#preludeTemplates : this.#templates;
    const template = templates[start % TEN];
    bytes.set(template.bytes, at);
    view.setUint32(at + template.requestIdAt, (start / template.rowCount) >>> 0);
    const { connectionCount } = this.#settings;
    const firstNumber = this.#firstNumber;
    const { transaction, round, player } = this.#salts;
    const accountMask = this.#accounts.length - 1;
    for (let row = 0; row < template.rowCount; row += 1) {
      const serial = start + row;
      const number = firstNumber + serial * connectionCount;
      const referenceAt = template.referenceAt[row];
      let account = 0;
      let betNumber = number;
      if (referenceAt === 0) {
        account = this.#drawAccount();
        this.#accounts[serial & accountMask] = account;
      } else {
        const betSerial = serial - 1 - this.#distance;
        account = this.#accounts[betSerial & accountMask];
        betNumber = firstNumber + betSerial * connectionCount;
        patchIdentifier(view, at + referenceAt, mix(betNumber ^ transaction));
      }
      patchIdentifier(view, at + template.transactionIdAt[row], mix(number ^ transaction));
      patchIdentifier(view, at + template.playerAt[row], mix(account ^ player));
      patchIdentifier(view, at + template.roundAt[row], mix(betNumber ^ round));
    }
    this.#serial = start + template.rowCount;
    this.lastRowCount = template.rowCount;
    return at + template.bytes.byteLength;
  }

  #drawAccount(): number {
    let bits = this.#random;
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    this.#random = bits;
    return Math.floor(((bits >>> 0) / 4_294_967_296) * this.#settings.accountCount);
  }
}

/** Opens every account, or makes every account's deposit, once; frames are dealt to connections. */
export class AccountsWorkload implements Workload {
  readonly frameBytesMax: number;
  lastRowCount = 0;
  readonly #settings: WorkloadSettings;
  readonly #salts: Salts;
  readonly #row: TemplateRow;
  readonly #full: FrameTemplate;
  #frame: number;

  constructor(settings: WorkloadSettings, phase: 'open' | 'deposit') {
    this.#settings = settings;
    this.#salts = saltsOf(settings.seed);
    this.#frame = settings.connection;
    this.#row =
      phase === 'open' ? { kind: Kind.open } : { kind: Kind.deposit, amountMinor: DEPOSIT_MINOR };
    this.#full = this.#template(settings.frameTransactions);
    this.frameBytesMax = this.#full.bytes.byteLength;
  }

  /** Accounts `first` and following, each by its number. */
  writeFrame(bytes: Uint8Array, view: DataView, at: number): number {
    const { frameTransactions, accountCount, connectionCount } = this.#settings;
    const first = this.#frame * frameTransactions;
    if (first >= accountCount) return -1;
    const rowCount = Math.min(frameTransactions, accountCount - first);
    const template = rowCount === frameTransactions ? this.#full : this.#template(rowCount);
    bytes.set(template.bytes, at);
    view.setUint32(at + template.requestIdAt, (this.#frame / connectionCount) >>> 0);
    for (let row = 0; row < rowCount; row += 1) {
      const account = first + row;
      patchIdentifier(
        view,
        at + template.transactionIdAt[row],
        mix(account ^ this.#salts.transaction),
      );
      patchIdentifier(view, at + template.playerAt[row], mix(account ^ this.#salts.player));
    }
    this.#frame += connectionCount;
    this.lastRowCount = rowCount;
    return at + template.bytes.byteLength;
  }

  #template(rowCount: number): FrameTemplate {
    const rows = Array.from({ length: rowCount }, () => this.#row);
    return buildTemplate({ ...this.#settings, ...this.#settings.identifiers }, rows);
  }
}

// By the first row's place in its ten; frames of 1,000 only ever begin at 0, of 25 at 0 and 5.
function templatesOf(settings: WorkloadSettings, isPrelude: boolean): FrameTemplate[] {
  const templates: FrameTemplate[] = [];
  for (let phase = 0; templates[phase] === undefined; ) {
    templates[phase] = templateOf(settings, phase, isPrelude);
    phase = (phase + settings.frameTransactions) % TEN;
  }
  return templates;
}

function templateOf(settings: WorkloadSettings, phase: number, isPrelude: boolean): FrameTemplate {
  const { frameTransactions, identifiers, seed } = settings;
  assert(frameTransactions >= 1 && frameTransactions <= 10_000, 'a frame has 1 to 10,000 rows');
  const rows = Array.from({ length: frameTransactions }, (_, row): TemplateRow => {
    const step = ((phase + row) % TEN) % WIN_EVERY_THIRD;
    const isWin = step === 2 && !isPrelude;
    const isWonLater = step === 1;
    const variety = mix(seed + row + phase);
    return {
      kind: isWin ? Kind.win : Kind.bet,
      amountMinor: 1 + (variety % (isWin ? 1_100 : 500)),
      roundBytes: identifiers.roundBytes,
      isRoundEnd: isWin || !isWonLater,
      hasReference: isWin,
      game: identifierText(identifiers.gameBytes, seed + 100 + (variety % GAME_COUNT)),
    };
  });
  return buildTemplate({ ...settings, ...identifiers }, rows);
}

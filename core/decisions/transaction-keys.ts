// The hashes that a transaction is known by: its account, its key, its round, what it refers to and
// its body (wallet rules 1, 3, 29). They are made for a whole slice before anything is decided, in
// a pass of their own. All of them start from one state that has absorbed operator and player. Live
// decisions and replay use the same code.

import { Field, Kind } from '../kinds.ts';
import type { KeyColumns } from '../records/key-columns.ts';
import { KeyedHash } from '../tables/keyed-hash.ts';
import type { FrameSource, TransactionColumns } from '../transaction-columns.ts';

// Domains keep the texts' meanings apart: provider × 256 + kind, or one of these in the kind's
// place.
const DOMAIN_ROUND = 0xe0;
const DOMAIN_ROLLBACK_OF_WIN = 0x40 | Kind.rollback;
const DOMAIN_NAMELESS_ROUND = 0x6e616d65;
const DOMAIN_OPERATORS_OWN = 0xffffff;
const DOMAIN_BODY_TEXT = 0xb0;
/** The hash takes texts of up to 255 bytes; a definition is absorbed in parts. */
const TEXT_PART_BYTES = 252;
const TWO_32 = 4_294_967_296;

/** Fields that are part of the body but have no column of their own to absorb. */
const BODY_FIELDS =
  Field.amount |
  Field.round |
  Field.roundEnd |
  Field.stakeless |
  Field.reference |
  Field.game |
  Field.ofWin |
  Field.to |
  Field.bucketBonus |
  Field.reason |
  Field.expiresIn |
  Field.status |
  Field.definition;

const RARE_BODY_FIELDS =
  Field.to | Field.reason | Field.expiresIn | Field.status | Field.definition;

/** Where the player's id lies: in the frame, or, in replay, in the account table. */
export interface PlayerText {
  source: FrameSource;
  at: number;
  byteCount: number;
}

/** Makes the hashes. One per thread. */
export class TransactionKeys {
  readonly #hash: KeyedHash;
  readonly #player: Int32Array = new Int32Array(4);

  constructor(seed: Uint8Array) {
    this.#hash = new KeyedHash(seed);
  }

  /** The hash of an account alone, two words: for reads, receivers and replayed openings. */
  hashAccount(owner: number, player: PlayerText, words: Int32Array, wordsAt: number): void {
    this.#beginPlayer(owner >>> 8, player.source, player.at, player.byteCount);
    this.#finishAccount(owner & 0xff, words, wordsAt);
  }

  /** The key of the nameless round that a bet or win without a round is alone in. */
  hashNamelessRound(key: Int32Array, keyAt: number, words: Int32Array, wordsAt: number): void {
    const hash = this.#hash;
    hash.load(key, keyAt);
    hash.absorbWord(DOMAIN_NAMELESS_ROUND);
    hash.finish(words, wordsAt);
  }

  /** All hashes of one row of the columns; `owner` is operator × 256 + currency. */
  hashRow(
    columns: TransactionColumns,
    row: number,
    owner: number,
    player: PlayerText,
    keys: KeyColumns,
  ): void {
    const hash = this.#hash;
    const source = columns.sources[columns.sourceIndex[row]];
    const kind = columns.kind[row];
    const fields = columns.fields[row];
    const provider = columns.provider[row];
    this.#beginPlayer(owner >>> 8, player.source, player.at, player.byteCount);
    this.#finishAccount(owner & 0xff, keys.account, row * 2);
    const { transactionId, round, reference } = columns;
    const word = row * 4;
    hash.load(this.#player, 0);
    const domain = (provider << 8) | keyKind(kind, fields);
    hash.absorbText(domain, source.view, transactionId.at[row], transactionId.byteCount[row]);
    hash.finish(keys.key, word);
    if ((fields & Field.round) !== 0) {
      hash.load(this.#player, 0);
      const { at, byteCount } = round;
      hash.absorbText((provider << 8) | DOMAIN_ROUND, source.view, at[row], byteCount[row]);
      hash.absorbWord(owner & 0xff);
      hash.finish(keys.round, word);
    }
    if ((fields & Field.reference) !== 0) {
      hash.load(this.#player, 0);
      const { at, byteCount } = reference;
      const referenceDomain = (provider << 8) | referenceKind(kind, fields);
      hash.absorbText(referenceDomain, source.view, at[row], byteCount[row]);
      hash.finish(keys.reference, word);
    }
    this.#hashBody(columns, row, owner, keys, source);
  }

  #beginPlayer(operator: number, source: FrameSource, at: number, byteCount: number): void {
    const hash = this.#hash;
    hash.begin();
    hash.absorbText(operator === 0 ? DOMAIN_OPERATORS_OWN : operator, source.view, at, byteCount);
    hash.save(this.#player, 0);
  }

  #finishAccount(currency: number, words: Int32Array, wordsAt: number): void {
    const hash = this.#hash;
    hash.absorbWord(currency);
    hash.finishShort(words, wordsAt);
  }

  /** The body's hash continues from the key's: bodies are only compared under one key. */
  #hashBody(
    columns: TransactionColumns,
    row: number,
    owner: number,
    keys: KeyColumns,
    source: FrameSource,
  ): void {
    const hash = this.#hash;
    const fields = columns.fields[row];
    const amountMinor = columns.amountMinor[row];
    const word = row * 4;
    hash.load(keys.key, word);
    hash.absorbWord((fields & BODY_FIELDS) ^ ((owner & 0xff) << 24));
    if ((fields & Field.amount) !== 0) {
      hash.absorbWord(amountMinor | 0);
      hash.absorbWord(Math.floor(amountMinor / TWO_32));
    }
    if ((fields & Field.round) !== 0) {
      hash.absorbWord(keys.round[word]);
      hash.absorbWord(keys.round[word + 1]);
    }
    if ((fields & Field.reference) !== 0) {
      hash.absorbWord(keys.reference[word]);
      hash.absorbWord(keys.reference[word + 1]);
    }
    if ((fields & Field.game) !== 0) {
      const { at, byteCount } = columns.game;
      hash.absorbText(DOMAIN_BODY_TEXT, source.view, at[row], byteCount[row]);
    }
    if ((fields & RARE_BODY_FIELDS) !== 0) this.#absorbRareBody(columns, row, fields, source);
    hash.finishShort(keys.body, row * 2);
  }

  #absorbRareBody(
    columns: TransactionColumns,
    row: number,
    fields: number,
    source: FrameSource,
  ): void {
    const hash = this.#hash;
    if ((fields & Field.to) !== 0) {
      hash.absorbText(
        DOMAIN_BODY_TEXT + 1,
        source.view,
        columns.to.at[row],
        columns.to.byteCount[row],
      );
    }
    if ((fields & Field.reason) !== 0) {
      const { at, byteCount } = columns.reason;
      hash.absorbText(DOMAIN_BODY_TEXT + 2, source.view, at[row], byteCount[row]);
    }
    if ((fields & Field.expiresIn) !== 0) {
      hash.absorbWord(columns.expiresInMs[row] | 0);
      hash.absorbWord(Math.floor(columns.expiresInMs[row] / TWO_32));
    }
    if ((fields & Field.status) !== 0) hash.absorbWord(columns.status[row]);
    if ((fields & Field.definition) !== 0) {
      const { at, byteCount } = columns.definition;
      for (let part = 0; part < byteCount[row]; part += TEXT_PART_BYTES) {
        const partBytes = Math.min(TEXT_PART_BYTES, byteCount[row] - part);
        hash.absorbText(DOMAIN_BODY_TEXT + 3, source.view, at[row] + part, partBytes);
      }
    }
  }
}

/** The kind's part of a key: a rollback's includes what it takes back (rule 1). */
function keyKind(kind: number, fields: number): number {
  return kind === Kind.rollback && (fields & Field.ofWin) !== 0 ? DOMAIN_ROLLBACK_OF_WIN : kind;
}

/** The kind of what a reference names. */
function referenceKind(kind: number, fields: number): number {
  if (kind === Kind.win) return Kind.bet;
  if (kind === Kind.rollback) return (fields & Field.ofWin) !== 0 ? Kind.win : Kind.bet;
  return Kind.hold;
}

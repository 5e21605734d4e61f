// The hashes that a transaction is known by: its account, its key, its round, what it refers to and
// its body (wallet rules 1, 3, 29). They are made for a whole slice before anything is decided, in
// a pass of their own. All of them start from one state that has absorbed operator and player. Live
// decisions and replay use the same code.

import { Field, Kind } from '../kinds.ts';
import type { KeyColumns } from '../records/key-columns.ts';
import { gatherText, hashWords, KeyedHash } from '../tables/keyed-hash.ts';
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
const SMALL_MAX = 0x7fffffff;

/** A text of 255 bytes with its domain has 65 words. */
const WORDS_MAX = 160;

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
  /** The words of the hash in work: two texts at most, and some numbers. */
  readonly #words: Int32Array = new Int32Array(WORDS_MAX);
  readonly #result: Int32Array = new Int32Array(4);

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
    this.#beginPlayer(owner >>> 8, player.source, player.at, player.byteCount);
    this.#finishAccount(owner & 0xff, keys.account, row * 2);
    this.hashRowFrom(this.#player, 0, columns, row, owner & 0xff, keys);
  }

  /** The state behind operator and player, four words: what hashRowFrom starts from. */
  absorbPlayer(operator: number, player: PlayerText, words: Int32Array, wordsAt: number): void {
    this.#beginPlayer(operator, player.source, player.at, player.byteCount);
    this.#hash.save(words, wordsAt);
  }

  /** hashAccount from a state that absorbPlayer left. */
  hashAccountFrom(
    states: Int32Array,
    statesAt: number,
    currency: number,
    words: Int32Array,
    wordsAt: number,
  ): void {
    this.#hash.load(states, statesAt);
    this.#finishAccount(currency, words, wordsAt);
  }

  /** hashRow from a state that absorbPlayer left, and without the account's own hash. */
  hashRowFrom(
    states: Int32Array,
    statesAt: number,
    columns: TransactionColumns,
    row: number,
    currency: number,
    keys: KeyColumns,
  ): void {
    const words = this.#words;
    const { view } = columns.sources[columns.sourceIndex[row]];
    const kind = columns.kind[row];
    const fields = columns.fields[row];
    const provider = columns.provider[row] << 8;
    const { transactionId, round, reference } = columns;
    const to = row * 4;
    const domain = provider | keyKind(kind, fields);
    const idBytes = transactionId.byteCount[row];
    let count = gatherText(words, 0, domain, view, transactionId.at[row], idBytes);
    hashWords(states, statesAt, words, count, keys.key, to);
    if ((fields & Field.round) !== 0) {
      const roundBytes = round.byteCount[row];
      count = gatherText(words, 0, provider | DOMAIN_ROUND, view, round.at[row], roundBytes);
      words[count] = currency;
      hashWords(states, statesAt, words, count + 1, keys.round, to);
    }
    if ((fields & Field.reference) !== 0) {
      const referenceDomain = provider | referenceKind(kind, fields);
      const referenceBytes = reference.byteCount[row];
      count = gatherText(words, 0, referenceDomain, view, reference.at[row], referenceBytes);
      hashWords(states, statesAt, words, count, keys.reference, to);
    }
    this.#hashBody(columns, row, currency, keys, view);
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
    currency: number,
    keys: KeyColumns,
    view: DataView,
  ): void {
    const words = this.#words;
    const result = this.#result;
    const fields = columns.fields[row];
    const amountMinor = columns.amountMinor[row];
    const word = row * 4;
    let count = 1;
    words[0] = (fields & BODY_FIELDS) ^ (currency << 24);
    if ((fields & Field.amount) !== 0) {
      const isSmall = amountMinor >= 0 && amountMinor <= SMALL_MAX;
      words[1] = amountMinor | 0;
      words[2] = isSmall ? 0 : Math.floor(amountMinor / TWO_32);
      count = 3;
    }
    if ((fields & Field.round) !== 0) {
      words[count] = keys.round[word];
      words[count + 1] = keys.round[word + 1];
      count += 2;
    }
    if ((fields & Field.reference) !== 0) {
      words[count] = keys.reference[word];
      words[count + 1] = keys.reference[word + 1];
      count += 2;
    }
    if ((fields & Field.game) !== 0) {
      const { at, byteCount } = columns.game;
      count = gatherText(words, count, DOMAIN_BODY_TEXT, view, at[row], byteCount[row]);
    }
    if ((fields & RARE_BODY_FIELDS) === 0) hashWords(keys.key, word, words, count, result, 0);
    else this.#hashRareBody(columns, row, count, keys.key, view);
    keys.body[row * 2] = result[0] ^ result[2];
    keys.body[row * 2 + 1] = result[1] ^ result[3];
  }

  /** Ends a body's hash that has more parts than the `count` words gathered so far. */
  #hashRareBody(
    columns: TransactionColumns,
    row: number,
    count: number,
    key: Int32Array,
    view: DataView,
  ): void {
    const hash = this.#hash;
    const fields = columns.fields[row];
    hash.load(key, row * 4);
    for (let at = 0; at < count; at += 1) hash.absorbWord(this.#words[at]);
    if ((fields & Field.to) !== 0) {
      hash.absorbText(DOMAIN_BODY_TEXT + 1, view, columns.to.at[row], columns.to.byteCount[row]);
    }
    if ((fields & Field.reason) !== 0) {
      const { at, byteCount } = columns.reason;
      hash.absorbText(DOMAIN_BODY_TEXT + 2, view, at[row], byteCount[row]);
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
        hash.absorbText(DOMAIN_BODY_TEXT + 3, view, at[row] + part, partBytes);
      }
    }
    hash.finish(this.#result, 0);
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

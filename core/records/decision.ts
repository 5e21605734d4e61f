// What was decided for one transaction: the numbers that its record, its index entry and its
// answer are made of. One object for each row of a pass, used again for the next pass, so that
// deciding allocates nothing. Deciding fills it from rules, replay from a record; applying treats
// both alike.
import type { KeyColumns } from './key-columns.ts';

/** A mutable set of facts; which fields count depends on the kind. */
export class Decision {
  /** The hashes that it refers to by row. */
  readonly keys: KeyColumns;
  row = 0;
  /** Where keys.round has the key of its round; zeros for none. */
  roundAt = 0;
  kind = 0;
  /** Bits of Field that the sender named. */
  fields = 0;
  code = 0;
  /** Bits of OutcomeTrait. */
  traits = 0;
  /** Row of the account, or −1 for the operator's kinds. */
  accountRow = -1;
  /** The account's operator × 256 + currency; 0 without an account. */
  owner = 0;
  provider = 0;
  /** Number of the record in its shard, from 1. */
  sequence = 0;
  timeMs = 0;
  /**
   * setStatus: the status before. rollback: the MarkType that it leaves. win: see
   * OutcomeTrait.joined.
   */
  extra = 0;
  /** The amount asked for, with its sign. */
  amountMinor = 0;
  /** Signed changes of the account's buckets. */
  cashMovedMinor = 0;
  bonusMovedMinor = 0;
  heldMovedMinor = 0;
  /** The account as it was before. */
  statusBefore = 0;
  cashBeforeMinor = 0;
  bonusBeforeMinor = 0;
  heldBeforeMinor = 0;
  /** Balances after the record. */
  cashMinor = 0;
  bonusMinor = 0;
  heldMinor = 0;
  /** transfer: the receiver's row (−1 where there is none) and its cash after. */
  receiverRow = -1;
  receiverCashMinor = 0;
  /** roundAged, holdExpired: the sequence of the record that opened the round or made the hold. */
  subjectSequence = 0;
  expiresInMs = 0;
  status = 0;
  /** Whether it is a member of an atomic batch. */
  atomic = false;
  /** Rows that judging found: the round, the outcome and the mark of the reference, the hold. */
  roundRow = -1;
  referenceRow = -1;
  holdRow = -1;

  constructor(keys: KeyColumns) {
    this.keys = keys;
    this.roundAt = keys.noRoundAt;
  }

  /** Makes it ready for the next transaction of an account; `row` is that of its hashes. */
  begin(kind: number, fields: number, timeMs: number, row: number): void {
    this.row = row;
    this.roundAt = this.keys.noRoundAt;
    this.kind = kind;
    this.fields = fields;
    this.timeMs = timeMs;
    this.code = 0;
    this.traits = 0;
    this.accountRow = -1;
    this.owner = 0;
    this.provider = 0;
    this.sequence = 0;
    this.extra = 0;
    this.amountMinor = 0;
    this.clearMoves();
    this.cashMinor = 0;
    this.bonusMinor = 0;
    this.heldMinor = 0;
    this.receiverRow = -1;
    this.receiverCashMinor = 0;
    this.subjectSequence = 0;
    this.expiresInMs = 0;
    this.status = 0;
    this.atomic = false;
    this.roundRow = -1;
    this.referenceRow = -1;
    this.holdRow = -1;
  }

  /** A refusal moves nothing. */
  clearMoves(): void {
    this.cashMovedMinor = 0;
    this.bonusMovedMinor = 0;
    this.heldMovedMinor = 0;
  }
}

// How far the decoding of one request has come, and for whom it is decoded: what the readers of
// transactions and of their options share. Lane's thread only.
import type { FrameSource } from '../../core/transaction-columns.ts';

/** Who sent a request, as the reader must know it: what each row is marked with. */
export interface Sender {
  /** Bit k: kind k is allowed. */
  readonly kindsAllowed: number;
  readonly operatorNumber: number;
  readonly providerNumber: number;
  /** Number of the operator that the option names (0: unknown), or −1 if this sender may not. */
  findOperator(name: string): number;
  /** Number of the provider that the option names, or −1 if this sender may not name it. */
  findProvider(name: string): number;
}

/** How far the decoding of a request has come; its owner keeps one and fills it per request. */
export interface TransactionRun {
  source: FrameSource;
  /** Place of `source` in columns.sources. */
  sourceIndex: number;
  sender: Sender;
  /** Offset of the next transaction, and of the end of the request's bytes. */
  at: number;
  end: number;
  /** Transactions announced and not yet decoded. */
  remaining: number;
  /** Set when reading stopped behind a setOperator or setClient, whose names others may use. */
  isInterrupted: boolean;
}

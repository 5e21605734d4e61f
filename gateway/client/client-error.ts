// The one error class of the client SDK. A business outcome is never an error: it resolves the
// promise with its code. An error says that no outcome is known, why, and what to do.

/** Why the client could not get an answer. */
export type KassaClientErrorCode =
  | 'closed'
  | 'connect_timeout'
  | 'protocol'
  | 'queue_full'
  | 'unauthorised';

/**
 * A failure of the client or the connection to Kassa. Whether the transaction was executed is not
 * known, except for `queue_full`, where it was never sent: send it again with the same id.
 */
export class KassaClientError extends Error {
  override readonly name = 'KassaClientError';
  readonly code: KassaClientErrorCode;

  constructor(code: KassaClientErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

// Who stands behind a connection and what it may do, as the log says at this moment: a client that
// was changed or revoked since it connected is looked at again with each request. Lane's thread
// only.
import type { Client, Directory } from '../../core/policies/directory.ts';
import type { Sender } from '../wire/transaction-run.ts';

/** A client's session; it is the Sender that marks each decoded transaction. */
export class ClientSession implements Sender {
  readonly #directory: Directory;
  #client: Client;
  readonly #isLocal: boolean;

  /** `isLocal`: not in the directory, never revoked; main's own transactions. */
  constructor(directory: Directory, client: Client, isLocal = false) {
    this.#directory = directory;
    this.#client = client;
    this.#isLocal = isLocal;
  }

  /** The client as known to the last `refresh`. */
  get client(): Client {
    return this.#client;
  }

  get kindsAllowed(): number {
    return this.#client.kindsAllowed;
  }

  get operatorNumber(): number {
    return this.#client.operatorNumber;
  }

  get providerNumber(): number {
    return this.#client.providerNumber;
  }

  /** Takes over what a setClient changed; false when the key that was shown is valid no more. */
  refresh(): boolean {
    if (this.#isLocal) return true;
    const client = this.#directory.client(this.#client.id);
    if (client === this.#client) return true;
    if (client === undefined || client.revoked) return false;
    if (client.secretSha256 !== this.#client.secretSha256) return false;
    this.#client = client;
    return true;
  }

  findOperator(name: string): number {
    const { operator, operatorNumber } = this.#client;
    if (operator === '') return this.#directory.operatorNumber(name);
    return name === operator ? operatorNumber : -1;
  }

  findProvider(name: string): number {
    const { provider, providerNumber } = this.#client;
    if (provider === '') return this.#directory.providerNumber(name);
    return name === provider ? providerNumber : -1;
  }
}

/** The session of main's own transactions: a platform client with every permission. */
export function localSession(directory: Directory): ClientSession {
  const client: Client = {
    id: '',
    client: '',
    operator: '',
    operatorNumber: 0,
    provider: '',
    providerNumber: 0,
    permissions: [],
    kindsAllowed: -1,
    mayRead: true,
    secretSha256: '',
    revoked: false,
  };
  return new ClientSession(directory, client, true);
}

// What a client's definition may say: the JSON text of a `setClient`. A client is a credential; its
// secret is known here only as a hash, so that the log can rebuild all of it (design law 2).

import { Kind } from '../kinds.ts';
import { ID_BYTES_MAX } from '../limits.ts';
import { isOneOf, parseFields } from './definition-text.ts';

const KINDS_BY_PERMISSION: Readonly<Record<string, readonly number[]>> = {
  play: [Kind.bet, Kind.win, Kind.rollback],
  cashier: [
    Kind.deposit,
    Kind.withdraw,
    Kind.hold,
    Kind.capture,
    Kind.release,
    Kind.transfer,
    Kind.open,
    Kind.setStatus,
  ],
  bonus: [Kind.grant, Kind.convert, Kind.forfeit],
  adjust: [Kind.adjust],
  read: [],
  admin: [Kind.setOperator, Kind.setClient],
};

/** The permissions that a client may have. */
export const PERMISSIONS: readonly string[] = Object.keys(KINDS_BY_PERMISSION);

/** A checked definition of a client; it replaces the one before as a whole. */
export interface ClientDefinition {
  readonly client: string;
  /** The operator that it is bound to, or '' for a platform client, which names one each time. */
  readonly operator: string;
  /** The provider that it is bound to, or '' for none. */
  readonly provider: string;
  readonly permissions: readonly string[];
  /** SHA-256 of the secret, 64 hexadecimal digits. */
  readonly secretSha256: string;
  readonly revoked: boolean;
}

/** The kinds that a set of permissions allows: bit k stands for kind k. */
export function kindsAllowedBy(permissions: readonly string[]): number {
  let kinds = 0;
  for (const permission of permissions) {
    for (const kind of KINDS_BY_PERMISSION[permission] ?? []) kinds |= 1 << kind;
  }
  return kinds;
}

/** The definition in a JSON text, or undefined where anything in it is missing or not allowed. */
export function parseClientDefinition(text: string): ClientDefinition | undefined {
  const fields = parseFields(text);
  if (fields === undefined) return undefined;
  const { client, operator, provider, permissions, secretSha256, revoked, ...others } = fields;
  if (Object.keys(others).length > 0) return undefined;
  if (!isName(client, 1) || !isName(operator, 0) || !isName(provider, 0)) return undefined;
  if (typeof secretSha256 !== 'string' || !/^[0-9a-f]{64}$/.test(secretSha256)) return undefined;
  if (!Array.isArray(permissions) || !permissions.every((word) => isOneOf(word, PERMISSIONS))) {
    return undefined;
  }
  if (revoked !== undefined && typeof revoked !== 'boolean') return undefined;
  return { client, operator, provider, permissions, secretSha256, revoked: revoked ?? false };
}

/** Names of clients and providers stand in headers and labels: printable ASCII without a dot. */
function isName(value: unknown, leastLength: number): value is string {
  return (
    typeof value === 'string' &&
    value.length >= leastLength &&
    value.length <= ID_BYTES_MAX &&
    /^[\x21-\x2d\x2f-\x7e]*$/.test(value)
  );
}

// Makes the demo's operator, client, player and money by transactions of the ordinary kind, as a
// platform client would send them. Their ids are fixed: after a crash in the middle all of them are
// sent again, and those that were durable are repeats. Main thread only.
import { pack, unpack } from 'msgpackr';
import { z } from 'zod';
import { Kind } from '../../core/kinds.ts';
import { ResultCode, resultCodeName } from '../../core/result-codes.ts';
import { type Demo, sha256Of } from './demo-file.ts';

/** Names that the transactions and the printed text share. */
export const DEMO_NAMES = {
  operator: 'demo',
  provider: 'demo-studio',
  player: 'player-1',
  currency: 'EUR',
  depositMinor: 10_000,
} as const;

/** Hands one request frame to the lane; resolves with the answer once it is durable. */
export type SubmitFrame = (frame: Uint8Array) => Promise<Uint8Array>;

const TRANSACTIONS_REQUEST = 1;
const REFUSED_ANSWER = 9;

const outcomeSchema = z.union([z.number(), z.tuple([z.number()]).rest(z.unknown())]);
const answerSchema = z.union([
  z.tuple([
    z.literal(TRANSACTIONS_REQUEST),
    z.unknown(),
    z.unknown(),
    z.tuple([outcomeSchema], outcomeSchema),
  ]),
  z.tuple([z.literal(REFUSED_ANSWER), z.unknown(), z.number(), z.unknown()]),
]);

/** Sends the demo's transactions one after the other; resolves when all are durable. */
export async function submitDemo(demo: Demo, submit: SubmitFrame): Promise<void> {
  // One frame each: an operator's name can be used from the frame after the one that makes it.
  for (const [requestId, transaction] of demoTransactions(demo).entries()) {
    const frame = pack([TRANSACTIONS_REQUEST, requestId, [transaction]]);
    const code = answerCode(await submit(frame));
    if (code !== ResultCode.ok) {
      throw new Error(
        `Cannot make the demo because the transaction ${String(transaction[1])} was refused: ` +
          `${resultCodeName(code)}; start with KASSA_DEMO=off to go without`,
      );
    }
  }
}

function demoTransactions(demo: Demo): readonly (readonly unknown[])[] {
  const { operator, provider, player, currency, depositMinor } = DEMO_NAMES;
  const policies = JSON.stringify({ currencies: { EUR: 2, USD: 2 } });
  const client = JSON.stringify({
    client: demo.clientId,
    operator,
    provider,
    permissions: ['play', 'cashier', 'bonus', 'read'],
    secretSha256: sha256Of(demo.secret),
    revoked: false,
  });
  const admin = JSON.stringify({
    client: demo.adminId,
    operator: '',
    provider: '',
    permissions: ['cashier', 'bonus', 'adjust', 'admin'],
    secretSha256: sha256Of(demo.adminSecret),
    revoked: false,
  });
  // Elements 4 to 10 (amount … sentAt) lie between currency and options; nil is absent.
  const options = (amount: number | null, named: object): readonly unknown[] => [
    amount,
    ...new Array<null>(6).fill(null),
    named,
  ];
  return [
    [
      Kind.setOperator,
      'demo-operator',
      null,
      null,
      ...options(null, { operator, definition: policies }),
    ],
    [Kind.setClient, 'demo-client', null, null, ...options(null, { definition: client })],
    [Kind.setClient, 'demo-admin', null, null, ...options(null, { definition: admin })],
    [Kind.open, 'demo-open', player, currency, ...options(null, { operator })],
    [Kind.deposit, 'demo-deposit', player, currency, ...options(depositMinor, { operator })],
  ];
}

function answerCode(answer: Uint8Array): number {
  const parsed = answerSchema.parse(unpack(answer));
  if (parsed[0] === REFUSED_ANSWER) return parsed[2];
  const [outcome] = parsed[3];
  return typeof outcome === 'number' ? outcome : outcome[0];
}

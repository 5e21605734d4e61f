// What a first start prints for the person who reads the terminal: where Kassa listens and how to
// place a first bet, in lines that work when pasted. Pure text.
import type { Demo } from './demo-file.ts';
import { DEMO_NAMES } from './demo-transactions.ts';

const BET_MINOR = 250;
const MINOR_PER_MAJOR = 100;

/** The address as a client on this machine writes it: a wildcard address cannot be connected to. */
export function clientAddress(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return reachable.includes(':') ? `[${reachable}]:${port}` : `${reachable}:${port}`;
}

/** The demo's text for a server at this address; it names the key, so it goes to no log. */
export function demoText(demo: Demo, address: string): string {
  const { operator, player, currency, depositMinor } = DEMO_NAMES;
  const key = `${demo.clientId}.${demo.secret}`;
  const bet = JSON.stringify({
    kind: 'bet',
    transactionId: 'first-bet',
    player,
    currency,
    amount: BET_MINOR,
    round: 'first-round',
    game: 'demo-slots',
  });
  const deposit = (depositMinor / MINOR_PER_MAJOR).toFixed(2);
  const stake = (BET_MINOR / MINOR_PER_MAJOR).toFixed(2);
  return `
Kassa listens on http://${address} (WebSocket: ws://${address}/v1/stream).

  operator   ${operator}
  player     ${player}, opened with ${deposit} ${currency}
  client key ${key}
  admin key  ${demo.adminId}.${demo.adminSecret} (makes operators and clients)

Place a first bet of ${stake} ${currency} from a second terminal. Pasted again it takes nothing:
the same transactionId is a repeat, answered with the first outcome and "replay": true.

  curl -s http://${address}/v1/transactions \\
    -H 'content-type: application/json' -H 'authorization: Bearer ${key}' \\
    -d '${bet}'

Read the balance:

  curl -s http://${address}/v1/accounts/${player}/${currency} -H 'authorization: Bearer ${key}'

Run the example game server in this folder:

  KASSA_URL=ws://${address}/v1/stream KASSA_KEY=${key} npm run example

`;
}

// `npm run example`: a small game server. Some players spin a slot machine; every spin is a bet
// and, if it wins, a win in the same round. It keeps playing while Kassa is stopped, killed or
// restarted: the client connects again and sends what was not answered again with the same ids, so
// that no spin is charged or paid twice. At the end it compares its own books with Kassa's
// balances.
import { randomUUID } from 'node:crypto';
import { type ClientEvent, connect, type KassaClient } from '../client/client.ts';
import type { Outcome } from '../client/outcome.ts';
import { type ExampleOptions, readExampleOptions } from './example-options.ts';
import { type Player, resultTable } from './result-table.ts';
import { returnToPlayer, spin } from './slot-machine.ts';

const GAME = 'example-fruits';
const STAKES_MINOR: readonly number[] = [20, 50, 100, 200];
const FIRST_DEPOSIT_MINOR = 50_000;
/** How long after the playing time the example waits for a server that is away. */
const GRACE_MS = 30_000;
const OK = 0;
const INSUFFICIENT_FUNDS = 10;

async function main(options: ExampleOptions): Promise<void> {
  const client = await connect({ url: options.url, key: options.key, onEvent: showEvent });
  const runId = randomUUID().slice(0, 8);
  console.log(`Run ${runId}: ${options.players} players at ${options.url}`);
  const endMs = performance.now() + options.seconds * 1_000;
  const giveUp = setTimeout(() => void client.close(0), options.seconds * 1_000 + GRACE_MS);
  const players = await Promise.all(
    Array.from({ length: options.players }, (_, number) =>
      makePlayer(client, options.currency, `${runId}-player-${number + 1}`),
    ),
  );
  await Promise.all(players.map((player) => play(client, player, { ...options, endMs })));
  const wrongCount = await compareBooks(client, players, options.currency);
  clearTimeout(giveUp);
  await client.close();
  console.log(resultTable(players, options.currency, returnToPlayer()));
  console.log(
    wrongCount === 0
      ? "Every player's balance in Kassa is what the game server's own books say."
      : `Cannot explain the balances of ${wrongCount} players: the books differ from Kassa's.`,
  );
  process.exitCode = wrongCount === 0 ? 0 : 1;
}

async function makePlayer(client: KassaClient, currency: string, name: string): Promise<Player> {
  const account = { player: name, currency };
  expectOk(await client.open({ ...account, transactionId: `${name}-open` }));
  const deposit = await client.deposit({
    ...account,
    transactionId: `${name}-deposit`,
    amount: FIRST_DEPOSIT_MINOR,
  });
  expectOk(deposit);
  return {
    name,
    roundCount: 0,
    stakedMinor: 0,
    wonMinor: 0,
    refusedCount: 0,
    balanceMinor: deposit.balances?.cash ?? 0,
    expectedMinor: FIRST_DEPOSIT_MINOR,
  };
}

interface PlayOptions extends ExampleOptions {
  readonly endMs: number;
}

async function play(client: KassaClient, player: Player, options: PlayOptions): Promise<void> {
  while (player.roundCount < options.rounds && performance.now() < options.endMs) {
    const stakeMinor = STAKES_MINOR[Math.floor(Math.random() * STAKES_MINOR.length)];
    const isFunded = await playRound(client, player, { stakeMinor, currency: options.currency });
    if (!isFunded) return;
    if (options.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, options.pauseMs));
  }
}

/** Bets, and pays what the reels show; false when the player has too little money. */
async function playRound(
  client: KassaClient,
  player: Player,
  { stakeMinor, currency }: { stakeMinor: number; currency: string },
): Promise<boolean> {
  const round = randomUUID();
  // The reels are turned before the bet is sent, so that a lost bet can end its round itself.
  const wonMinor = spin(Math.random) * stakeMinor;
  const common = { player: player.name, currency, round, game: GAME };
  const bet = await client.bet({
    ...common,
    transactionId: `${round}-b`,
    amount: stakeMinor,
    roundEnd: wonMinor === 0,
  });
  takeBalance(player, bet);
  if (bet.code === INSUFFICIENT_FUNDS) {
    player.refusedCount += 1;
    return false;
  }
  expectOk(bet);
  player.roundCount += 1;
  player.stakedMinor += stakeMinor;
  player.expectedMinor -= stakeMinor;
  if (wonMinor === 0) return true;
  const win = await client.win({
    ...common,
    transactionId: `${round}-w`,
    reference: `${round}-b`,
    amount: wonMinor,
    roundEnd: true,
  });
  expectOk(win);
  takeBalance(player, win);
  player.wonMinor += wonMinor;
  player.expectedMinor += wonMinor;
  return true;
}

function takeBalance(player: Player, outcome: Outcome): void {
  if (outcome.balances !== null) player.balanceMinor = outcome.balances.cash;
}

/** Reads each balance once more and counts those that differ from the game server's books. */
async function compareBooks(
  client: KassaClient,
  players: readonly Player[],
  currency: string,
): Promise<number> {
  const balances = await client.balances(players.map(({ name }) => ({ player: name, currency })));
  let wrongCount = 0;
  for (const [number, player] of players.entries()) {
    player.balanceMinor = balances[number].balances?.cash ?? Number.NaN;
    if (player.balanceMinor !== player.expectedMinor) wrongCount += 1;
  }
  return wrongCount;
}

function expectOk(outcome: Outcome): void {
  if (outcome.code === OK) return;
  throw new Error(
    `Cannot go on because Kassa answered ${outcome.name} (${outcome.code}). ` +
      'The example needs a key that may open accounts, deposit and play, as the demo key may.',
  );
}

function showEvent(event: ClientEvent): void {
  if (event.type === 'connected') {
    console.log(`Connected as ${event.hello.client}`);
  } else if (event.type === 'disconnected') {
    console.log(`Not connected (${event.reason}); trying again in ${event.retryInMs} ms`);
  } else {
    console.log(`Kassa asks to wait ${event.retryAfterMs} ms`);
  }
}

const options = readExampleOptions(process.argv.slice(2));
if (options !== null) {
  await main(options).catch((error: Error) => {
    console.error(error.message);
    process.exit(1);
  });
}

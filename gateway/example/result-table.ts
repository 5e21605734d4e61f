// The example's last words: a line for each player, and the sum.

/** One player and the game server's own books of them. */
export interface Player {
  readonly name: string;
  roundCount: number;
  stakedMinor: number;
  wonMinor: number;
  refusedCount: number;
  /** As Kassa said with the newest outcome. */
  balanceMinor: number;
  /** What the balance must be by the game server's own books. */
  expectedMinor: number;
}

const MINOR_PER_MAJOR = 100;
const ROWS_MAX = 20;

/** The players' books as a table; RTP is won by staked, in the long run `expectedReturn`. */
export function resultTable(
  players: readonly Player[],
  currency: string,
  expectedReturn: number,
): string {
  const rows = players.slice(0, ROWS_MAX).map((player) => row(player.name, player));
  if (players.length > ROWS_MAX) rows.push(`… and ${players.length - ROWS_MAX} more`);
  const sum = (value: (player: Player) => number) =>
    players.reduce((total, player) => total + value(player), 0);
  const total = row('all', {
    roundCount: sum(({ roundCount }) => roundCount),
    stakedMinor: sum(({ stakedMinor }) => stakedMinor),
    wonMinor: sum(({ wonMinor }) => wonMinor),
    balanceMinor: sum(({ balanceMinor }) => balanceMinor),
  });
  const head = line(['player', 'rounds', 'staked', 'won', 'RTP', `balance ${currency}`]);
  const longRun = `The machine returns ${(expectedReturn * 100).toFixed(1)} % in the long run.`;
  return ['', head, ...rows, total, '', longRun].join('\n');
}

type Figures = Pick<Player, 'roundCount' | 'stakedMinor' | 'wonMinor' | 'balanceMinor'>;

function row(name: string, { roundCount, stakedMinor, wonMinor, balanceMinor }: Figures): string {
  const returned = stakedMinor === 0 ? '–' : `${((100 * wonMinor) / stakedMinor).toFixed(1)} %`;
  return line([
    name,
    String(roundCount),
    major(stakedMinor),
    major(wonMinor),
    returned,
    major(balanceMinor),
  ]);
}

function major(amountMinor: number): string {
  return (amountMinor / MINOR_PER_MAJOR).toFixed(2);
}

function line([name, ...figures]: readonly string[]): string {
  return name.padEnd(22) + figures.map((figure) => figure.padStart(14)).join('');
}

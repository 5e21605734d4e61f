// The game itself: one row of pays with their chances, and what it returns in the long run.

interface Pay {
  readonly chance: number;
  /** What the stake is multiplied by. */
  readonly times: number;
}

const PAYS: readonly Pay[] = [
  { chance: 0.005, times: 50 },
  { chance: 0.03, times: 8 },
  { chance: 0.12, times: 2 },
  { chance: 0.23, times: 1 },
];

/** Turns the reels: what the stake is multiplied by, 0 for a lost spin. */
export function spin(random: () => number): number {
  let rest = random();
  for (const { chance, times } of PAYS) {
    if (rest < chance) return times;
    rest -= chance;
  }
  return 0;
}

/** The share of the stakes that the machine pays back in the long run. */
export function returnToPlayer(): number {
  return PAYS.reduce((sum, { chance, times }) => sum + chance * times, 0);
}

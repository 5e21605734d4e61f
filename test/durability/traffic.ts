// What one studio's server sends at random: bets with rounds, wins by reference or by round,
// rollbacks, money in and out, bonuses, transfers, holds, atomic batches, and now and then the same
// again, the same key with another body, or something that does not exist. One sender's own
// sequence; a seed repeats it.
import type { ModelTransaction } from '../model/model-transaction.ts';
import { RandomChoice } from './random-choice.ts';

/** One request: a single transaction, or all or nothing for one player. */
export interface Command {
  readonly isAtomic: boolean;
  readonly transactions: readonly ModelTransaction[];
}

/** Who sends, and for whom. */
export interface Sender {
  readonly operator: string;
  readonly provider: string;
  readonly players: readonly string[];
}

type Draft = Omit<ModelTransaction, 'operator' | 'provider' | 'transactionId'>;

const CURRENCIES = ['EUR', 'EUR', 'EUR', 'USD'];
const RECENT_MAX = 40;
/** As the rules have it at most: long records make the log's segments turn over within a test. */
const METADATA_BYTES = 256;
const METADATA = Array.from({ length: METADATA_BYTES }, (_, at) => (at * 7 + 3) % 10).join('');

/** A sender's endless traffic. */
export class Traffic {
  readonly #sender: Sender;
  readonly #random: RandomChoice;
  readonly #commands: Command[] = [];
  readonly #recent = new Map<string, ModelTransaction[]>();
  #idCount = 0;

  constructor(sender: Sender, seed: number) {
    this.#sender = sender;
    this.#random = new RandomChoice(seed);
  }

  /** Accounts and some money for every player: to be answered before anything else is sent. */
  opening(): Command[] {
    return this.#sender.players.flatMap((player) =>
      ['EUR', 'USD'].flatMap((currency) => [
        this.#single({ kind: 'open', player, currency }),
        this.#single({ kind: 'deposit', player, currency, amount: 5_000 }),
      ]),
    );
  }

  /** The next command. */
  next(): Command {
    const random = this.#random;
    const share = random.whole(0, 99);
    if (share < 6 && this.#commands.length > 0) return this.#again();
    if (share < 9 && this.#commands.length > 0) return this.#conflict();
    if (share < 13) return this.#batch();
    if (share < 14)
      return this.#remember(this.#single({ ...this.#bet('nobody'), currency: 'EUR' }));
    const player = random.pick(this.#sender.players);
    return this.#remember(this.#single(this.#draft(player)));
  }

  #again(): Command {
    return this.#random.pick(this.#commands.slice(-RECENT_MAX));
  }

  /** A known key with another body; of a batch the whole batch is refused. */
  #conflict(): Command {
    const { isAtomic, transactions } = this.#random.pick(this.#commands.slice(-RECENT_MAX));
    const changed = transactions.map((transaction, place) =>
      place > 0 || transaction.amount === undefined
        ? transaction
        : { ...transaction, amount: transaction.amount + 1 },
    );
    return { isAtomic, transactions: changed };
  }

  #batch(): Command {
    const random = this.#random;
    const player = random.pick(this.#sender.players);
    const count = random.whole(1, 5);
    const round = `batch-${this.#idCount}`;
    const transactions: ModelTransaction[] = [];
    while (transactions.length < count) {
      const draft = random.chance(50)
        ? { ...this.#bet(player), round }
        : this.#draft(player, ['deposit', 'win', 'grant', 'rollback', 'withdraw', 'hold']);
      transactions.push(this.#fill(draft));
    }
    return this.#remember({ isAtomic: true, transactions });
  }

  #single(draft: Draft): Command {
    return { isAtomic: false, transactions: [this.#fill(draft)] };
  }

  #fill(draft: Draft): ModelTransaction {
    const { operator, provider } = this.#sender;
    this.#idCount += 1;
    const metadata = this.#random.chance(80) ? { metadata: METADATA } : {};
    return {
      operator,
      provider,
      transactionId: `${provider}-${this.#idCount}`,
      ...draft,
      ...metadata,
    };
  }

  #remember(command: Command): Command {
    this.#commands.push(command);
    if (this.#commands.length > 2 * RECENT_MAX) this.#commands.splice(0, RECENT_MAX);
    for (const transaction of command.transactions) {
      const name = `${transaction.kind} of ${transaction.player}`;
      const recent = this.#recent.get(name) ?? [];
      this.#recent.set(name, [...recent, transaction].slice(-RECENT_MAX));
    }
    return command;
  }

  #draft(player: string, kinds?: readonly string[]): Draft {
    const random = this.#random;
    const usual = [
      ...['bet', 'bet', 'bet', 'bet', 'bet', 'bet', 'win', 'win', 'win', 'rollback', 'rollback'],
      ...['deposit', 'withdraw', 'grant', 'convert', 'forfeit', 'transfer', 'adjust', 'setStatus'],
      ...['hold', 'hold', 'capture', 'release'],
    ];
    const kind = random.pick(kinds ?? usual);
    const currency = random.pick(CURRENCIES);
    const account = { kind, player, currency };
    switch (kind) {
      case 'bet':
        return this.#bet(player);
      case 'win':
        return this.#win(player);
      case 'rollback':
        return this.#rollback(player);
      case 'hold':
        return {
          ...account,
          amount: random.whole(1, 400),
          ...(random.chance(60) ? { expiresIn: random.whole(1, 3_000) } : {}),
        };
      case 'capture':
      case 'release':
        return this.#endHold(player, kind);
      case 'transfer':
        return { ...account, amount: random.whole(1, 900), to: this.#otherThan(player) };
      case 'adjust':
        return { ...account, amount: random.chance(50) ? 70 : -60, reason: 'counted again' };
      case 'setStatus':
        return {
          ...account,
          status: random.pick(['active', 'active', 'active', 'betLocked', 'frozen']),
        };
      default:
        return { ...account, amount: random.whole(1, kind === 'deposit' ? 2_000 : 700) };
    }
  }

  #bet(player: string): Draft {
    const random = this.#random;
    return {
      kind: 'bet',
      player,
      currency: random.pick(CURRENCIES),
      amount: random.whole(0, 900),
      game: random.pick(['slots', 'dice']),
      ...(random.chance(80) ? { round: this.#round(player) } : {}),
    };
  }

  #win(player: string): Draft {
    const random = this.#random;
    const amount = random.chance(40) ? 0 : random.whole(1, 1_500);
    const bet = this.#find(player, 'bet');
    const isEnd = random.chance(30) ? { roundEnd: true } : {};
    if (random.chance(50)) {
      const currency = bet.currency ?? 'EUR';
      return { kind: 'win', player, currency, amount, reference: bet.transactionId, ...isEnd };
    }
    const currency = random.pick(CURRENCIES);
    return { kind: 'win', player, currency, amount, round: this.#round(player), ...isEnd };
  }

  #rollback(player: string): Draft {
    const isWin = this.#random.chance(35);
    const { currency = 'EUR', transactionId } = this.#find(player, isWin ? 'win' : 'bet');
    const draft: Draft = { kind: 'rollback', player, currency, reference: transactionId };
    return isWin ? { ...draft, of: 'win' } : draft;
  }

  #endHold(player: string, kind: string): Draft {
    const { currency = 'EUR', amount = 1, transactionId } = this.#find(player, 'hold');
    const part = this.#random.chance(50) ? amount : Math.ceil(amount / 2);
    return { kind, player, currency, amount: part, reference: transactionId };
  }

  /** An earlier transaction of the player, or one that may come later, or never. */
  #find(
    player: string,
    kind: string,
  ): Pick<ModelTransaction, 'currency' | 'amount' | 'transactionId'> {
    const recent = this.#recent.get(`${kind} of ${player}`) ?? [];
    if (recent.length > 0 && !this.#random.chance(8)) return this.#random.pick(recent.slice(-8));
    const number = this.#idCount + this.#random.whole(1, 20);
    return { currency: 'EUR', transactionId: `${this.#sender.provider}-${number}` };
  }

  #round(player: string): string {
    return `round-${player}-${this.#idCount >>> 5}-${this.#random.whole(1, 3)}`;
  }

  #otherThan(player: string): string {
    const { players } = this.#sender;
    const other =
      players[
        (players.indexOf(player) + this.#random.whole(1, players.length - 1)) % players.length
      ];
    return this.#random.chance(5) ? 'nobody' : other;
  }
}

// What is played for the tests of the reporter: the model's random commands with other currencies
// and ages of rounds, between them a crowd of players whose rounds mostly begin and end quickly.
// The clock first strides over hours and days, then goes slowly. Used by tests only.
import fc from 'fast-check';
import { commandSequence, firstCommands, type ModelCommand } from '../../model/model-commands.ts';
import type { ModelTransaction, OperatorDefinition } from '../../model/model-transaction.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';

const CROWD = 150;
/** The part of the commands in which the clock strides. */
const STRIDING_PART = 0.6;
const SLOW_STEP_MS_MAX = 3_000;
const GAMES = ['book', 'wheel', 'dice', undefined];
const MINUTE_MS = 60_000;

/** The commands of a play: the openings first. */
export function playCommands(random: SeededRandom, commandCount: number): ModelCommand[] {
  const [drawn] = fc.sample(commandSequence(commandCount), { seed: random.seed, numRuns: 1 });
  const crowd = new Crowd(random);
  const own = (command: ModelCommand): ModelCommand => ({
    ...command,
    transactions: command.transactions.map(withOwnCurrencies),
  });
  const played = drawn.flatMap((command, place) => {
    const isSlow = place > drawn.length * STRIDING_PART;
    const stepMs = isSlow ? command.stepMs % SLOW_STEP_MS_MAX : command.stepMs;
    return [own({ ...command, stepMs }), crowd.next()];
  });
  return [...firstCommands().map(own), ...crowd.openings(), ...played];
}

/** o1 has dollars of four places; o2 has instead a currency that ISO 4217 does not know. */
function withOwnCurrencies(transaction: ModelTransaction): ModelTransaction {
  const { operator, currency, definition } = transaction;
  const isOther = operator === 'o2' && currency === 'USD';
  const result = isOther ? { ...transaction, currency: 'DOGE' } : transaction;
  if (definition?.currencies?.USD === undefined) return result;
  const own: OperatorDefinition =
    operator === 'o1'
      ? { ...definition, currencies: { EUR: 2, USD: 4 }, roundAgeMs: 10 * MINUTE_MS }
      : { ...definition, currencies: { EUR: 2, DOGE: 8 }, roundAgeMs: 60 * MINUTE_MS };
  return { ...result, definition: own };
}

/** Players of o1 who bet, win and end their rounds; enough of them for several pages. */
class Crowd {
  readonly #random: SeededRandom;
  readonly #lastBets = new Map<string, ModelTransaction>();
  #idCount = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  openings(): ModelCommand[] {
    return Array.from({ length: CROWD }, (_, number) => number).flatMap((number) => [
      this.#command(number, { kind: 'open' }),
      this.#command(number, { kind: 'deposit', amount: 20_000 }),
    ]);
  }

  next(): ModelCommand {
    const random = this.#random;
    const number = random.below(CROWD);
    const bet = this.#lastBets.get(`c${number}`);
    const reference = bet?.transactionId ?? 'none';
    const round = bet?.round;
    const game = GAMES[random.below(GAMES.length)];
    const amount = 1 + random.below(40);
    const ending = random.below(3) === 0 ? { roundEnd: true } : {};
    switch (random.below(10)) {
      case 0:
        return this.#command(number, { kind: 'win', amount, reference, ...ending });
      case 1:
        return this.#command(number, { kind: 'win', amount, ...(round ? { round } : {}) });
      case 2:
        return this.#command(number, { kind: 'rollback', reference });
      case 3:
        return this.#command(number, { kind: 'transfer', amount, to: `c${random.below(CROWD)}` });
      case 4:
        return this.#bet(number, { amount, ...(game ? { game } : {}) });
      case 5:
        return this.#command(number, {
          kind: 'win',
          amount,
          stakeless: true,
          ...ending,
          round: 'late',
        });
      default: {
        const named = { round: `round-${random.below(6)}`, ...(game ? { game } : {}) };
        return this.#bet(number, { amount, ...named, ...ending });
      }
    }
  }

  #bet(number: number, fields: Partial<ModelTransaction>): ModelCommand {
    const command = this.#command(number, { kind: 'bet', ...fields });
    this.#lastBets.set(`c${number}`, command.transactions[0]);
    return command;
  }

  #command(number: number, fields: Partial<ModelTransaction> & { kind: string }): ModelCommand {
    this.#idCount += 1;
    const names = { operator: 'o1', provider: 'p1', player: `c${number}`, currency: 'EUR' };
    const transaction = { ...names, transactionId: `crowd-${this.#idCount}`, ...fields };
    return { stepMs: 0, isAtomic: false, transactions: [transaction], sentAgoMs: undefined };
  }
}

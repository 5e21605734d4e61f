// OpenRounds: the lists of open rounds against plain arrays, one per operator.
import { expect, test } from 'vitest';
import { OpenRounds } from '../../../core/tables/open-rounds.ts';
import { RoundLink, RoundRows } from '../../../core/tables/round-rows.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const KEY = new Int32Array(4);

/** The list of an operator, followed forwards; the way back is checked on the way. */
function listOf(rounds: RoundRows, open: OpenRounds, operator: number): number[] {
  const found: number[] = [];
  let previous = -1;
  for (let row = open.first(operator); row >= 0; row = rounds.link(row, RoundLink.next)) {
    expect(rounds.link(row, RoundLink.previous)).toBe(previous);
    found.push(row);
    previous = row;
  }
  return found;
}

test('random openings and closings keep the order of opening, each operator its own', () => {
  const random = new SeededRandom('OpenRounds');
  const rounds = new RoundRows();
  const open = new OpenRounds(rounds);
  const expected: number[][] = [[], [], [], []];
  for (let step = 0; step < 4000; step += 1) {
    const operator = 1 + random.below(3);
    const list = expected[operator];
    if (list.length > 0 && random.below(5) < 2) {
      const [row] = list.splice(random.below(list.length), 1);
      open.remove(operator, row);
      if (random.below(2) === 0) rounds.rows.free(row);
    } else {
      const row = rounds.add(KEY, 0, 0, 0, step);
      open.append(operator, row);
      list.push(row);
    }
    if (step % 200 !== 0) continue;
    for (const one of [1, 2, 3]) expect(listOf(rounds, open, one)).toEqual(expected[one]);
  }
  expect(open.rowCount).toBe(expected.flat().length);
});

test('rounds taken out and put back in reverse stand where they stood', () => {
  const random = new SeededRandom('OpenRounds');
  const rounds = new RoundRows();
  const open = new OpenRounds(rounds);
  const rows = Array.from({ length: 20 }, () => rounds.add(KEY, 0, 0, 0, 0));
  for (const row of rows) open.append(1, row);
  const taken: (readonly [row: number, previous: number, next: number])[] = [];
  const left = [...rows];
  while (left.length > 0) {
    const [row] = left.splice(random.below(left.length), 1);
    taken.push([row, rounds.link(row, RoundLink.previous), rounds.link(row, RoundLink.next)]);
    open.remove(1, row);
  }
  expect([open.first(1), open.rowCount]).toEqual([-1, 0]);
  for (const [row, previous, next] of taken.toReversed()) open.insert(1, row, previous, next);
  expect(listOf(rounds, open, 1)).toEqual(rows);
  expect(open.rowCount).toBe(20);
});

test('an operator without rounds has no first one', () => {
  const open = new OpenRounds(new RoundRows());
  expect([open.first(1), open.first(4096), open.rowCount]).toEqual([-1, -1, 0]);
});

// Reading a provider's list: names of columns, kinds and states, bad lines by their number, and
// random lists that come back line by line.
import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import { expect, test } from 'vitest';
import {
  type ListLine,
  type ListOptions,
  ProviderListError,
  readProviderList,
} from '../../../persist/reconciliation/provider-list.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const HEADER = 'transaction_id,kind,round,amount,currency,state';
const exponents = new Map<string, number | undefined>([
  ...([
    ['EUR', 2],
    ['JPY', 0],
    ['PTS', undefined],
  ] as const),
]);

async function read(
  text: string | readonly string[],
  options: Partial<ListOptions> = {},
): Promise<ListLine[]> {
  const lines: ListLine[] = [];
  const source = Readable.from(typeof text === 'string' ? [text] : text);
  const settings = { exponents, isMinor: false, delimiter: ',', ...options };
  for await (const line of readProviderList(source, settings)) lines.push(line);
  return lines;
}

const plain = {
  ...{ transactionId: 't1', kind: 3, ofWin: false, player: undefined, round: 'r1' },
  ...{ amountMinor: 1_250n, currency: 'EUR', state: 0 },
};

test('a line becomes a row with its number in the file', async () => {
  const lines = await read(`${HEADER}\nt1,bet,r1,12.50,EUR,accepted\n\nt2,win,,1,JPY,rejected\n`);
  expect(lines).toEqual([
    { line: 2, row: plain },
    {
      line: 4,
      row: {
        ...plain,
        ...{ transactionId: 't2', kind: 4, round: undefined, amountMinor: 1n },
        ...{ currency: 'JPY', state: 1 },
      },
    },
  ]);
});

test('columns have other names, any order, and others between them', async () => {
  const text =
    '\ufeffStatus;Game;Amount;CCY;Round ID;TYPE;Player-Id;ID\nOK;x;12.5;EUR;r1;Debit;p1;t1\n';
  const lines = await read(text, { delimiter: ';' });
  expect(lines).toEqual([{ line: 2, row: { ...plain, player: 'p1' } }]);
});

test.each([
  ['bet', 3, false],
  ['DEBIT', 3, false],
  ['Wager', 3, false],
  ['payout', 4, false],
  ['refund', 5, false],
  ['rollback', 5, false],
  ['win rollback', 5, true],
  ['rollback_win', 5, true],
  ['grant', 10, false],
])('the kind %s is %i', async (kind, number, ofWin) => {
  const [line] = await read(`${HEADER}\nt1,${kind},r1,1,EUR,ok\n`);
  expect(line).toMatchObject({ row: { kind: number, ofWin } });
});

test.each([
  ['accepted', 0],
  ['Completed', 0],
  ['REJECTED', 1],
  ['failed', 1],
  ['rolled back', 2],
  ['Cancelled', 2],
])('the state %s is %i', async (state, number) => {
  const [line] = await read(`${HEADER}\nt1,bet,r1,1,EUR,${state}\n`);
  expect(line).toMatchObject({ row: { state: number } });
});

test.each([
  [',bet,r1,1,EUR,ok', /no transaction_id/],
  ['t1,spin,r1,1,EUR,ok', /unknown kind: "spin"/],
  ['t1,open,r1,1,EUR,ok', /unknown kind: "open"/],
  ['t1,bet,r1,1,EUR,maybe', /unknown state: "maybe"/],
  ['t1,bet,r1,1,USD,ok', /unknown currency: "USD"/],
  ['t1,bet,r1,1,PTS,ok', /several exponents/],
  ['t1,bet,r1,1.005,EUR,ok', /more decimals than the currency's 2/],
  ['t1,bet,r1,"1,005",EUR,ok', /not a decimal number/],
  ['t1,bet,r1', /unknown state|unknown currency/],
  ['t1,win,r1,-1,EUR,ok', /a negative amount/],
  [`${'x'.repeat(65)},bet,r1,1,EUR,ok`, /an id that Kassa never takes/],
  ['t1\u0000,bet,r1,1,EUR,ok', /an id that Kassa never takes/],
  ['t"1,bet,r1,1,EUR,ok', /quote/i],
])('the line %j is named and the rest is read', async (text, problem) => {
  const lines = await read(`${HEADER}\n${text}\nt1,bet,r1,12.50,EUR,ok\n`);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatchObject({ line: 2, problem: expect.stringMatching(problem) });
  expect(lines[1]).toMatchObject({ line: 3, row: plain });
});

test('a bet may be listed with a minus, and amounts in minor units', async () => {
  const [line] = await read(`${HEADER}\nt1,bet,r1,-1250,EUR,ok\n`, { isMinor: true });
  expect(line).toMatchObject({ row: { amountMinor: 1_250n } });
});

test.each([
  ['', /empty list/],
  ['transaction_id,kind,round,amount,currency\nt1,bet,r1,1,EUR\n', /without the columns state/],
  ['t1,bet,r1,1,EUR,ok\n', /without the columns transaction_id, kind/],
  [`${HEADER},type\nt1,bet,r1,1,EUR,ok,bet\n`, /two columns for kind/],
  [`${HEADER}\nt1,bet,"r1,1,EUR,ok\n${'x,'.repeat(40_000)}`, /no CSV/],
])('the list %# is refused as a whole', async (text, message) => {
  await expect(read(text)).rejects.toThrow(ProviderListError);
  await expect(read(text)).rejects.toThrow(message);
});

test('a file that ends in the middle of a quote is refused', async () => {
  await expect(read(`${HEADER}\nt1,bet,"r1,1,EUR,ok\n`)).rejects.toThrow(/no CSV/);
});

test('random lists come back line by line, however they are cut', async () => {
  const random = new SeededRandom('lists come back line by line');
  const letters = ['a', 'é', '"', ',', ';', '\\', '漢', "'", '|', 'z'];
  const id = (): string =>
    `i${Array.from({ length: random.below(12) }, () => letters[random.below(10)]).join('')}.`;
  const rows = Array.from({ length: 2_000 }, () => ({
    ...{ transactionId: id(), round: id(), minor: random.amountMinor() },
  }));
  const text = stringify([
    HEADER.split(','),
    ...rows.map((row) => [row.transactionId, 'bet', row.round, row.minor, 'JPY', 'ok']),
  ]);
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.below(3_000);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  const lines: ListLine[] = [];
  const settings = { exponents, isMinor: false, delimiter: ',' };
  for await (const line of readProviderList(Readable.from(pieces), settings)) lines.push(line);
  expect(lines).toEqual(
    rows.map(({ transactionId, round, minor }, place) => ({
      line: place + 2,
      row: { ...plain, transactionId, round, amountMinor: BigInt(minor), currency: 'JPY' },
    })),
  );
});

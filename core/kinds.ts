// The kinds of transactions and records, their names, and the fields that each kind has.
// Numbers are part of the protocol and of the log. Wallet-rules.md: "Money moved", rule 3.

/** What a transaction or a time-driven record does. 1 to 31 may be sent, 32 and up may not. */
export const Kind = {
  deposit: 1,
  withdraw: 2,
  bet: 3,
  win: 4,
  rollback: 5,
  hold: 6,
  capture: 7,
  release: 8,
  transfer: 9,
  grant: 10,
  convert: 11,
  forfeit: 12,
  adjust: 13,
  open: 14,
  setStatus: 15,
  setOperator: 16,
  setClient: 17,
  roundAged: 32,
  holdExpired: 33,
  setRetention: 34,
} as const;

/** One of the numbers in Kind. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/** The largest kind that a client may send. */
export const SENT_KIND_MAX: number = Kind.setClient;

/** One bit for each field of a transaction; a set bit says that the sender named it. */
export const Field = {
  player: 0x1,
  currency: 0x2,
  amount: 0x4,
  round: 0x8,
  roundEnd: 0x10,
  stakeless: 0x20,
  reference: 0x40,
  game: 0x80,
  metadata: 0x100,
  sentAt: 0x200,
  ofWin: 0x400,
  to: 0x800,
  bucketBonus: 0x1000,
  reason: 0x2000,
  expiresIn: 0x4000,
  status: 0x8000,
  definition: 0x10000,
} as const;

/** A set of Field bits. */
export type FieldSet = number;

const EVERY: FieldSet = Field.metadata | Field.sentAt;
const ACCOUNT: FieldSet = Field.player | Field.currency;
const PLAY: FieldSet = Field.round | Field.game;

interface KindForm {
  readonly name: string;
  readonly required: FieldSet;
  readonly optional: FieldSet;
}

const FORMS: Readonly<Record<number, KindForm>> = {
  [Kind.deposit]: form('deposit', ACCOUNT | Field.amount),
  [Kind.withdraw]: form('withdraw', ACCOUNT | Field.amount),
  [Kind.bet]: form('bet', ACCOUNT | Field.amount, PLAY | Field.roundEnd),
  [Kind.win]: form(
    'win',
    ACCOUNT | Field.amount,
    PLAY | Field.roundEnd | Field.reference | Field.stakeless,
  ),
  [Kind.rollback]: form('rollback', ACCOUNT | Field.reference, PLAY | Field.amount | Field.ofWin),
  [Kind.hold]: form('hold', ACCOUNT | Field.amount, Field.expiresIn),
  [Kind.capture]: form('capture', ACCOUNT | Field.amount | Field.reference),
  [Kind.release]: form('release', ACCOUNT | Field.amount | Field.reference),
  [Kind.transfer]: form('transfer', ACCOUNT | Field.amount | Field.to),
  [Kind.grant]: form('grant', ACCOUNT | Field.amount),
  [Kind.convert]: form('convert', ACCOUNT | Field.amount),
  [Kind.forfeit]: form('forfeit', ACCOUNT | Field.amount),
  [Kind.adjust]: form('adjust', ACCOUNT | Field.amount | Field.reason, Field.bucketBonus),
  [Kind.open]: form('open', ACCOUNT),
  [Kind.setStatus]: form('setStatus', ACCOUNT | Field.status, Field.reason),
  [Kind.setOperator]: form('setOperator', Field.definition),
  [Kind.setClient]: form('setClient', Field.definition),
  [Kind.roundAged]: form('roundAged', 0),
  [Kind.holdExpired]: form('holdExpired', 0),
  [Kind.setRetention]: form('setRetention', 0),
};

const NUMBERS: ReadonlyMap<string, number> = new Map(
  Object.entries(FORMS).map(([number, { name }]) => [name, Number(number)]),
);
const REQUIRED: Uint32Array = Uint32Array.from(
  { length: 64 },
  (_, kind) => FORMS[kind]?.required ?? 0,
);
const FORBIDDEN: Uint32Array = Uint32Array.from({ length: 64 }, (_, kind) => {
  const known = FORMS[kind];
  return known === undefined ? 0xffffffff : ~(known.required | known.optional);
});

function form(name: string, required: FieldSet, optional: FieldSet = 0): KindForm {
  return { name, required, optional: optional | EVERY };
}

/** Whether a client may send this number as a kind. */
export function isSentKind(kind: number): boolean {
  return Number.isInteger(kind) && kind >= 1 && kind <= SENT_KIND_MAX;
}

/** Whether the named fields are all of the kind's own and none that it needs is missing. */
export function fieldsFitKind(kind: number, fields: FieldSet): boolean {
  const required = REQUIRED[kind];
  return (fields & required) === required && (fields & FORBIDDEN[kind]) === 0;
}

/** The kind's name as the protocol writes it. */
export function kindName(kind: number): string {
  return FORMS[kind]?.name ?? `kind_${kind}`;
}

/** The number of a kind's name, or 0 for a name that is none. */
export function kindNumber(name: string): number {
  return NUMBERS.get(name) ?? 0;
}

// Writes small WebAssembly modules from expressions, so that the few loops that need 64-bit
// integers have them: numbers of JavaScript keep 32 bits in a register, and a BigInt is an object.
// What a function here returns is code, in the binary form of the WebAssembly core specification
// 1.0; the names are its instructions. Pure; used once, when a module is loaded.

/** Instructions, or one operand's expression, as bytes. */
export type Code = readonly number[];

/** Memory that a module takes over by a name; its place in the list is its number in the code. */
export interface ImportedMemory {
  readonly name: string;
  /** Shared memory grows up to 4 GiB; other memory has so many pages and keeps them. */
  readonly pages: number | 'shared';
}

/** A function of a module: exported by its name, without a result. */
export interface WasmFunction {
  readonly name: string;
  /** How many 32-bit parameters it takes: locals 0 and up. */
  readonly parameterCount: number;
  /** Further locals, numbered behind the parameters: first 32-bit ones, then 64-bit ones. */
  readonly wordCount: number;
  readonly longCount: number;
  readonly body: Code;
}

const I32 = 0x7f;
const I64 = 0x7e;
/** A block without a result. */
const NO_RESULT = 0x40;
const END = 0x0b;

const Section = { type: 1, import: 2, function: 3, memory: 5, export: 7, code: 10 } as const;

/** Module that memory is imported from. */
const MEMORIES = 'memories';
const SHARED_PAGES_MAX = 65_536;

/**
 * The binary module of functions over a memory of their own, exported as `memory`: so many pages of
 * 64 KiB, which never grow.
 */
export function wasmModule(
  functions: readonly WasmFunction[],
  memoryPages: number,
): Uint8Array<ArrayBuffer> {
  const own = section(Section.memory, [limits(memoryPages)]);
  return moduleOf([], functions, own, [[...name('memory'), 0x02, 0x00]]);
}

/** The binary module of functions over memories that others made. */
export function wasmModuleOver(
  imported: readonly ImportedMemory[],
  functions: readonly WasmFunction[],
): Uint8Array<ArrayBuffer> {
  const imports = imported.map((each) => [
    ...name(MEMORIES),
    ...name(each.name),
    0x02,
    ...limits(each.pages),
  ]);
  return moduleOf(section(Section.import, imports), functions, [], []);
}

function limits(pages: number | 'shared'): Code {
  if (pages === 'shared') return [0x03, 0x00, ...unsigned(SHARED_PAGES_MAX)];
  return [0x01, ...unsigned(pages), ...unsigned(pages)];
}

function moduleOf(
  imports: Code,
  functions: readonly WasmFunction[],
  memory: Code,
  exports: readonly Code[],
): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameterCount }) => {
    const parameters = Array.from({ length: parameterCount }, () => [I32]);
    return [0x60, ...vector(parameters), 0x00];
  });
  const names = functions.map((each, index) => [...name(each.name), 0x00, ...unsigned(index)]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(Section.type, types),
    ...imports,
    ...section(
      Section.function,
      functions.map((_, index) => unsigned(index)),
    ),
    ...memory,
    ...section(Section.export, [...names, ...exports]),
    ...section(Section.code, functions.map(codeOf)),
  ]);
}

function codeOf({ wordCount, longCount, body }: WasmFunction): Code {
  const locals = vector([
    [...unsigned(wordCount), I32],
    [...unsigned(longCount), I64],
  ]);
  const code = [...locals, ...body, END];
  return [...unsigned(code.length), ...code];
}

/** The value of a local. */
export function get(local: number): Code {
  return [0x20, ...unsigned(local)];
}

/** Sets a local. */
export function set(local: number, value: Code): Code {
  return [...value, 0x21, ...unsigned(local)];
}

/** A 32-bit number. */
export function word(value: number): Code {
  return [0x41, ...signed(BigInt(value))];
}

/** A 64-bit number. */
export function long(value: bigint): Code {
  return [0x42, ...signed(BigInt.asIntN(64, value))];
}

/** An instruction with its operands before it. */
export type Operation = (...operands: readonly Code[]) => Code;

/** Instructions on values, by their names in the specification. */
export const i32: Readonly<
  Record<
    | 'add'
    | 'sub'
    | 'mul'
    | 'and'
    | 'or'
    | 'xor'
    | 'shl'
    | 'shrU'
    | 'eqz'
    | 'eq'
    | 'ne'
    | 'ltU'
    | 'gtU'
    | 'geU',
    Operation
  >
> = {
  add: operation(0x6a),
  sub: operation(0x6b),
  mul: operation(0x6c),
  and: operation(0x71),
  or: operation(0x72),
  xor: operation(0x73),
  shl: operation(0x74),
  shrU: operation(0x76),
  eqz: operation(0x45),
  eq: operation(0x46),
  ne: operation(0x47),
  ltU: operation(0x49),
  gtU: operation(0x4b),
  geU: operation(0x4f),
};

/** See i32. */
export const i64: Readonly<
  Record<
    | 'add'
    | 'sub'
    | 'and'
    | 'or'
    | 'xor'
    | 'shl'
    | 'shrU'
    | 'rotl'
    | 'extendI32U'
    | 'truncF64U'
    | 'eq'
    | 'ne'
    | 'ltU'
    | 'gtU'
    | 'wrapI32',
    Operation
  >
> = {
  add: operation(0x7c),
  sub: operation(0x7d),
  and: operation(0x83),
  or: operation(0x84),
  xor: operation(0x85),
  shl: operation(0x86),
  shrU: operation(0x88),
  rotl: operation(0x89),
  extendI32U: operation(0xad),
  /** The whole number that a double is. */
  truncF64U: operation(0xb1),
  eq: operation(0x51),
  ne: operation(0x52),
  ltU: operation(0x54),
  gtU: operation(0x56),
  /** The low 32 bits, as a word. */
  wrapI32: operation(0xa7),
};

/** Instructions on doubles. */
export const f64: Readonly<
  Record<'lt' | 'eq' | 'gt' | 'abs' | 'neg' | 'add' | 'convertI32U' | 'convertI64S', Operation>
> = {
  lt: operation(0x63),
  eq: operation(0x61),
  gt: operation(0x64),
  abs: operation(0x99),
  neg: operation(0x9a),
  add: operation(0xa0),
  convertI32U: operation(0xb8),
  convertI64S: operation(0xb9),
};

/** The first value if the third is not 0, else the second; both are computed. */
export const select: Operation = operation(0x1b);

/** The byte at an address. */
export function load8(address: Code, distance = 0): Code {
  return [...address, 0x2d, 0x00, ...unsigned(distance)];
}

/** The 32-bit word at an address and a fixed distance behind it. */
export function load32(address: Code, distance = 0, memory = 0): Code {
  return [...address, 0x28, ...place(0x02, distance, memory)];
}

/** Eight bytes, aligned or not. */
export function load64(address: Code, distance = 0, memory = 0): Code {
  return [...address, 0x29, ...place(0x00, distance, memory)];
}

/** Stores eight bytes. */
export function store64(address: Code, distance: number, value: Code, memory = 0): Code {
  return [...address, ...value, 0x37, ...place(0x00, distance, memory)];
}

/** The double at an address. */
export function loadDouble(address: Code, distance = 0, memory = 0): Code {
  return [...address, 0x2b, ...place(0x03, distance, memory)];
}

/** Stores the low byte of a word. */
export function store8(address: Code, distance: number, value: Code): Code {
  return [...address, ...value, 0x3a, 0x00, ...unsigned(distance)];
}

/** Stores the low byte of a long. */
export function storeLow8(address: Code, distance: number, value: Code): Code {
  return [...address, ...value, 0x3c, 0x00, ...unsigned(distance)];
}

/** Stores the low two bytes of a word. */
export function store16(address: Code, distance: number, value: Code): Code {
  return [...address, ...value, 0x3b, 0x01, ...unsigned(distance)];
}

/** Stores a word. */
export function store32(address: Code, distance: number, value: Code, memory = 0): Code {
  return [...address, ...value, 0x36, ...place(0x02, distance, memory)];
}

/** Stores a double. */
export function storeDouble(address: Code, distance: number, value: Code, memory = 0): Code {
  return [...address, ...value, 0x39, ...place(0x03, distance, memory)];
}

/** Runs the body while the condition, looked at before each turn, is not 0. */
export function whileLoop(condition: Code, body: Code): Code {
  // block { loop { leave the block unless condition; body; again } }
  const turn = [...i32.eqz(condition), 0x0d, 0x01, ...body, 0x0c, 0x00];
  return [0x02, NO_RESULT, 0x03, NO_RESULT, ...turn, END, END];
}

/** Runs the body if the condition is not 0. */
export function when(condition: Code, body: Code): Code {
  return [...condition, 0x04, NO_RESULT, ...body, END];
}

/** Runs the first body if the condition is not 0, else the second. */
export function either(condition: Code, then: Code, otherwise: Code): Code {
  return [...condition, 0x04, NO_RESULT, ...then, 0x05, ...otherwise, END];
}

/** One thing after the other. */
export function sequence(...codes: readonly Code[]): Code {
  return codes.flat();
}

/** The alignment, as a power of 2, the number of a memory that is not the first, and a distance. */
function place(alignment: number, distance: number, memory: number): Code {
  if (memory === 0) return [alignment, ...unsigned(distance)];
  return [alignment | 0x40, ...unsigned(memory), ...unsigned(distance)];
}

function operation(code: number): Operation {
  return (...operands) => [...operands.flat(), code];
}

function section(id: number, entries: readonly Code[]): Code {
  const content = vector(entries);
  return [id, ...unsigned(content.length), ...content];
}

function vector(entries: readonly Code[]): Code {
  return [...unsigned(entries.length), ...entries.flat()];
}

function name(text: string): Code {
  return vector(Array.from(text, (letter) => [letter.charCodeAt(0)]));
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: bigint): Code {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  const isLast = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}

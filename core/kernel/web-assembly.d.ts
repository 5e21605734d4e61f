// The part of WebAssembly that the kernels use: Node has it, its types do not declare it.
interface WasmModule {
  readonly isWasmModule: true;
}

/** Memory that is shared and grows. */
interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
  /** By so many pages of 64 KiB; `buffer` is another object then, over the same memory. */
  grow(pageCount: number): number;
}

/** Memory of a module's own. */
interface WasmOwnMemory {
  readonly buffer: ArrayBuffer;
}

type WasmExports = {
  readonly memory: WasmOwnMemory;
  readonly [name: string]: (...parameters: number[]) => void;
};

declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule;
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => WasmMemory;
  readonly Instance: new (
    module: WasmModule,
    imports?: { readonly memories: Readonly<Record<string, WasmMemory | WasmOwnMemory>> },
  ) => {
    readonly exports: WasmExports;
  };
};

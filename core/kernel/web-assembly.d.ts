// The part of WebAssembly that the kernels use: Node has it, its types do not declare it.
interface WasmModule {
  readonly isWasmModule: true;
}

declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly [name: string]: (...parameters: number[]) => void;
    };
  };
};

/** Loading of the WebAssembly modules that lie beside the code (built by `scripts/build-wasm.ts`); works in workers and from `dist/`. */
import { readFileSync } from 'node:fs';

/** The part of the WebAssembly API that is used here; the compiler's own types for it come only with the browser's. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: object };
};

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  /** Adds `pages` of 64 KiB; every earlier `buffer` becomes detached. */
  grow(pages: number): number;
}

/** Compiles the module at `url`; each call of the returned function makes an instance with a memory of its own. */
export function wasmModule<Exports extends object>(url: URL): () => Exports & { readonly memory: WasmMemory } {
  const module = new WebAssembly.Module(readFileSync(url));
  return () => new WebAssembly.Instance(module).exports as Exports & { readonly memory: WasmMemory };
}

// Turns a committed base64 module into a running WebAssembly instance. Called by the wasm backends at their
// first use; where WebAssembly or its SIMD is missing it throws, and the known-answer test fails.

// The part of the WebAssembly interface that is used; the compiler's Node types do not declare it.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/**
 * Compiles and instantiates a module that imports nothing.
 * @param base64 the module's bytes
 * @throws WebAssembly.CompileError when this engine lacks a needed feature
 */
export function instantiate<T>(base64: string): T {
  const module = new WebAssembly.Module(Buffer.from(base64, 'base64'))
  return new WebAssembly.Instance(module).exports as T
}

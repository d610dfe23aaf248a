/** What a bundler makes of the wasm, to be given to `init`: its address, its bytes or a `WebAssembly.Module`. */
declare const source: string | object;
export default source;

// libsodium, ready to use: the one place that knows where it comes from. The same file serves node and browsers.

// libsodium asks the browser's `crypto` for randomness as it loads; node has it under this name from version 19 on.
if (globalThis.crypto === undefined) {
  const { webcrypto } = await import("node:crypto");
  Object.defineProperty(globalThis, "crypto", { value: webcrypto });
}
const { default: sodium } = await import("./vendor/libsodium-wrappers.mjs");
await sodium.ready;

export default /** @type {Record<string, any>} */ (sodium);

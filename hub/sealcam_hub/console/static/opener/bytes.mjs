// Bytes: big-endian integers, hexadecimal, comparison. Nothing here knows a format.

/**
 * All parts behind each other.
 * @param {...Uint8Array} parts
 */
export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** @param {string} text ASCII */
export const ascii = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** @param {number} value */
export function u32(value) {
  const bytes = new Uint8Array(4);
  view(bytes).setUint32(0, value);
  return bytes;
}

/** @param {bigint} value */
export function u64(value) {
  const bytes = new Uint8Array(8);
  view(bytes).setBigUint64(0, value);
  return bytes;
}

/** @param {Uint8Array} bytes */
export const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** @param {Uint8Array} bytes @param {number} at */
export const readU32 = (bytes, at) => view(bytes).getUint32(at);

/** @param {Uint8Array} bytes @param {number} at */
export const readU64 = (bytes, at) => view(bytes).getBigUint64(at);

/**
 * Whether both hold the same. Not in constant time: what is compared here is public, or is random and of one use.
 * @param {Uint8Array} a @param {Uint8Array} b
 */
export function equal(a, b) {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** @param {Uint8Array} bytes */
export const isZero = (bytes) => bytes.every((byte) => byte === 0);

/** @param {Uint8Array} bytes */
export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * The bytes of hexadecimal text, or null where it isn't that.
 * @param {string} text
 */
export function fromHex(text) {
  if (text.length % 2 || /[^0-9a-f]/i.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

// Where a clip's bytes come from, a range at a time: memory, a file that was chosen, a web server. What comes back may
// be shorter only at the end.

import { Refused } from "./refused.mjs";

/**
 * @typedef {object} Source
 * @property {number} size bytes in all
 * @property {(from: number, to: number) => Promise<Uint8Array>} read bytes `from` to `to` - 1, cut off at the end
 */

/** @param {Uint8Array} bytes @returns {Source} */
export const fromBytes = (bytes) => ({ size: bytes.length, read: async (from, to) => bytes.subarray(from, to) });

/** @param {Blob} blob @returns {Source} */
export const fromBlob = (blob) => ({
  size: blob.size,
  read: async (from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer()),
});

/**
 * A file on a web server that answers to ranges.
 * @param {string | URL} url @returns {Promise<Source>}
 */
export async function fromUrl(url) {
  const range = (/** @type {number} */ from, /** @type {number} */ to) =>
    fetch(url, { headers: { range: `bytes=${from}-${to - 1}` } });
  const first = await range(0, 1);
  await first.body?.cancel();
  const size = Number(/^bytes 0-0\/([0-9]{1,15})$/.exec(first.headers.get("content-range") ?? "")?.[1] ?? NaN);
  if (first.status !== 206 || Number.isNaN(size)) throw new TypeError("the server doesn't give parts of a file");
  return {
    size,
    read: async (from, to) => {
      const end = Math.min(to, size);
      if (from >= end) return new Uint8Array();
      const answer = await range(from, end);
      if (answer.status !== 206) throw new TypeError("the server doesn't give parts of a file");
      return bounded(answer, end - from);
    },
  };
}

/** @param {Response} answer @param {number} size */
async function bounded(answer, size) {
  const bytes = new Uint8Array(size);
  let at = 0;
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > size) throw new Refused(); // more than was asked for
    bytes.set(value, at);
    at += value.length;
  }
  if (at < size) throw new TypeError("the server's answer ended early");
  return bytes;
}

// Opens what a sealed clip holds, a segment of 1 MiB at a time: design/wire.md, sections 7.1, 7.2, 7.4.

import { concat, equal, u32, u64 } from "./bytes.mjs";
import { decode } from "./cbor.mjs";
import { STAMP } from "./bodies.mjs";
import { CHUNK_BYTES, chunkAt, CHUNKS, END, INFO_BYTES, MORE, START_BYTES } from "./clip.mjs";
import { markAt, slotsOf } from "./envelope.mjs";
import { commits, decrypt, fromSlots, hash32 } from "./hash.mjs";
import { must } from "./refused.mjs";
import { bytesOf, int, map, read, text } from "./schema.mjs";

const NONE = new Uint8Array();
const COMMIT = "sealcam/scl1/commit";
/** @type {import("./schema.mjs").Table} */
const INFO = {
  incident: [1, bytesOf(8)],
  at: [2, map(STAMP)],
  media: [3, text],
  part: [4, int],
  camera: [5, text, "opt"],
  trigger_ns: [6, int, "opt"],
};

/** @typedef {import("./clip.mjs").Header} Header */
/** @typedef {import("./source.mjs").Source} Source */
/** @typedef {(segment: number) => Uint8Array} SegmentKeys refuses where there is no key */

/**
 * The content key from one of the header's slots; or a refusal.
 * @param {Header} header @param {Uint8Array[]} secrets the recipient's
 */
export function contentKeyOf(header, secrets) {
  const slots = slotsOf(header.bytes.subarray(0, header.infoAt), START_BYTES);
  return fromSlots(slots, secrets, (key) => commits(COMMIT, key, header.commit));
}

/** Refuses a content key that isn't this clip's. @param {Header} header @param {Uint8Array} key */
export const mustMeet = (header, key) => must(commits(COMMIT, key, header.commit));

/** The segment keys of a content key. @param {Header} header @param {Uint8Array} key @returns {SegmentKeys} */
export const segmentKeys = (header, key) => (segment) =>
  hash32("sealcam/scl1/segment-key", key, header.hash, u32(segment));

/**
 * What the header says in secret: the info block's CBOR and its fields; or a refusal.
 * @param {Header} header @param {Uint8Array} key content key
 */
export function readInfo(header, key) {
  const clear = header.bytes.subarray(0, header.infoAt);
  const sealed = header.bytes.subarray(header.infoAt, header.infoAt + INFO_BYTES);
  const padded = decrypt(hash32("sealcam/scl1/info-key", key, clear), new Uint8Array(12), clear, sealed);
  must(padded !== null);
  const cbor = padded.slice(0, markAt(padded));
  return { cbor, fields: read(decode(cbor), INFO) };
}

/** @typedef {"never" | "maybe" | "surely"} Final whether a chunk is the clip's last one */

/**
 * One chunk's content; or a refusal.
 * @param {Uint8Array} key of its segment @param {number} number @param {Uint8Array} sealed @param {Final} final
 */
function openOne(key, number, sealed, final) {
  const nonce = (/** @type {number} */ last) => concat(Uint8Array.of(last, 0, 0, 0), u64(BigInt(number)));
  const plain = final === "surely" ? null : decrypt(key, nonce(0), NONE, sealed);
  if (plain !== null) return plain;
  const last = final === "never" ? null : decrypt(key, nonce(1), NONE, sealed);
  must(last !== null);
  return last.subarray(0, markAt(last));
}

/**
 * One chunk of a clip, wherever it stands. No checkpoint is looked at.
 * @param {Source} source @param {Header} header @param {SegmentKeys} keys @param {number} number
 */
export async function openChunk(source, header, keys, number) {
  must(Number.isInteger(number) && number >= 0 && number < 2 ** 20);
  const at = chunkAt(header, number);
  const sealed = await source.read(at, at + CHUNK_BYTES);
  must(sealed.length === CHUNK_BYTES);
  const followed = chunkAt(header, number + 1) + CHUNK_BYTES <= source.size;
  return openOne(keys(Math.floor(number / CHUNKS)), number, sealed, followed ? "never" : "maybe");
}

/**
 * The content of segments that were verified, in order, in parts of at most 65,536 bytes. What is read now must be what
 * was verified, and the end of a complete clip is tried before anything is given.
 * @param {Source} source @param {Header} header @param {SegmentKeys} keys
 * @param {import("./clip.mjs").Segment[]} segments
 * @returns {AsyncGenerator<Uint8Array, void, void>}
 */
export async function* content(source, header, keys, segments) {
  const last = segments.at(-1);
  if (last?.kind === END) {
    const number = CHUNKS * last.number + last.chunks - 1;
    const at = chunkAt(header, number);
    openOne(keys(last.number), number, await source.read(at, at + CHUNK_BYTES), "surely");
  }
  for (const segment of segments) {
    const ciphertext = await source.read(segment.at, segment.at + segment.chunks * CHUNK_BYTES);
    must(equal(hash32("sealcam/scl1/chain", segment.before, ciphertext), segment.chain));
    const key = keys(segment.number);
    for (let chunk = 0; chunk < segment.chunks; chunk++) {
      const sealed = ciphertext.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
      yield openOne(key, CHUNKS * segment.number + chunk, sealed, finality(segment, chunk));
    }
  }
}

/** @param {import("./clip.mjs").Segment} segment @param {number} chunk within it @returns {Final} */
function finality(segment, chunk) {
  if (segment.kind === MORE || chunk < segment.chunks - 1) return "never";
  return segment.kind === END ? "surely" : "maybe";
}

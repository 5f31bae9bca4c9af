// A sealed clip's header, and its state, which can be told without a key: design/wire.md, sections 7.1, 7.3, 7.4. One
// segment at a time is in memory. `content` opens what was found here.

import { ascii, equal, isZero, readU32 } from "./bytes.mjs";
import { hash32, holds, keyId } from "./hash.mjs";
import { must } from "./refused.mjs";

export const START_BYTES = 70;
const SIGNATURE_BYTES = 64;
const SLOT_BYTES = 80;
export const CHUNK_BYTES = 65_552;
export const CHUNKS = 16;
export const INFO_BYTES = 272;
const CHECKPOINT_BYTES = 113;
const SEGMENT_BYTES = CHUNKS * CHUNK_BYTES + CHECKPOINT_BYTES;
const MOST_SEGMENTS = 2 ** 20 / CHUNKS;
export const [MORE, END, RECOVERED] = [0, 1, 2];

/**
 * @typedef {object} Header verified
 * @property {Uint8Array} bytes as it stands in the file
 * @property {Uint8Array} clip its id
 * @property {Uint8Array} commit
 * @property {number} epoch
 * @property {number} rset number of the recipient set
 * @property {number} infoAt where the info block begins
 * @property {Uint8Array} hash
 * @property {Uint8Array} signer public key
 * @property {{key: Uint8Array, kid: Uint8Array}[]} signers all keys that may sign here
 */

/**
 * @typedef {object} Segment
 * @property {number} number
 * @property {number} at where it begins
 * @property {number} chunks whole ones
 * @property {number | null} kind of its checkpoint, null where it has none
 * @property {boolean} blanked
 * @property {boolean} ends whether no segment follows
 * @property {Uint8Array} before the chain up to it
 * @property {Uint8Array} chain with it
 */

/**
 * The header of a clip that one of these keys has signed; or a refusal.
 * @param {import("./source.mjs").Source} source
 * @param {Uint8Array[]} signers Ed25519 keys that are known to be the camera's
 * @returns {Promise<Header>}
 */
export async function readHeader(source, signers) {
  const start = await source.read(0, START_BYTES);
  must(start.length === START_BYTES && [4, 8, 16].includes(start[69]));
  const infoAt = START_BYTES + SLOT_BYTES * start[69];
  const bytes = (await source.read(0, infoAt + INFO_BYTES + SIGNATURE_BYTES)).slice();
  must(bytes.length === infoAt + INFO_BYTES + SIGNATURE_BYTES);
  const signed = bytes.subarray(0, -SIGNATURE_BYTES);
  const signature = bytes.subarray(-SIGNATURE_BYTES);
  const known = signers.map((key) => ({ key, kid: keyId(key) }));
  const signer = signedBy(known, bytes.subarray(5, 13), "sealcam/scl1/header", [signed], signature);
  must(equal(bytes.subarray(0, 4), ascii("SCL1")) && bytes[4] === 1);
  must(bytes[69] === start[69]); // the file was read twice
  return {
    bytes,
    clip: bytes.slice(21, 37),
    commit: bytes.slice(37, 69),
    epoch: readU32(bytes, 13),
    rset: readU32(bytes, 17),
    infoAt,
    hash: hash32("sealcam/scl1/header-hash", bytes),
    signer,
    signers: known,
  };
}

/**
 * Which of these keys has that name and made that signature; or a refusal.
 * @param {Header["signers"]} signers @param {Uint8Array} kid
 * @param {string} label @param {Uint8Array[]} message @param {Uint8Array} signature
 */
function signedBy(signers, kid, label, message, signature) {
  const found = signers.find((one) => equal(one.kid, kid) && holds(one.key, label, message, signature));
  must(found !== undefined);
  return found.key;
}

/** @param {Header} header @param {number} number of the segment */
export const segmentAt = (header, number) => header.bytes.length + number * SEGMENT_BYTES;

/** @param {Header} header @param {number} number of the chunk */
export const chunkAt = (header, number) =>
  segmentAt(header, Math.floor(number / CHUNKS)) + (number % CHUNKS) * CHUNK_BYTES;

/**
 * One segment, verified by the checkpoint before it and its own; or a refusal. A segment that has no checkpoint, at the
 * end of a clip that was cut, is given as it is: `kind` is null.
 * @param {import("./source.mjs").Source} source @param {Header} header @param {number} number
 * @returns {Promise<Segment>}
 */
export async function readSegment(source, header, number) {
  return verifySegment(source, header, number, await chainBefore(source, header, number));
}

/** @param {import("./source.mjs").Source} source @param {Header} header @param {number} number */
async function chainBefore(source, header, number) {
  if (number === 0) return header.hash;
  must(Number.isInteger(number) && number > 0 && number < MOST_SEGMENTS);
  const at = segmentAt(header, number) - CHECKPOINT_BYTES;
  const bytes = await source.read(at, at + CHECKPOINT_BYTES);
  must(bytes.length === CHECKPOINT_BYTES);
  const checkpoint = readCheckpoint(bytes, header);
  must(checkpoint.kind === MORE && checkpoint.chunks === CHUNKS * number);
  return checkpoint.chain;
}

/**
 * @param {import("./source.mjs").Source} source @param {Header} header @param {number} number
 * @param {Uint8Array} before the chain up to here
 * @returns {Promise<Segment>}
 */
async function verifySegment(source, header, number, before) {
  const at = segmentAt(header, number);
  const bytes = await source.read(at, at + SEGMENT_BYTES);
  const chunks = countChunks(bytes, header);
  const ciphertext = bytes.subarray(0, chunks * CHUNK_BYTES);
  const rest = bytes.subarray(ciphertext.length);
  const chain = hash32("sealcam/scl1/chain", before, ciphertext);
  const found = { number, at, chunks, before, chain };
  if (!checkpointStands(rest, chunks, header)) return { ...found, kind: null, blanked: false, ends: true };
  const checkpoint = readCheckpoint(rest.subarray(0, CHECKPOINT_BYTES), header);
  must(checkpoint.chunks === CHUNKS * number + chunks);
  must(checkpoint.kind !== END || chunks > 0);
  const ends = checkpoint.kind !== MORE;
  must(ends ? at + ciphertext.length + CHECKPOINT_BYTES === source.size : chunks === CHUNKS);
  const blanked = chunks > 0 && isZero(ciphertext);
  must(blanked || equal(chain, checkpoint.chain));
  return { ...found, chain: checkpoint.chain, kind: checkpoint.kind, blanked, ends };
}

/**
 * How many whole chunks stand in front of a checkpoint or the end.
 * @param {Uint8Array} bytes of a segment @param {Header} header
 */
function countChunks(bytes, header) {
  let chunks = 0;
  while (chunks < CHUNKS && bytes.length - chunks * CHUNK_BYTES >= CHUNK_BYTES) {
    if (checkpointStands(bytes.subarray(chunks * CHUNK_BYTES), chunks, header)) break;
    chunks++;
  }
  return chunks;
}

/** @param {Uint8Array} rest @param {number} chunks before it @param {Header} header */
function checkpointStands(rest, chunks, header) {
  if (rest.length < CHECKPOINT_BYTES) return false;
  return chunks === CHUNKS || header.signers.some(({ kid }) => equal(kid, rest.subarray(1, 9)));
}

/**
 * @param {Uint8Array} bytes @param {Header} header
 */
function readCheckpoint(bytes, header) {
  const [signed, signature] = [bytes.subarray(0, -SIGNATURE_BYTES), bytes.subarray(-SIGNATURE_BYTES)];
  const kind = bytes[0];
  must([MORE, END, RECOVERED].includes(kind));
  // Recovery may come after a new epoch has begun; the rest is the header's own key's.
  const allowed = kind === RECOVERED ? header.signers : header.signers.filter(({ key }) => key === header.signer);
  signedBy(allowed, bytes.subarray(1, 9), "sealcam/scl1/checkpoint", [header.hash, signed], signature);
  return { kind, chunks: readU32(bytes, 13), chain: bytes.slice(17, 49) };
}

/**
 * @typedef {object} Survey
 * @property {"complete" | "interrupted" | "cut"} state
 * @property {number} chunks whole ones
 * @property {number} signedChunks of these, before the last checkpoint
 * @property {Segment[]} segments
 */

/**
 * A clip's state, from front to back; or a refusal.
 * @param {import("./source.mjs").Source} source @param {Header} header
 * @param {(bytes: number) => void} [progress] told how far it has come
 * @returns {Promise<Survey>}
 */
export async function survey(source, header, progress) {
  /** @type {Segment[]} */
  const segments = [];
  let [chain, chunks, signedChunks] = [header.hash, 0, 0];
  for (;;) {
    const segment = await verifySegment(source, header, segments.length, chain);
    must(!segment.blanked && (segment.number < MOST_SEGMENTS || segment.chunks === 0));
    segments.push(segment);
    chain = segment.chain;
    chunks += segment.chunks;
    if (segment.kind !== null) signedChunks = chunks;
    progress?.(Math.min(source.size, segmentAt(header, segments.length)));
    if (segment.ends) return { state: stateOf(segment), chunks, signedChunks, segments };
  }
}

/** @param {Segment} last @returns {Survey["state"]} */
function stateOf({ kind }) {
  if (kind === END) return "complete";
  return kind === RECOVERED ? "interrupted" : "cut";
}

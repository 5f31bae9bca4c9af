// A clip that was shared: who shares it, what, until when, and its content. design/wire.md, section 8.

import { equal } from "./bytes.mjs";
import { readHeader, readSegment, survey } from "./clip.mjs";
import { content, mustMeet, readInfo, segmentKeys } from "./content.mjs";
import { KEY_BYTES, openBox, publicOf } from "./hash.mjs";
import { GRANT } from "./kinds.mjs";
import { must, Refused } from "./refused.mjs";
import { readBundle } from "./statement.mjs";

/**
 * @typedef {object} Grant verified, and meant for this recipient now
 * @property {Uint8Array} root the owner's public key
 * @property {Uint8Array} hub who made it
 * @property {Uint8Array} clip
 * @property {Uint8Array} headerHash
 * @property {number[] | null} segments null: the whole clip
 * @property {string} purpose
 * @property {bigint} issuedNs
 * @property {bigint} expiresNs
 * @property {Uint8Array[]} signers
 * @property {Uint8Array} opened what it wraps: the content key, or the segment keys
 */

/**
 * What a grant's bundle says, for its recipient, at this time; or a refusal.
 * @param {Uint8Array} bundle
 * @param {Uint8Array} rootFingerprint which the recipient knows by another way
 * @param {Uint8Array} secret the recipient's X25519 key
 * @param {bigint} nowNs the recipient's clock
 * @returns {Grant}
 */
export function readGrant(bundle, rootFingerprint, secret, nowNs) {
  const { root, hub, fields } = readBundle(bundle, rootFingerprint, GRANT);
  must(secret.length === KEY_BYTES && equal(fields.recipient, publicOf(secret)) && nowNs < fields.expiresNs);
  const opened = openBox(fields.wrapped, secret);
  must(opened !== null);
  const { clip, headerHash, purpose, issuedNs, expiresNs, signers } = fields;
  const segments = fields.segments === undefined ? null : fields.segments.flatMap(numbers);
  return { root, hub, clip, headerHash, segments, purpose, issuedNs, expiresNs, signers, opened };
}

/** @param {import("./schema.mjs").Run} run */
const numbers = ({ first, last }) => Array.from({ length: Number(last - first) + 1 }, (_, n) => Number(first) + n);

/**
 * @typedef {object} Shared
 * @property {"complete" | "interrupted" | "cut" | "part"} state
 * @property {number} chunks
 * @property {number} signedChunks
 * @property {import("./clip.mjs").Header} header
 * @property {Record<string, any> | null} info what the header says in secret; null of a part, and where it does not read
 * @property {() => AsyncGenerator<Uint8Array, void, void>} content
 */

/**
 * What a grant opens of this clip, verified before anything is opened; or a refusal.
 * @param {import("./source.mjs").Source} source @param {Grant} grant
 * @param {(bytes: number) => void} [progress]
 * @returns {Promise<Shared>}
 */
export async function openShared(source, grant, progress) {
  const header = await readHeader(source, grant.signers);
  must(equal(header.clip, grant.clip) && equal(header.hash, grant.headerHash));
  if (grant.segments !== null) return openPart(source, header, grant, grant.segments, progress);
  mustMeet(header, grant.opened);
  const keys = segmentKeys(header, grant.opened);
  const info = infoIn(header, grant.opened);
  const { segments, ...found } = await survey(source, header, progress);
  return { ...found, header, info, content: () => content(source, header, keys, segments) };
}

/**
 * What the header says in secret, if it reads: no part of the check.
 * @param {import("./clip.mjs").Header} header @param {Uint8Array} key
 */
function infoIn(header, key) {
  try {
    return readInfo(header, key).fields;
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

/**
 * @param {import("./source.mjs").Source} source @param {import("./clip.mjs").Header} header @param {Grant} grant
 * @param {number[]} wanted @param {(bytes: number) => void} [progress]
 * @returns {Promise<Shared>}
 */
async function openPart(source, header, grant, wanted, progress) {
  /** @type {import("./clip.mjs").Segment[]} */
  const segments = [];
  for (const number of wanted) {
    const segment = await readSegment(source, header, number);
    must(!segment.blanked && segment.kind !== null); // what isn't signed is shown of a whole clip alone
    segments.push(segment);
    progress?.(Math.round((source.size * segments.length) / wanted.length));
  }
  const keyOf = new Map(wanted.map((number, at) => [number, grant.opened.slice(KEY_BYTES * at, KEY_BYTES * (at + 1))]));
  const keys = (/** @type {number} */ number) => {
    const key = keyOf.get(number);
    must(key !== undefined);
    return key;
  };
  const chunks = segments.reduce((sum, one) => sum + one.chunks, 0);
  const read = () => content(source, header, keys, segments);
  return { state: "part", chunks, signedChunks: chunks, header, info: null, content: read };
}

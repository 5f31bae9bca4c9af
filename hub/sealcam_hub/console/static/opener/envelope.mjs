// The envelopes SEV1 (camera to its recipients) and SCM1 (hub to a camera): design/wire.md, section 4.

import { ascii, equal, isZero, readU32, readU64 } from "./bytes.mjs";
import { decode } from "./cbor.mjs";
import { commits, decrypt, fromSlots, hash32, holds, keyId, SIGNATURE_BYTES } from "./hash.mjs";
import { must } from "./refused.mjs";

export const MOST_ENVELOPE_BYTES = 1_179_648;
const CLEAR_BYTES = 54;
export const SLOT_BYTES = 80;
const TAG_BYTES = 16;
const FIXED_BYTES = 41; // type, seq, prev
const OUTSIDE_CHAIN = 0x80;

export const SEV1 = { magic: "SEV1", name: "sev1", slots: [4, 8, 16], chained: true };
export const SCM1 = { magic: "SCM1", name: "scm1", slots: [1], chained: false };

/**
 * @typedef {object} Opened
 * @property {number} epoch
 * @property {number} rset number of the recipient set
 * @property {number} type
 * @property {bigint} seq
 * @property {Uint8Array} prev
 * @property {Uint8Array} cbor the body as it was, without padding
 * @property {Map<bigint, import("./cbor.mjs").Value>} body
 * @property {Uint8Array} contentKey
 */

/**
 * What an envelope says, or a refusal.
 * @param {Uint8Array} envelope
 * @param {Uint8Array} signer the one public key expected
 * @param {{secrets?: Uint8Array[], contentKey?: Uint8Array}} keys the recipient's X25519 secrets, or a content key kept
 * @param {typeof SEV1} format
 * @returns {Opened}
 */
export function openEnvelope(envelope, signer, keys, format = SEV1) {
  must(envelope.length > SIGNATURE_BYTES && envelope.length <= MOST_ENVELOPE_BYTES);
  const signed = envelope.subarray(0, -SIGNATURE_BYTES);
  must(holds(signer, `sealcam/${format.name}/signature`, [signed], envelope.subarray(-SIGNATURE_BYTES)));
  must(signed.length >= CLEAR_BYTES && equal(signed.subarray(0, 4), ascii(format.magic)) && signed[4] === 1);
  const slots = signed[53];
  must(format.slots.includes(slots) && equal(signed.subarray(5, 13), keyId(signer)));
  const end = CLEAR_BYTES + SLOT_BYTES * slots;
  must(signed.length >= end + TAG_BYTES + FIXED_BYTES + 1);
  const clear = signed.subarray(0, end);
  const contentKey = contentKeyOf(clear, keys, format);
  const bodyKey = hash32(`sealcam/${format.name}/body-key`, contentKey, clear);
  const padded = decrypt(bodyKey, new Uint8Array(12), clear, signed.subarray(end));
  must(padded !== null);
  const head = { epoch: readU32(clear, 13), rset: readU32(clear, 17), contentKey };
  return { ...head, ...split(unpad(padded), format) };
}

/**
 * @param {Uint8Array} clear @param {{secrets?: Uint8Array[], contentKey?: Uint8Array}} keys @param {typeof SEV1} format
 */
function contentKeyOf(clear, keys, format) {
  const commit = clear.subarray(21, 53);
  const meets = (/** @type {Uint8Array} */ key) => commits(`sealcam/${format.name}/commit`, key, commit);
  if (keys.contentKey === undefined) return fromSlots(slotsOf(clear, CLEAR_BYTES), keys.secrets ?? [], meets);
  must(meets(keys.contentKey));
  return keys.contentKey;
}

/** @param {Uint8Array} bytes @param {number} from */
export function slotsOf(bytes, from) {
  const count = (bytes.length - from) / SLOT_BYTES;
  return Array.from({ length: count }, (_, n) => bytes.subarray(from + SLOT_BYTES * n, from + SLOT_BYTES * (n + 1)));
}

/** @param {Uint8Array} padded */
function unpad(padded) {
  const size = markAt(padded) + 1;
  must(padded.length === paddedSize(size) && size > FIXED_BYTES);
  return padded.subarray(0, size - 1);
}

/**
 * Where the 80 stands that ends what is padded with zeros; or a refusal.
 * @param {Uint8Array} padded
 */
export function markAt(padded) {
  let at = padded.length - 1;
  while (at >= 0 && padded[at] === 0) at--;
  must(at >= 0 && padded[at] === 0x80);
  return at;
}

/** P(n) of section 4.3. @param {number} size */
export function paddedSize(size) {
  if (size <= 65_536) return Math.max(512, 2 ** Math.ceil(Math.log2(size)));
  const exponent = Math.floor(Math.log2(size));
  const step = 2 ** (exponent - (Math.floor(Math.log2(exponent)) + 1));
  return Math.ceil(size / step) * step;
}

/** @param {Uint8Array} plain @param {typeof SEV1} format */
function split(plain, format) {
  const [type, seq, prev] = [plain[0], readU64(plain, 1), plain.slice(9, FIXED_BYTES)];
  const cbor = plain.slice(FIXED_BYTES);
  const body = decode(cbor);
  if (format.chained) must(type < OUTSIDE_CHAIN ? seq >= 1n : isZero(prev));
  return { type, seq, prev, cbor, body };
}

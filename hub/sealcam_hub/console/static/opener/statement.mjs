// Signed statements SGN1, bundles and claims: design/wire.md, section 6. `kinds` says what a kind holds.

import { ascii, equal } from "./bytes.mjs";
import { fingerprint, holds, KEY_BYTES, keyId, SIGNATURE_BYTES } from "./hash.mjs";
import { CERTIFICATE, CLAIM_ANSWER, CLAIM_REQUEST, KINDS, PREKEY, SET } from "./kinds.mjs";
import { must } from "./refused.mjs";
import { readBytes } from "./schema.mjs";

const MOST_BYTES = 65_535;
const HEAD_BYTES = 13;
const MOST_PREKEY = (1n << 62n) - 1n;

/**
 * The fields of a statement of the kind expected, by the key expected; or a refusal.
 * @param {Uint8Array} statement @param {number} expected number of the kind @param {Uint8Array} signer public key
 * @returns {Record<string, any>}
 */
export function readStatement(statement, expected, signer) {
  return readBoth(statement, expected, signer).fields;
}

/**
 * The same, with the CBOR as it stands.
 * @param {Uint8Array} statement @param {number} expected @param {Uint8Array} signer
 */
export function readBoth(statement, expected, signer) {
  const kind = KINDS.get(expected);
  must(kind !== undefined && statement.length >= HEAD_BYTES + 1 + SIGNATURE_BYTES && statement.length <= MOST_BYTES);
  const signed = statement.subarray(0, -SIGNATURE_BYTES);
  must(holds(signer, `sealcam/sgn1/${kind.name}`, [signed], statement.subarray(-SIGNATURE_BYTES)));
  must(equal(signed.subarray(0, 4), ascii("SGN1")) && signed[4] === expected);
  must(equal(signed.subarray(5, HEAD_BYTES), keyId(signer)));
  const cbor = signed.slice(HEAD_BYTES);
  const fields = readBytes(cbor, kind.fields);
  kind.rules?.(fields, signer);
  return { cbor, fields };
}

/**
 * The parts of a bundle. Nothing is verified.
 * @param {Uint8Array} bundle
 */
export function splitBundle(bundle) {
  must(bundle.length > KEY_BYTES + 2);
  const length = (bundle[KEY_BYTES] << 8) | bundle[KEY_BYTES + 1];
  const at = KEY_BYTES + 2 + length;
  must(at < bundle.length);
  return {
    root: bundle.slice(0, KEY_BYTES),
    certificate: bundle.slice(KEY_BYTES + 2, at),
    statement: bundle.slice(at),
  };
}

/**
 * The statement in a bundle by a hub that the root of this fingerprint certified; or a refusal.
 * @param {Uint8Array} bundle @param {Uint8Array} rootFingerprint @param {number} expected
 */
export function readBundle(bundle, rootFingerprint, expected) {
  const { root, certificate, statement } = splitBundle(bundle);
  must(equal(fingerprint(root), rootFingerprint));
  const { hub } = readStatement(certificate, CERTIFICATE, root);
  return { root, hub: /** @type {Uint8Array} */ (hub), fields: readStatement(statement, expected, hub) };
}

/**
 * A camera's request, as it comes to the hub: proof of possession of the key in front, and nothing else.
 * @param {Uint8Array} request
 */
export function readClaimRequest(request) {
  must(request.length > KEY_BYTES);
  const publicKey = request.slice(0, KEY_BYTES);
  return { public: publicKey, ...readBoth(request.subarray(KEY_BYTES), CLAIM_REQUEST, publicKey) };
}

/**
 * What a camera would take from a claim answer: its hub, set and prekey, all or nothing.
 * @param {Uint8Array} bundle @param {Uint8Array} rootFingerprint @param {Uint8Array} camera its own key id
 */
export function readClaimAnswer(bundle, rootFingerprint, camera) {
  const { root, hub, fields: answer } = readBundle(bundle, rootFingerprint, CLAIM_ANSWER);
  const set = readStatement(answer.recipientSet, SET, root);
  const prekey = readStatement(answer.prekey, PREKEY, hub);
  must(equal(set.homeHub, hub) && equal(answer.camera, camera) && equal(prekey.camera, camera));
  must(prekey.number >= 1n && prekey.number <= MOST_PREKEY);
  return { hub, set, prekey };
}

// Labelled hashes and signatures, and what is derived from keys: design/wire.md, sections 1, 2.1 to 2.4.

import { ascii, concat, equal, isZero } from "./bytes.mjs";
import { must } from "./refused.mjs";
import sodium from "./sodium.mjs";

export const GENESIS = new Uint8Array(32);
export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
const P = 2n ** 255n - 19n;
const fromLittle = (/** @type {Uint8Array} */ bytes) =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
const littleHex = (/** @type {string} */ text) => BigInt(`0x${text.match(/../g)?.reverse().join("")}`);
// y of the points of an order of 8 or less.
const LOW_ORDER = new Set([
  0n,
  1n,
  P - 1n,
  littleHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
  littleHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
]);

/** @param {string} label */
const prefix = (label) => concat(Uint8Array.of(label.length), ascii(label));

/**
 * `H-n(label, message)` with n in bytes.
 * @param {number} size bytes of the digest
 * @param {string} label
 * @param {...Uint8Array} message its parts, joined
 * @returns {Uint8Array}
 */
export function hash(size, label, ...message) {
  return sodium.crypto_generichash(size, concat(prefix(label), ...message), null);
}

export const hash32 = (/** @type {string} */ label, /** @type {Uint8Array[]} */ ...message) =>
  hash(32, label, ...message);

/** The 8-byte name of a public key. @param {Uint8Array} publicKey */
export const keyId = (publicKey) => hash(8, "sealcam/key-id", publicKey);

/** What a person compares of an owner root. @param {Uint8Array} root public key */
export const fingerprint = (root) => hash32("sealcam/root-fingerprint", root);

/** The name of an envelope. @param {Uint8Array} envelope with its signature */
export const envelopeHash = (envelope) => hash32("sealcam/envelope-hash", envelope);

/**
 * The owner's keys from the seed of the 24 words (BIP 39's seed, 64 bytes).
 * @param {Uint8Array} seed
 */
export function ownerKeys(seed) {
  const root = sodium.crypto_sign_seed_keypair(hash32("sealcam/owner-root", seed));
  const recovery = hash32("sealcam/recovery-recipient", seed);
  return { rootPublic: root.publicKey, recoverySecret: recovery, recoveryPublic: publicOf(recovery) };
}

/** The public half of an X25519 secret. @param {Uint8Array} secret @returns {Uint8Array} */
export const publicOf = (secret) => sodium.crypto_scalarmult_base(secret);

/**
 * Whether a signature holds: plain Ed25519 over the labelled 64-byte digest, strict as section 2.3 says.
 * @param {Uint8Array} publicKey
 * @param {string} label
 * @param {Uint8Array[]} message its parts
 * @param {Uint8Array} signature
 */
export function holds(publicKey, label, message, signature) {
  if (publicKey.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  if (!soundPoint(publicKey) || lowOrder(signature.subarray(0, 32))) return false;
  return sodium.crypto_sign_verify_detached(signature, hash(64, label, ...message), publicKey);
}

/** @param {Uint8Array} point */
function lowOrder(point) {
  return LOW_ORDER.has(BigInt.asUintN(255, fromLittle(point)) % P);
}

/** @param {Uint8Array} point */
function soundPoint(point) {
  return BigInt.asUintN(255, fromLittle(point)) < P && !lowOrder(point);
}

/**
 * Whether something may be sealed to an X25519 public key (section 2.4).
 * @param {Uint8Array} publicKey
 */
export function sealable(publicKey) {
  if (publicKey.length !== KEY_BYTES || fromLittle(publicKey) >= P) return false;
  try {
    return !isZero(sodium.crypto_scalarmult(new Uint8Array(32).fill(1), publicKey));
  } catch {
    return false; // libsodium's word for a shared secret of zeros
  }
}

/**
 * What a sealed box holds, or null where it isn't for this secret.
 * @param {Uint8Array} box
 * @param {Uint8Array} secret
 * @returns {Uint8Array | null}
 */
export function openBox(box, secret) {
  try {
    return sodium.crypto_box_seal_open(box, publicOf(secret), secret);
  } catch {
    return null;
  }
}

/**
 * Decrypt ChaCha20-Poly1305 (RFC 8439), or null where it doesn't open.
 * @param {Uint8Array} key
 * @param {Uint8Array} nonce 12 bytes
 * @param {Uint8Array} aad
 * @param {Uint8Array} sealed ciphertext and tag
 * @returns {Uint8Array | null}
 */
export function decrypt(key, nonce, aad, sealed) {
  try {
    return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, sealed, aad, nonce, key);
  } catch {
    return null;
  }
}

/**
 * The content key that one of the slots holds for one of the secrets and that meets the commitment, or a refusal.
 * @param {Uint8Array[]} slots sealed boxes
 * @param {Uint8Array[]} secrets
 * @param {(key: Uint8Array) => boolean} meets
 */
export function fromSlots(slots, secrets, meets) {
  for (const secret of secrets) {
    must(secret.length === KEY_BYTES);
    for (const slot of slots) {
      const key = openBox(slot, secret);
      if (key !== null && meets(key)) return key;
    }
  }
  return (must(false), new Uint8Array());
}

/**
 * Whether a key is the one that was committed to.
 * @param {string} label
 * @param {Uint8Array} key
 * @param {Uint8Array} commit
 */
export const commits = (label, key, commit) => key.length === KEY_BYTES && equal(hash32(label, key), commit);

// What a hostile signer can say: its signature holds, and what it signed is anything. The answer is a reading or the
// one refusal, never another error.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readBody } from "../../sealcam_hub/console/static/opener/bodies.mjs";
import { ascii, concat, fromHex } from "../../sealcam_hub/console/static/opener/bytes.mjs";
import { decode } from "../../sealcam_hub/console/static/opener/cbor.mjs";
import { hash, keyId } from "../../sealcam_hub/console/static/opener/hash.mjs";
import { KINDS } from "../../sealcam_hub/console/static/opener/kinds.mjs";
import { Refused } from "../../sealcam_hub/console/static/opener/refused.mjs";
import sodium from "../../sealcam_hub/console/static/opener/sodium.mjs";
import { readStatement, splitBundle } from "../../sealcam_hub/console/static/opener/statement.mjs";

const KEYS = sodium.crypto_sign_seed_keypair(new Uint8Array(32).fill(7));
const vectors = (/** @type {string} */ name) =>
  JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}.json`, import.meta.url), "utf8"));
const CASES = [...vectors("keys"), ...vectors("statements_2")];
const EVENTS = vectors("sev1");
const bytes = (/** @type {string} */ hex) => /** @type {Uint8Array} */ (fromHex(hex));

/** Numbers that are the same each time. */
function dice(seed = 1) {
  let state = seed;
  return (/** @type {number} */ below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** @param {number} kind @param {Uint8Array} cbor */
function signed(kind, cbor) {
  const said = concat(ascii("SGN1"), Uint8Array.of(kind), keyId(KEYS.publicKey), cbor);
  const digest = hash(64, `sealcam/sgn1/${KINDS.get(kind)?.name}`, said);
  return concat(said, sodium.crypto_sign_detached(digest, KEYS.privateKey));
}

/**
 * Change a few bytes: another value, one gone, one more.
 * @param {Uint8Array} whole @param {(below: number) => number} roll
 */
function changed(whole, roll) {
  let made = Array.from(whole);
  for (let times = 1 + roll(3); times > 0; times--) {
    const at = roll(made.length);
    const edits = [[roll(256)], [made[at] ^ (1 << roll(8))], [], [made[at], roll(256)], [0xa0 + roll(4)]];
    made.splice(at, 1, ...edits[roll(edits.length)]);
    if (made.length === 0) made = [0xa0];
  }
  return Uint8Array.from(made);
}

/** @param {() => unknown} read */
function readsOrRefuses(read) {
  try {
    read();
    return 1;
  } catch (error) {
    assert.ok(error instanceof Refused, String(error));
    return 0;
  }
}

for (const [number, { name }] of KINDS) {
  test(`a hostile ${name} is read or refused`, () => {
    const cases = CASES.filter((/** @type {any} */ one) => one.kind === "statement" && one.expected === number);
    const bodies = cases
      .filter((/** @type {any} */ one) => !one.refuse)
      .map((/** @type {any} */ one) => bytes(one.body_cbor_hex));
    const roll = dice(number);
    let read = 0;
    for (let time = 0; time < 400; time++) {
      const cbor = changed(bodies[roll(bodies.length)], roll);
      read += readsOrRefuses(() => readStatement(signed(number, cbor), number, KEYS.publicKey));
    }
    assert.ok(read < 400);
  });
}

test("hostile bodies of events are read, shown as unknown, or refused", () => {
  const roll = dice(99);
  const bodies = EVENTS.filter((/** @type {any} */ one) => !one.refuse && one.body_cbor_hex.length < 2000);
  for (let time = 0; time < 5000; time++) {
    const one = bodies[roll(bodies.length)];
    readsOrRefuses(() => readBody(one.type, decode(changed(bytes(one.body_cbor_hex), roll))));
  }
});

test("any bytes at all are no CBOR, no bundle, and no other error", () => {
  const roll = dice(5);
  for (let time = 0; time < 5000; time++) {
    const noise = Uint8Array.from({ length: roll(120) }, () => roll(256));
    readsOrRefuses(() => decode(concat(Uint8Array.of(0xa0 + roll(24)), noise)));
    readsOrRefuses(() => splitBundle(noise));
  }
});

test("what fails to open leaves nothing in the library's memory", () => {
  const [box, nonce, key] = [new Uint8Array(65_552), new Uint8Array(12), new Uint8Array(32)];
  const fails = () =>
    assert.throws(() => sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, box, null, nonce, key));
  for (let time = 0; time < 100; time++) fails();
  const before = sodium.libsodium.HEAPU8.length;
  for (let time = 0; time < 1000; time++) fails();
  assert.equal(sodium.libsodium.HEAPU8.length, before);
});

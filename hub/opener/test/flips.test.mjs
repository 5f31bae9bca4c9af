// Every single-bit flip of a small event and of a small statement is refused, and so is every shortening.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex } from "../../sealcam_hub/console/static/opener/bytes.mjs";
import { openEnvelope } from "../../sealcam_hub/console/static/opener/envelope.mjs";
import { readGrant } from "../../sealcam_hub/console/static/opener/grant.mjs";
import { Refused } from "../../sealcam_hub/console/static/opener/refused.mjs";
import { readStatement } from "../../sealcam_hub/console/static/opener/statement.mjs";

const vectors = (/** @type {string} */ name) =>
  JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}.json`, import.meta.url), "utf8"));
const bytes = (/** @type {string} */ hex) => /** @type {Uint8Array} */ (fromHex(hex));

/** @param {Uint8Array} whole @param {(changed: Uint8Array) => unknown} open */
function everyFlip(whole, open) {
  open(whole);
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const changed = whole.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    assert.throws(() => open(changed), Refused, `bit ${bit}`);
  }
  for (let size = 0; size < whole.length; size++) assert.throws(() => open(whole.slice(0, size)), Refused);
}

test("every flipped bit of an event is refused, with one message", () => {
  const one = vectors("sev1").find((/** @type {any} */ each) => !each.refuse);
  const [signer, secret] = [bytes(one.signer_public_hex), bytes(one.recipient_secret_hex)];
  everyFlip(bytes(one.envelope_hex), (envelope) => openEnvelope(envelope, signer, { secrets: [secret] }));
});

test("every flipped bit of a statement is refused", () => {
  const one = vectors("keys").find((/** @type {any} */ each) => each.kind === "statement" && !each.refuse);
  everyFlip(bytes(one.statement_hex), (statement) =>
    readStatement(statement, one.expected, bytes(one.signer_public_hex)),
  );
});

test("every flipped bit of a grant is refused", () => {
  const one = vectors("grants").find((/** @type {any} */ each) => each.kind === "grant" && !each.refuse);
  const [root, secret] = [bytes(one.fingerprint_hex), bytes(one.recipient_secret_hex)];
  everyFlip(bytes(one.bundle_hex), (bundle) => readGrant(bundle, root, secret, BigInt(one.now_ns)));
});

test("a refusal says nothing about why", () => {
  const said = new Set();
  for (const one of vectors("sev1").filter((/** @type {any} */ each) => each.refuse)) {
    try {
      openEnvelope(bytes(one.envelope_hex), bytes(one.signer_public_hex), {
        secrets: [bytes(one.recipient_secret_hex)],
      });
    } catch (error) {
      said.add(`${/** @type {Error} */ (error).name}: ${/** @type {Error} */ (error).message}`);
    }
  }
  assert.deepEqual([...said], ["Refused: refused"]);
});

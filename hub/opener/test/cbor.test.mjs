// The subset of CBOR: one encoding for each value, no memory for what isn't there, integers whole.

import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, fromHex } from "../../sealcam_hub/console/static/opener/bytes.mjs";
import { decode } from "../../sealcam_hub/console/static/opener/cbor.mjs";
import { Refused } from "../../sealcam_hub/console/static/opener/refused.mjs";

const bytes = (/** @type {string} */ hex) => /** @type {Uint8Array} */ (fromHex(hex));
const refused = (/** @type {string} */ hex) => assert.throws(() => decode(bytes(hex)), Refused, hex);

test("integers are whole up to 64 bits", () => {
  assert.equal(decode(bytes("a1011bffffffffffffffff")).get(1n), 2n ** 64n - 1n);
  assert.equal(decode(bytes("a1011b0020000000000001")).get(1n), 2n ** 53n + 1n);
});

test("every longer form of an integer or a length is refused", () => {
  for (const hex of ["a1011817", "a1011900ff", "a1011a0000ffff", "a1011b00000000ffffffff"]) refused(hex);
  for (const hex of ["a101580101", "a101780161", "a1019801f4", "b80101f4", "a1180101"]) refused(hex);
});

test("what isn't in the subset is refused", () => {
  for (const item of ["20", "c001", "f90000", "fa00000000", "fb0000000000000000", "f6", "f7", "e0", "f820", "5f40ff"])
    refused(`a101${item}`);
  for (const item of ["7f60ff", "9fff", "bfff", "1c", "1f", "ff", "fc"]) refused(`a101${item}`);
});

test("keys rise, are unsigned, and stand once, at every depth", () => {
  for (const hex of ["a202000100", "a201000100", "a1616100", "a101a202000100", "a1f400"]) refused(hex);
});

test("text is UTF-8 without surrogates, and a mark at its start is part of it", () => {
  for (const item of ["61ff", "63eda080", "62c080", "61c3"]) refused(`a101${item}`);
  assert.equal(decode(bytes("a10163efbbbf")).get(1n), "\ufeff");
});

test("the limits hold, and nothing is reserved for a count that can't be", () => {
  refused("a1019b00000000ffffffff");
  refused("a1015a7fffffff00");
  refused("bb000000000fffffff");
  refused(`a101${"81".repeat(4)}00`);
  assert.ok(decode(bytes(`a101${"81".repeat(3)}00`)));
  const list = (/** @type {number} */ count) =>
    concat(bytes(`a10199${count.toString(16).padStart(4, "0")}`), new Uint8Array(count));
  assert.ok(decode(list(1024)));
  assert.throws(() => decode(list(1025)), Refused);
});

test("the outermost is a map, and nothing follows it", () => {
  for (const hex of ["", "00", "80", "a000", "a1", "a101"]) refused(hex);
  assert.equal(decode(bytes("a0")).size, 0);
});

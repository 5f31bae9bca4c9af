// The judge of vectors: a case passes only by an answer that gives everything it must say.

import assert from "node:assert/strict";
import { test } from "node:test";
import { wrong } from "../judge.mjs";

const ONE = { kind: "grant", bundle_hex: "00", segments: null, size: 5, sha256_hex: "aa", hint: "not known here" };
const GIVEN = { segments: null, size: 5, sha256_hex: "aa" };

test("an answer that gives all that a case says is right", () => {
  assert.equal(wrong(ONE, GIVEN), null);
  assert.equal(wrong({ ...ONE, refuse: true }, null), null);
});

test("an answer that lacks a field, or has another value, is wrong", () => {
  for (const name of Object.keys(GIVEN)) {
    const { [name]: _, ...less } = /** @type {Record<string, any>} */ (GIVEN);
    assert.match(String(wrong(ONE, less)), new RegExp(`^differs in ${name}: undefined, not `));
    assert.match(String(wrong(ONE, { ...GIVEN, [name]: 7 })), new RegExp(`^differs in ${name}: 7, not `));
  }
});

test("a case that doesn't say what the answer must be is wrong", () => {
  for (const name of Object.keys(GIVEN)) {
    const { [name]: _, ...less } = /** @type {Record<string, any>} */ (ONE);
    assert.equal(wrong(less, GIVEN), `doesn't say ${name}`);
  }
});

test("a refusal is wrong where there is an answer, and an answer where there is none", () => {
  assert.equal(wrong(ONE, null), "was refused");
  assert.equal(wrong({ ...ONE, refuse: true }, GIVEN), "was not refused");
});

test("a kind that nobody knows is wrong, refused or not", () => {
  assert.match(String(wrong({ kind: "spell", refuse: true }, null)), /^is of a kind that nobody knows: spell/);
});

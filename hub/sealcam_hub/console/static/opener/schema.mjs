// Tables of fields: what a map must hold to be read (design/wire.md, section 3, "Fields"). A table is an object of
// name: [key, type, "opt"?]; keys that no table names are ignored. `read` gives an object of the names; a field that
// is absent and may be is undefined.

import { decode } from "./cbor.mjs";
import { sealable } from "./hash.mjs";
import { must } from "./refused.mjs";

/** @typedef {import("./cbor.mjs").Value} Value */
/** @typedef {(value: Value) => any} Type gives what was read, or refuses */
/** @typedef {Record<string, [number, Type, "opt"?]>} Table */

/**
 * The fields of a map, or a refusal.
 * @param {Value} map @param {Table} table
 * @returns {Record<string, any>}
 */
export function read(map, table) {
  must(map instanceof Map);
  /** @type {Record<string, any>} */
  const fields = {};
  for (const [name, [key, type, optional]] of Object.entries(table)) {
    const value = map.get(BigInt(key));
    must(value !== undefined || optional === "opt");
    fields[name] = value === undefined ? undefined : type(value);
  }
  return fields;
}

/** @type {Type} BigInt: 64 bits don't fit a number */
export const int = (value) => (must(typeof value === "bigint"), value);

/** An integer of at most this many, as a number. @param {number} most @returns {Type} */
export const upTo = (most) => (value) => (must(typeof value === "bigint" && value <= BigInt(most)), Number(value));

/** One of these integers, as a number. @param {number[]} members @returns {Type} */
export const oneOf =
  (...members) =>
  (value) => (must(typeof value === "bigint" && members.includes(Number(value))), Number(value));

/** @type {Type} */
export const bool = (value) => (must(typeof value === "boolean"), value);

/** @type {Type} */
export const text = (value) => (must(typeof value === "string"), value);

/** @type {Type} */
export const bytes = (value) => (must(value instanceof Uint8Array), value);

/** @param {number} size @returns {Type} */
export const bytesOf = (size) => (value) => (must(value instanceof Uint8Array && value.length === size), value);

/** @type {Type} an X25519 key that something may be sealed to (section 2.4) */
export const boxKey = (value) => (must(value instanceof Uint8Array && sealable(value)), value);

/** @param {Type} type @returns {Type} */
export const list = (type) => (value) => (must(Array.isArray(value)), value.map(type));

/** @param {Table} table @returns {Type} */
export const map = (table) => (value) => read(value, table);

/** A map in a byte string of its own. @param {Uint8Array} encoded @param {Table} table */
export const readBytes = (encoded, table) => read(decode(encoded), table);

export const run = map({ first: [1, int], last: [2, int] });

/** @typedef {{first: bigint, last: bigint}} Run */

/**
 * Refuses unless the runs rise, don't overlap, and name 1 to `most` numbers.
 * @param {Run[]} runs @param {bigint} most
 */
export function rising(runs, most) {
  let after = -1n;
  for (const { first, last } of runs) {
    must(first > after && first <= last);
    after = last;
  }
  const total = count(runs);
  must(total >= 1n && total <= most);
}

/** How many numbers runs name. @param {Run[]} runs */
export const count = (runs) => runs.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);

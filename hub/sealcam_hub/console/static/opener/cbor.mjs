// The strict subset of CBOR that bodies are made of: design/wire.md, section 3. Integers become BigInt, whatever their
// size; byte strings Uint8Array; maps Map with BigInt keys, in order.

import { view } from "./bytes.mjs";
import { must } from "./refused.mjs";

export const MOST_BYTES = 1_048_576;
const MOST_ITEMS = 1024;
const MOST_TEXT_BYTES = 4096;
const MOST_DEPTH = 4;

/** @typedef {bigint | boolean | string | Uint8Array | any[] | Map<bigint, any>} Value */

/**
 * The map that these bytes are, and nothing besides; or a refusal.
 * @param {Uint8Array} bytes
 * @returns {Map<bigint, Value>}
 */
export function decode(bytes) {
  must(bytes.length <= MOST_BYTES);
  const reader = new Reader(bytes);
  const value = reader.item(0);
  must(value instanceof Map && reader.left === 0);
  return value;
}

class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this._bytes = bytes;
    this._view = view(bytes);
    this._at = 0;
    this._text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  }

  get left() {
    return this._bytes.length - this._at;
  }

  /** @param {number} depth of containers around it @returns {Value} */
  item(depth) {
    must(this.left > 0);
    const first = this._bytes[this._at++];
    if (first === 0xf4 || first === 0xf5) return first === 0xf5;
    const argument = this._argument(first & 31);
    switch (first >> 5) {
      case 0:
        return argument;
      case 2:
        return this._take(argument, MOST_BYTES).slice();
      case 3:
        return this._decoded(this._take(argument, MOST_TEXT_BYTES));
      case 4:
        return this._list(this._count(argument, 1, depth), depth + 1);
      case 5:
        return this._map(this._count(argument, 2, depth), depth + 1);
      default:
        return (must(false), false);
    }
  }

  /** @param {number} short the low five bits of the first byte */
  _argument(short) {
    if (short < 24) return BigInt(short);
    must(short < 28);
    const width = 1 << (short - 24);
    const value = this._take(BigInt(width), 8).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    must(value >= (width === 1 ? 24n : 1n << BigInt(4 * width))); // in the shortest form
    return value;
  }

  /** @param {bigint} length @param {number} most */
  _take(length, most) {
    must(length <= BigInt(most) && length <= BigInt(this.left));
    this._at += Number(length);
    return this._bytes.subarray(this._at - Number(length), this._at);
  }

  /**
   * How many items follow; refused before memory is reserved for more than there can be.
   * @param {bigint} length @param {number} each the fewest bytes of one @param {number} depth
   */
  _count(length, each, depth) {
    must(depth < MOST_DEPTH && length <= BigInt(MOST_ITEMS) && Number(length) * each <= this.left);
    return Number(length);
  }

  /** @param {Uint8Array} bytes */
  _decoded(bytes) {
    try {
      return this._text.decode(bytes);
    } catch {
      return (must(false), "");
    }
  }

  /** @param {number} count @param {number} depth */
  _list(count, depth) {
    /** @type {Value[]} */
    const items = [];
    while (items.length < count) items.push(this.item(depth));
    return items;
  }

  /** @param {number} count @param {number} depth */
  _map(count, depth) {
    /** @type {Map<bigint, Value>} */
    const pairs = new Map();
    let before = -1n;
    for (let number = 0; number < count; number++) {
      const key = this.item(depth);
      must(typeof key === "bigint" && key > before);
      pairs.set(key, this.item(depth));
      before = key;
    }
    return pairs;
  }
}

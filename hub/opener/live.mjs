// Reads a live view as its messages come: design/wire.md, section 15. What it isn't made of is dropped without a word;
// nothing is kept. The console has no use for it, since the hub opens what it shows: here it judges the vectors.

import { ascii, concat, equal, readU64, toHex } from "../sealcam_hub/console/static/opener/bytes.mjs";
import { readHeader } from "../sealcam_hub/console/static/opener/clip.mjs";
import { contentKeyOf, readInfo } from "../sealcam_hub/console/static/opener/content.mjs";
import { decrypt, hash32, holds } from "../sealcam_hub/console/static/opener/hash.mjs";
import { must, Refused } from "../sealcam_hub/console/static/opener/refused.mjs";
import { fromBytes } from "../sealcam_hub/console/static/opener/source.mjs";

const PREFIX_BYTES = 5;
const SIGNATURE_BYTES = 64;
const LEAST_BYTES = 8 + 17 + 16 + SIGNATURE_BYTES;
const MOST_DATA_BYTES = 2 ** 20;
const [BEGINNING, END] = [0, 3];

/** @typedef {{number: bigint, content: number, seen: bigint, sealed: bigint, data: Uint8Array}} Part */

/** Reads one session. `infos` has the CBOR of each start that counted. */
export class LiveReader {
  /** @type {Uint8Array[]} */
  infos = [];
  /** @type {{header: import("../sealcam_hub/console/static/opener/clip.mjs").Header, key: Uint8Array} | null} */
  #current = null;
  /** @type {Set<string>} */
  #known = new Set();
  #next = 0n;
  #waits = true;
  #session;
  #signers;
  #secrets;

  /** @param {Uint8Array} session @param {Uint8Array[]} signers @param {Uint8Array[]} secrets */
  constructor(session, signers, secrets) {
    this.#session = session;
    this.#signers = signers;
    this.#secrets = secrets;
  }

  /**
   * The part that a message gives a player, or null.
   * @param {Uint8Array} message @returns {Promise<Part | null>}
   */
  async hear(message) {
    try {
      must(message.length > PREFIX_BYTES && equal(message.subarray(0, 4), ascii("SLV1")) && message[4] <= 1);
      const rest = message.subarray(PREFIX_BYTES);
      if (message[4] === 1) return this.#part(rest);
      await this.#start(rest);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    return null;
  }

  /** @param {Uint8Array} bytes */
  async #start(bytes) {
    const header = await readHeader(fromBytes(bytes), this.#signers);
    must(header.bytes.length === bytes.length && equal(header.clip, this.#session));
    if (this.#known.has(toHex(header.hash))) return;
    const content = contentKeyOf(header, this.#secrets);
    this.infos.push(readInfo(header, content).cbor);
    this.#known.add(toHex(header.hash));
    this.#current = { header, key: hash32("sealcam/slv1/key", content, header.hash) };
    [this.#next, this.#waits] = [0n, true];
  }

  /** @param {Uint8Array} bytes */
  #part(bytes) {
    must(this.#current !== null && bytes.length >= LEAST_BYTES && bytes.length <= LEAST_BYTES + MOST_DATA_BYTES);
    const { header, key } = this.#current;
    const [clear, signature] = [bytes.subarray(0, -SIGNATURE_BYTES), bytes.subarray(-SIGNATURE_BYTES)];
    must(holds(header.signer, "sealcam/slv1/part", [header.hash, clear], signature));
    const number = readU64(clear, 0);
    must(number >= this.#next);
    const nonce = concat(new Uint8Array(4), clear.subarray(0, 8));
    const plain = decrypt(key, nonce, new Uint8Array(), clear.subarray(8));
    must(plain !== null && plain[0] <= END);
    const content = plain[0];
    this.#waits = content !== BEGINNING && (this.#waits || number !== this.#next);
    this.#next = number + 1n;
    if (this.#waits && content !== END) return null;
    return { number, content, seen: readU64(plain, 1), sealed: readU64(plain, 9), data: plain.subarray(17) };
  }
}

// What a recipient has in files and types in: a key, the owner's fingerprint. And how keys and times are shown.

import { fromHex, toHex } from "./bytes.mjs";
import { keyId, publicOf } from "./hash.mjs";
import sodium from "./sodium.mjs";

export const MOST_BUNDLE_BYTES = 1 << 18;
export const MOST_KEY_FILE_BYTES = 4096;
const SECRET = "SEALCAM-RECIPIENT-SECRET-"; // so that nobody takes it for the public half
const NOTE = "# Whoever has this line opens what you were granted. Keep it to yourself.\n";

export const REFUSED = "Refused: this can't be opened, or must not be.";
export const REFUSED_HINT =
  "Either the grant has expired, or the clip, the grant, your key and the owner's fingerprint don't belong together, " +
  "or a file was damaged or changed on its way. Ask the owner for a new grant.";

/** Something was given that can't be used; says what to do. Not a refusal: that has one message. */
export class Misuse extends Error {
  /** @param {string} message @param {string} hint */
  constructor(message, hint) {
    super(message);
    this.name = "Misuse";
    this.hint = hint;
  }
}

/** The secret in a recipient's key file. @param {string} text */
export function parseKey(text) {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const [line, ...more] = lines.filter((each) => each && !each.startsWith("#"));
  const found = more.length ? null : new RegExp(`^${SECRET}([0-9a-f]{64})$`).exec(line ?? "");
  const secret = found && fromHex(found[1]);
  if (!secret) throw new Misuse("this is no recipient's key", "choose the file that was made with your key");
  return secret;
}

/** The file of a new key, its public half, and the short name that two people compare. */
export function makeKey() {
  const secret = sodium.randombytes_buf(32);
  const publicKey = publicOf(secret);
  return { file: `${NOTE}${SECRET}${toHex(secret)}\n`, public: toHex(publicKey), name: grouped(keyId(publicKey)) };
}

/** 32 bytes as somebody types them: blanks, colons and dashes don't count. @param {string} text @param {string} what */
export function parseHex32(text, what) {
  const digits = text.replace(/[\s:-]/g, "");
  const bytes = digits.length === 64 ? fromHex(digits) : null;
  if (bytes === null) throw new Misuse(`${what} has 64 digits, 0 to 9 and a to f`, "copy it as it was given to you");
  return bytes;
}

/** For comparing: groups of four hex digits. @param {Uint8Array} bytes */
export const grouped = (bytes) => toHex(bytes).replace(/....(?=.)/g, "$& ");

/** A wall time as ISO 8601, in UTC, to the second. @param {bigint} ns */
export function iso(ns) {
  const ms = Number(ns / 1_000_000n);
  return ms > 8.64e15 ? "never" : new Date(ms).toISOString().replace(/\.[0-9]+Z$/, "Z");
}

/** The clock of this machine. */
export const nowNs = () => BigInt(Date.now()) * 1_000_000n;

/** Segments as `0-3, 7`. @param {number[]} numbers rising */
export function runs(numbers) {
  /** @type {number[][]} */
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(", ");
}

/**
 * What the state of a clip means, for a person.
 * @param {{state: string, chunks: number, signedChunks: number, header?: {epoch: number}}} shared
 */
export function stateInWords({ state, chunks, signedChunks, header }) {
  const unsigned = chunks - signedChunks;
  switch (state) {
    case "complete":
      if (header?.epoch === 0)
        return "Complete, as the owner's hub made it of a camera's clip and signed it. Something may be cut or hidden.";
      return "Complete: from the first picture to the last, as the camera signed it.";
    case "interrupted":
      return "Interrupted: the camera lost power or was stopped. What it had written is here, signed.";
    case "part":
      return "A part of a clip. What is here is signed.";
    default:
      return unsigned
        ? `Cut: the end is missing, and the last ${unsigned * 64} KiB of what is here carry no signature.`
        : "Cut: the end is missing. What is here is signed.";
  }
}

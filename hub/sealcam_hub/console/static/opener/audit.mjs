// The audit log: an append-only list that a pinned head keeps honest. design/wire.md, section 9.

import { equal } from "./bytes.mjs";
import { GENESIS, hash32 } from "./hash.mjs";
import { CERTIFICATE, LOG_ENTRY } from "./kinds.mjs";
import { must, Refused } from "./refused.mjs";
import { readStatement } from "./statement.mjs";

/** @typedef {{number: bigint, hash: Uint8Array}} Head */

/**
 * The entries of a log and its head (none of an empty log); or a refusal.
 * @param {Uint8Array[]} statements oldest first
 * @param {Uint8Array} root the owner's public key
 * @param {Uint8Array[]} certificates of the hubs that may have signed
 * @param {Head[]} pins heads that were seen before
 */
export function readLog(statements, root, certificates, pins) {
  const hubs = certificates.map((one) => /** @type {Uint8Array} */ (readStatement(one, CERTIFICATE, root).hub));
  const open = new Map(pins.map((pin) => [pin, false]));
  /** @type {Head} */
  let head = { number: 0n, hash: GENESIS };
  const entries = statements.map((statement) => {
    const entry = readByAny(statement, hubs);
    must(entry.number === head.number + 1n && equal(entry.prev, head.hash));
    head = { number: entry.number, hash: hash32("sealcam/log-entry", statement) };
    for (const pin of pins) if (pin.number === head.number) open.set(pin, equal(pin.hash, head.hash));
    return entry;
  });
  must([...open.values()].every(Boolean));
  return { entries, head: entries.length ? head : null };
}

/** @param {Uint8Array} statement @param {Uint8Array[]} hubs */
function readByAny(statement, hubs) {
  for (const hub of hubs) {
    try {
      return readStatement(statement, LOG_ENTRY, hub);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  throw new Refused();
}

// What the home hub has deleted, as it tells another hub: design/wire.md, section 6.2. The opener's pages don't need it.

import { markAt, paddedSize } from "../sealcam_hub/console/static/opener/envelope.mjs";
import { openBox } from "../sealcam_hub/console/static/opener/hash.mjs";
import { must } from "../sealcam_hub/console/static/opener/refused.mjs";
import { bytesOf, int, list, map, readBytes } from "../sealcam_hub/console/static/opener/schema.mjs";

const MOST_BYTES = 32_768;
const PART = map({
  camera: [1, bytesOf(8)],
  incident: [2, bytesOf(8)],
  runs: [3, list(int)],
  clips: [4, list(bytesOf(16))],
});
/** @type {import("../sealcam_hub/console/static/opener/schema.mjs").Table} */
const LIST = { after: [1, int], until: [2, int], mark: [3, bytesOf(8)], parts: [4, list(PART)] };

/**
 * The list that a `deletions` seals, and its CBOR; or a refusal.
 * @param {Uint8Array} sealed @param {Uint8Array} secret X25519, of the question
 */
export function readDeleted(sealed, secret) {
  const padded = openBox(sealed, secret);
  must(padded !== null);
  const end = markAt(padded);
  must(padded.length === paddedSize(end + 1) && padded.length <= MOST_BYTES);
  const cbor = padded.slice(0, end);
  const fields = readBytes(cbor, LIST);
  must(fields.after < fields.until);
  for (const { runs } of fields.parts) {
    must(runs.length % 2 === 0);
    for (let at = 0; at < runs.length; at += 2) {
      must(runs[at] <= runs[at + 1] && (at === 0 || runs[at - 1] < runs[at]));
    }
  }
  return { cbor, fields };
}

// What the commands of a home hub say: design/wire.md, section 5.3. Openers read none; the vectors have them all.

import { decode } from "../sealcam_hub/console/static/opener/cbor.mjs";
import { must } from "../sealcam_hub/console/static/opener/refused.mjs";
import {
  bool,
  bytes,
  bytesOf,
  int,
  list,
  map,
  oneOf,
  read,
  text,
  upTo,
} from "../sealcam_hub/console/static/opener/schema.mjs";

const mode = oneOf(0, 1, 2, 3);
const run = map({ first: [1, int], last: [2, int] });

/** @type {import("../sealcam_hub/console/static/opener/schema.mjs").Type} */
function corners(value) {
  const found = list(upTo(1000))(value);
  must(found.length % 2 === 0 && found.length >= 6 && found.length <= 64);
  return found;
}

/** @type {Record<number, import("../sealcam_hub/console/static/opener/schema.mjs").Table>} */
const WISHES = {
  0x01: { mode: [1, mode] },
  0x02: { on: [1, bool] },
  0x03: { session: [1, bytesOf(16)], seconds: [2, upTo(3600)] },
  0x04: { events: [1, list(run)], clips: [2, list(map({ clip: [1, bytesOf(16)], chunks: [2, run, "opt"] }))] },
  0x05: { zones: [1, list(map({ name: [1, text], kind: [2, oneOf(0, 1, 2)], corners: [3, corners] }))] },
  0x06: { masks: [1, list(map({ corners: [1, corners] }))] },
  0x07: {
    entries: [1, list(map({ days: [1, upTo(127)], from: [2, upTo(1439)], to: [3, upTo(1440)], mode: [4, mode] }))],
    zone: [2, text],
    expected: [3, list(map({ days: [1, upTo(127)], from: [2, upTo(1439)], to: [3, upTo(1440)] })), "opt"],
  },
  0x08: {
    marks: [1, list(map({ incident: [1, bytesOf(8)], mark: [2, oneOf(0, 1, 2, 3)] }))],
    takenBack: [2, list(bytesOf(8)), "opt"],
  },
  0x09: { name: [1, text], sha256: [2, bytesOf(32)], content: [3, bytes, "opt"] },
  0x0a: { token: [1, bytes] },
  0x0b: { clips: [1, list(bytesOf(16))] },
};

/** The fields of a command's body, or a refusal. @param {number} type @param {Uint8Array} cbor */
export function readWish(type, cbor) {
  must(type in WISHES);
  return read(decode(cbor), WISHES[type]);
}

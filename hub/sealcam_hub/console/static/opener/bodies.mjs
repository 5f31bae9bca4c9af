// What the events of a camera say: design/wire.md, sections 5.1, 5.2 and 5.4. An unknown type, and a body that lacks
// what its type asks for, aren't refused: `readBody` gives null for them.

import { u32, u64 } from "./bytes.mjs";
import { decode } from "./cbor.mjs";
import { equal } from "./bytes.mjs";
import { holds } from "./hash.mjs";
import { must, Refused } from "./refused.mjs";
import { bool, boxKey, bytes, bytesOf, int, list, map, oneOf, read, text, upTo } from "./schema.mjs";

const U32 = 2 ** 32 - 1;

/** @type {import("./schema.mjs").Table} */
export const STAMP = { boot: [1, bytesOf(16)], bootNs: [2, int], wallNs: [3, int], quality: [4, oneOf(0, 1)] };
const stamp = map(STAMP);
const mode = oneOf(0, 1, 2, 3);

/** @type {Record<number, {name: string, fields: import("./schema.mjs").Table}>} */
const BODIES = {
  0x01: {
    name: "incident",
    fields: {
      incident: [1, bytesOf(8)],
      stage: [2, oneOf(0, 1, 2)],
      at: [3, stamp],
      trigger: [4, oneOf(0, 1, 2)],
      startedNs: [5, int],
      endedNs: [6, int],
      subject: [7, oneOf(0, 1, 2, 3)],
      confidencePermille: [8, upTo(1000)],
      verdict: [9, oneOf(0, 1, 2)],
      threatPermille: [10, upTo(1000)],
      reasons: [11, list(text)],
      mode: [12, mode],
      thumbnail: [13, bytes, "opt"],
      clip: [
        14,
        map({ clip: [1, bytesOf(16)], contentKey: [2, bytesOf(32)], startedNs: [3, int], part: [4, int] }),
        "opt",
      ],
      judged: [15, map({ version: [1, upTo(255)], numbers: [2, list(upTo(1000))] }), "opt"],
      path: [
        16,
        map({
          afterMs: [1, list(upTo(U32))],
          boxes: [2, list(upTo(1000))],
          aspect: [3, upTo(65535)],
          framed: [4, list(upTo(1000)), "opt"],
        }),
        "opt",
      ],
    },
  },
  0x02: {
    name: "loss",
    fields: {
      at: [1, stamp],
      tombstones: [2, list(map({ first: [1, int], last: [2, int], lastHash: [3, bytesOf(32)] }))],
    },
  },
  0x03: { name: "health", fields: { at: [1, stamp], code: [2, text], detail: [3, text] } },
  0x04: {
    name: "epoch",
    fields: {
      at: [1, stamp],
      epoch: [2, upTo(U32)],
      public: [3, bytesOf(32)],
      command: [4, boxKey],
      nonce: [5, bytesOf(32)],
      proof: [6, bytesOf(64)],
    },
  },
  0x05: {
    name: "answer",
    fields: {
      at: [1, stamp],
      number: [2, int],
      command: [3, upTo(255)],
      outcome: [4, oneOf(0, 1, 2, 3, 4, 5, 6)],
      detail: [5, text],
    },
  },
  0x06: {
    name: "piece",
    fields: {
      incident: [1, bytesOf(8)],
      picture: [2, bytesOf(8)],
      index: [3, upTo(255)],
      count: [4, upTo(255)],
      data: [5, bytes],
    },
  },
  0x07: {
    name: "clip",
    fields: {
      at: [1, stamp],
      clip: [2, bytesOf(16)],
      state: [3, oneOf(0, 1, 2)],
      chunks: [4, int],
      size: [5, int],
      chain: [6, bytesOf(32)],
    },
  },
  0x08: { name: "farewell", fields: { at: [1, stamp], cause: [2, oneOf(0, 1, 2, 3)] } },
  0x09: { name: "privacy", fields: { at: [1, stamp], on: [2, bool], cause: [3, oneOf(0, 1, 2, 3)] } },
  0x80: {
    name: "beat",
    fields: {
      at: [1, stamp],
      nonce: [2, bytesOf(32)],
      newestSeq: [3, int],
      newestHash: [4, bytesOf(32)],
      prekey: [5, int],
      queued: [6, int],
      queuedBytes: [7, int],
      frames: [8, int],
      dropped: [9, int],
      frameAgeNs: [10, int],
      mode: [11, mode],
      firmware: [12, text],
      oldestPrekey: [13, int],
      recipientSet: [14, int, "opt"],
      others: [15, list(map({ hub: [1, bytesOf(8)], prekey: [2, int], oldestPrekey: [3, int] })), "opt"],
      traffic: [16, oneOf(0, 1), "opt"],
      privacy: [17, bool, "opt"],
      scheduled: [18, bool, "opt"],
      storage: [
        19,
        map({ diskMib: [1, upTo(U32)], freeMib: [2, upTo(U32)], clipsMib: [3, upTo(U32)], clipsMostMib: [4, upTo(U32)] }),
        "opt",
      ],
    },
  },
  0x81: { name: "cover", fields: {} },
  0x82: { name: "will", fields: { at: [1, stamp] } },
};

/**
 * The name and fields of an event's body; null where the type isn't known or the body isn't readable.
 * @param {number} type @param {Map<bigint, import("./cbor.mjs").Value>} body
 * @returns {{name: string, fields: Record<string, any>} | null}
 */
export function readBody(type, body) {
  const known = BODIES[type];
  if (known === undefined) return null;
  try {
    return { name: known.name, fields: read(body, known.fields) };
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

/**
 * The keys of a camera's next epoch, if this hand-over holds; or a refusal.
 * @param {{seq: bigint, prev: Uint8Array, cbor: Uint8Array}} event of type 04, opened
 * @param {{camera: Uint8Array, epoch: number, nonce: Uint8Array, before: Uint8Array[]}} known the camera's name, its
 *   present epoch, the nonce that the hub gave for the next, and the keys that it has had
 */
export function handOver({ seq, prev, cbor }, { camera, epoch, nonce, before }) {
  const said = read(decode(cbor), BODIES[0x04].fields);
  must(said.epoch === epoch + 1 && equal(said.nonce, nonce) && !before.some((key) => equal(key, said.public)));
  const message = [camera, nonce, u32(said.epoch), said.command, u64(seq), prev];
  must(holds(said.public, "sealcam/epoch-proof", message, said.proof));
  return { public: said.public, command: said.command };
}

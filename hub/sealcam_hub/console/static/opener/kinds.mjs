// What each kind of statement holds, and the rules beyond its fields: design/wire.md, sections 6, 8 and 9.

import { equal, isZero, toHex } from "./bytes.mjs";
import { must } from "./refused.mjs";
import { bool, boxKey, bytes, bytesOf, count, int, list, map, oneOf, rising, run, text, upTo } from "./schema.mjs";

const U32 = 2 ** 32 - 1;
const HUB = 1;
const RECOVERY = 2;
export const MOST_SEGMENTS = 1024;

/**
 * @typedef {object} Kind
 * @property {number} number
 * @property {string} name
 * @property {import("./schema.mjs").Table} fields
 * @property {(fields: any, signer: Uint8Array) => void} [rules] refuses
 */

/** @param {any} set */
function recipientSet({ number, suite, homeHub, recipients }) {
  must(number >= 1 && suite === 1 && recipients.length >= 1 && recipients.length <= 16);
  must(new Set(recipients.map((/** @type {any} */ one) => toHex(one.public))).size === recipients.length);
  must(recipients.some((/** @type {any} */ one) => one.kind === HUB && equal(one.public, homeHub)));
  must(recipients.some((/** @type {any} */ one) => one.kind === RECOVERY));
  for (const one of recipients) if (one.kind === RECOVERY) boxKey(one.public);
}

/** @param {any} grant */
function grant({ segments, issuedNs, expiresNs, wrapped, signers }) {
  must(expiresNs > issuedNs && signers.length >= 1 && signers.length <= 16);
  if (segments === undefined) return must(wrapped.length === 48 + 32);
  rising(segments, BigInt(MOST_SEGMENTS));
  return must(wrapped.length === 48 + 32 * Number(count(segments)));
}

/** @type {Kind[]} */
const ALL = [
  { number: 1, name: "hub-certificate", fields: { hub: [1, bytesOf(32)], number: [2, int] } },
  {
    number: 2,
    name: "recipient-set",
    fields: {
      number: [1, upTo(U32)],
      suite: [2, upTo(255)],
      homeHub: [3, bytesOf(32)],
      recipients: [4, list(map({ kind: [1, oneOf(HUB, RECOVERY)], public: [2, bytesOf(32)] }))],
    },
    rules: recipientSet,
  },
  { number: 3, name: "prekey", fields: { camera: [1, bytesOf(8)], number: [2, int], public: [3, boxKey] } },
  { number: 4, name: "receipt", fields: { envelopeHash: [1, bytesOf(32)] } },
  {
    number: 5,
    name: "claim-request",
    fields: {
      epoch: [1, upTo(U32)],
      public: [2, bytesOf(32)],
      command: [3, boxKey],
      csr: [4, bytes],
      prekey: [5, int, "opt"],
    },
    rules: (request, signer) => must(equal(request.public, signer)),
  },
  {
    number: 6,
    name: "claim-answer",
    fields: {
      camera: [1, bytesOf(8)],
      alias: [2, text],
      recipientSet: [3, bytes],
      prekey: [4, bytes],
      certificate: [5, bytes],
      authority: [6, bytes],
      host: [7, text],
      port: [8, upTo(65_535)],
    },
  },
  {
    number: 7,
    name: "rotation",
    fields: { camera: [1, bytesOf(8)], epoch: [2, upTo(U32)], nonce: [3, bytesOf(32)] },
  },
  {
    number: 8,
    name: "grant",
    fields: {
      clip: [1, bytesOf(16)],
      headerHash: [2, bytesOf(32)],
      recipient: [3, boxKey],
      segments: [4, list(run), "opt"],
      purpose: [5, text],
      issuedNs: [6, int],
      expiresNs: [7, int],
      logPrev: [8, bytesOf(32)],
      wrapped: [9, bytes],
      signers: [10, list(bytesOf(32))],
    },
    rules: grant,
  },
  {
    number: 9,
    name: "log-entry",
    fields: {
      number: [1, int],
      prev: [2, bytesOf(32)],
      atNs: [3, int],
      actor: [4, text],
      action: [5, oneOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)],
      subject: [6, bytes, "opt"],
      recipient: [7, bytesOf(32), "opt"],
      detail: [8, text],
    },
    rules: (entry) => must(entry.number >= 1n && (entry.number === 1n) === isZero(entry.prev)),
  },
  {
    number: 10,
    name: "technician-token",
    fields: {
      serial: [1, bytesOf(8)],
      cameras: [2, list(bytesOf(8))],
      scopes: [3, list(oneOf(1, 2, 3, 4, 5))],
      seconds: [4, upTo(86_400)],
    },
    rules: ({ cameras, scopes, seconds }) => must(cameras.length >= 1 && scopes.length >= 1 && seconds >= 1),
  },
  {
    number: 11,
    name: "ask",
    fields: { camera: [1, bytesOf(8)], runs: [2, list(run)] },
    rules: ({ runs }) => rising(runs, 1024n),
  },
  {
    number: 12,
    name: "clip-held",
    fields: {
      camera: [1, bytesOf(8)],
      clip: [2, bytesOf(16)],
      held: [3, int],
      whole: [4, bool],
      stop: [5, bool, "opt"],
    },
  },
  {
    number: 13,
    name: "deleted-since",
    fields: { home: [1, bytesOf(8)], done: [2, int], mark: [3, bytesOf(8)], public: [4, boxKey] },
  },
  { number: 14, name: "deletions", fields: { to: [1, bytesOf(8)], sealed: [2, bytes] } },
];

/** @type {Map<number, Kind>} */
export const KINDS = new Map(ALL.map((kind) => [kind.number, kind]));
export const [CERTIFICATE, SET, PREKEY, CLAIM_REQUEST, CLAIM_ANSWER, GRANT, LOG_ENTRY] = [1, 2, 3, 5, 6, 8, 9];

// What each kind of vector asks of the opener (design/wire.md, section 13): a function from a case to its answer, under
// the names that the case uses. `vectors.mjs` compares.

import { createHash, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { readLog } from "../sealcam_hub/console/static/opener/audit.mjs";
import { handOver, readBody } from "../sealcam_hub/console/static/opener/bodies.mjs";
import { concat, fromHex, toHex } from "../sealcam_hub/console/static/opener/bytes.mjs";
import { decode } from "../sealcam_hub/console/static/opener/cbor.mjs";
import { readHeader, readSegment, survey } from "../sealcam_hub/console/static/opener/clip.mjs";
import * as contents from "../sealcam_hub/console/static/opener/content.mjs";
import { openEnvelope, SCM1, SEV1 } from "../sealcam_hub/console/static/opener/envelope.mjs";
import { openShared, readGrant } from "../sealcam_hub/console/static/opener/grant.mjs";
import * as hashes from "../sealcam_hub/console/static/opener/hash.mjs";
import { must, Refused } from "../sealcam_hub/console/static/opener/refused.mjs";
import { fromBytes } from "../sealcam_hub/console/static/opener/source.mjs";
import * as statements from "../sealcam_hub/console/static/opener/statement.mjs";
import { readDeleted } from "./deleted.mjs";
import { LiveReader } from "./live.mjs";
import { readWish } from "./wishes.mjs";

/** @typedef {Record<string, any>} Case */

/** @param {string} text */
function hex(text) {
  const bytes = fromHex(text);
  if (bytes === null) throw new TypeError("a case that isn't hexadecimal");
  return bytes;
}

/** @param {Case} one @param {typeof SEV1} format */
function envelope(one, format) {
  const keys = { secrets: [hex(one.recipient_secret_hex)] };
  const { type, seq, prev, cbor } = openEnvelope(hex(one.envelope_hex), hex(one.signer_public_hex), keys, format);
  return { type, seq: String(seq), prev_hex: toHex(prev), body_cbor_hex: toHex(cbor) };
}

/** @param {Case} one @param {URL} folder */
function clipOf(one, folder) {
  const parts = one.clip.map((/** @type {any} */ part) => {
    if (part.hex !== undefined) return hex(part.hex);
    if (part.zeros !== undefined) return new Uint8Array(part.zeros);
    return readFileSync(new URL(`scl1/${part.file}`, folder)).subarray(part.from, part.to);
  });
  return fromBytes(concat(...parts));
}

/** @param {AsyncIterable<Uint8Array> | Uint8Array[]} parts */
async function digest(parts) {
  const sha256 = createHash("sha256");
  let size = 0;
  for await (const part of parts) {
    sha256.update(part);
    size += part.length;
  }
  return { size, sha256_hex: sha256.digest("hex") };
}

/** @param {Case} one @param {URL} folder */
async function header(one, folder) {
  const source = clipOf(one, folder);
  return { source, head: await readHeader(source, one.signers_hex.map(hex)) };
}

/** @param {Case} one @param {URL} folder */
async function state(one, folder) {
  const { source, head } = await header(one, folder);
  const found = await survey(source, head);
  return { state: found.state, chunks: found.chunks, signed_chunks: found.signedChunks };
}

/** @param {Case} one @param {URL} folder */
async function open(one, folder) {
  const { source, head } = await header(one, folder);
  const secrets = one.recipient_secret_hex === undefined ? [] : [hex(one.recipient_secret_hex)];
  const key = one.content_key_hex === undefined ? contents.contentKeyOf(head, secrets) : hex(one.content_key_hex);
  contents.mustMeet(head, key);
  const info_cbor_hex = toHex(contents.readInfo(head, key).cbor);
  const { state, chunks, signedChunks, segments } = await survey(source, head);
  const read = await digest(contents.content(source, head, contents.segmentKeys(head, key), segments));
  return { state, chunks, signed_chunks: signedChunks, info_cbor_hex, ...read };
}

/** @param {Case} one @param {URL} folder */
async function chunk(one, folder) {
  const { source, head } = await header(one, folder);
  const key = hex(one.content_key_hex);
  contents.mustMeet(head, key);
  return digest([await contents.openChunk(source, head, contents.segmentKeys(head, key), one.chunk)]);
}

/** @param {Case} one @param {URL} folder */
async function segment(one, folder) {
  const { source, head } = await header(one, folder);
  const { blanked, chunks, kind } = await readSegment(source, head, one.segment);
  must(kind !== null);
  return { blanked, chunks };
}

/** @param {Case} one */
function words(one) {
  const seed = pbkdf2Sync(one.words.normalize("NFKD"), "mnemonic", 2048, 64, "sha512");
  const { rootPublic, recoveryPublic } = hashes.ownerKeys(seed);
  return {
    seed_hex: seed.toString("hex"),
    root_public_hex: toHex(rootPublic),
    recovery_public_hex: toHex(recoveryPublic),
    fingerprint_hex: toHex(hashes.fingerprint(rootPublic)),
  };
}

/** @param {Case} one */
function bundle(one) {
  const { root, certificate, statement } = statements.splitBundle(hex(one.bundle_hex));
  return { root_hex: toHex(root), certificate_hex: toHex(certificate), statement_hex: toHex(statement) };
}

/** @param {Case} one */
function statement(one) {
  const { cbor } = statements.readBoth(hex(one.statement_hex), one.expected, hex(one.signer_public_hex));
  return { body_cbor_hex: toHex(cbor) };
}

/** @param {Case} one */
function deleted(one) {
  return { body_cbor_hex: toHex(readDeleted(hex(one.sealed_hex), hex(one.recipient_secret_hex)).cbor) };
}

/** @param {Case} one */
function claimRequest(one) {
  const read = statements.readClaimRequest(hex(one.request_hex));
  return { public_hex: toHex(read.public), body_cbor_hex: toHex(read.cbor) };
}

/** @param {Case} one */
function claimAnswer(one) {
  const camera = hex(one.camera_hex);
  const { hub, set, prekey } = statements.readClaimAnswer(hex(one.bundle_hex), hex(one.fingerprint_hex), camera);
  return { hub_hex: toHex(hub), set: set.number, prekey: String(prekey.number) };
}

/** @param {Case} one */
function handed(one) {
  const event = { seq: BigInt(one.seq), prev: hex(one.prev_hex), cbor: hex(one.body_cbor_hex) };
  const known = { camera: hex(one.camera_hex), epoch: one.epoch, nonce: hex(one.nonce_hex) };
  const read = handOver(event, { ...known, before: one.before_hex.map(hex) });
  return { public_hex: toHex(read.public), command_hex: toHex(read.command) };
}

/** @param {Case} one */
function eventBody(one) {
  must(readBody(one.type, decode(hex(one.body_cbor_hex))) !== null);
  return { readable: true };
}

/** @param {Case} one */
function commandBody(one) {
  readWish(one.type, hex(one.body_cbor_hex));
  return { readable: true };
}

/** @param {Case} one */
function signature(one) {
  must(hashes.holds(hex(one.public_hex), one.label, [hex(one.message_hex)], hex(one.signature_hex)));
  return { holds: true };
}

/** @param {Case} one */
function sealable(one) {
  must(hashes.sealable(hex(one.public_hex)));
  return { sealable: true };
}

/** @param {Case} one @param {URL} folder */
async function grant(one, folder) {
  const secret = hex(one.recipient_secret_hex);
  const read = readGrant(hex(one.bundle_hex), hex(one.fingerprint_hex), secret, BigInt(one.now_ns));
  const shared = await openShared(clipOf(one, folder), read);
  return { segments: read.segments, ...(await digest(shared.content())) };
}

/** @param {Case} one */
function log(one) {
  const pins = one.pins.map((/** @type {any} */ pin) => ({ number: BigInt(pin.number), hash: hex(pin.hash_hex) }));
  const { head } = readLog(one.entries_hex.map(hex), hex(one.root_hex), one.certificates_hex.map(hex), pins);
  return { head: head && { number: Number(head.number), hash_hex: toHex(head.hash) } };
}

/** @param {Case} one */
async function live(one) {
  const reader = new LiveReader(hex(one.session_hex), one.signers_hex.map(hex), [hex(one.recipient_secret_hex)]);
  const taken = [];
  for (const message of one.messages_hex) {
    const part = await reader.hear(hex(message));
    if (part === null) continue;
    const { number, content, seen, sealed, data } = part;
    const times = { seen_ns: String(seen), sealed_ns: String(sealed) };
    taken.push({ number: String(number), content, ...times, data_hex: toHex(data) });
  }
  return { infos_hex: reader.infos.map(toHex), taken };
}

/** @type {Record<string, (one: Case, folder: URL) => Case | Promise<Case>>} */
const KINDS = {
  sev1: (one) => envelope(one, SEV1),
  scm1: (one) => envelope(one, SCM1),
  "key-id": (one) => ({ kid_hex: toHex(hashes.keyId(hex(one.public_hex))) }),
  fingerprint: (one) => ({ fingerprint_hex: toHex(hashes.fingerprint(hex(one.public_hex))) }),
  "envelope-hash": (one) => ({ hash_hex: toHex(hashes.envelopeHash(hex(one.envelope_hex))) }),
  "claim-request": claimRequest,
  "claim-answer": claimAnswer,
  "hand-over": handed,
  "event-body": eventBody,
  "command-body": commandBody,
  ...{ state, open, chunk, segment, words, bundle, statement, deleted, signature, sealable, grant, log, live },
};

/**
 * The opener's answer to a case, or null where it refused.
 * @param {Case} one @param {URL} folder
 * @returns {Promise<Case | null>}
 */
export async function answer(one, folder) {
  const kind = KINDS[one.kind ?? "sev1"];
  if (kind === undefined) throw new TypeError(`a kind of vector that nobody knows: ${one.kind}`);
  try {
    return await kind(one, folder);
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

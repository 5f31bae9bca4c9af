// What the command line does: open a shared clip, open an event, make a key. `cli` reads the arguments.

import { readBody } from "../sealcam_hub/console/static/opener/bodies.mjs";
import { toHex } from "../sealcam_hub/console/static/opener/bytes.mjs";
import { MOST_ENVELOPE_BYTES, openEnvelope } from "../sealcam_hub/console/static/opener/envelope.mjs";
import * as files from "../sealcam_hub/console/static/opener/files.mjs";
import { openShared, readGrant } from "../sealcam_hub/console/static/opener/grant.mjs";
import { Expired, forget, mustBeMark, writeMarked } from "./kept.mjs";
import * as disk from "./nodefiles.mjs";

const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);

/** Text by somebody else, on a terminal: nothing that steers it. @param {string} text */
const plain = (text) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");

/**
 * @param {{file: string, grant: string, key: string, root: string, output: string}} given
 */
export async function openClip({ file, grant: bundle, key, root, output }) {
  const fingerprint = files.parseHex32(root, "--root");
  const secret = await keyIn(key);
  const handed = await disk.small(bundle, files.MOST_BUNDLE_BYTES, "a grant");
  const grant = readGrant(handed, fingerprint, secret, 0n); // its date: next, since there is more to do
  if (files.nowNs() >= grant.expiresNs) {
    throw new Expired(await forget(bundle, handed, output));
  }
  await disk.mustNotBe(output);
  await mustBeMark(output);
  const source = await disk.fromFile(file);
  try {
    const shared = await openShared(source, grant);
    const size = await disk.writing(output, () => writeMarked(output, handed, shared.content()));
    const what = grant.segments ? `segments ${files.runs(grant.segments)} of a clip` : "a clip";
    say(`opened: ${what}, ${size} bytes, in ${output}`);
    say(`state: ${files.stateInWords(shared)}`);
    say(`for: ${plain(grant.purpose)}\nuntil: ${files.iso(grant.expiresNs)}; delete it then`);
  } finally {
    await source.close();
  }
}

/** @param {string} path */
async function keyIn(path) {
  return files.parseKey(new TextDecoder().decode(await disk.small(path, files.MOST_KEY_FILE_BYTES, "a key")));
}

/** @param {{file: string, key: string, signer: string}} given */
export async function openEvent({ file, key, signer }) {
  const publicKey = files.parseHex32(signer, "--signer");
  const secret = await keyIn(key);
  const envelope = await disk.small(file, MOST_ENVELOPE_BYTES, "an event");
  const { type, seq, prev, epoch, rset, body } = openEnvelope(envelope, publicKey, { secrets: [secret] });
  const read = readBody(type, body);
  const said = { type, name: read?.name ?? null, seq, prev, epoch, rset, body: read?.fields ?? null };
  const text = JSON.stringify(said, shown, 2);
  say(text.replace(/[^\n\P{C}]/gu, escaped));
}

/**
 * Bytes as hexadecimal, 64-bit numbers as decimal text, and no key that opens something.
 * @param {string} name @param {unknown} value
 */
function shown(name, value) {
  if (name === "contentKey") return undefined;
  if (value instanceof Uint8Array) return toHex(value);
  return typeof value === "bigint" ? String(value) : value;
}

/** @param {string} letter */
const escaped = (letter) =>
  Array.from({ length: letter.length }, (_, at) => `\\u${letter.charCodeAt(at).toString(16).padStart(4, "0")}`).join(
    "",
  );

/** @param {{output: string}} given */
export async function newKey({ output }) {
  const made = files.makeKey();
  await disk.writeNew(output, [new TextEncoder().encode(made.file)]);
  say(`public key: ${made.public}\nfingerprint: ${made.name}`);
  say(`give the owner the public key, and compare the fingerprint by telephone; ${output} stays with you`);
}

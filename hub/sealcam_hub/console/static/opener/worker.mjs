// Where the page's clips are opened: keys, cryptography and content stay in this worker; the page gets facts for a
// person, and the content as a Blob, which the browser keeps on disk if it is large.
//
// Asked: {ask: "key"} | {ask: "check", clip, bundle, key, root} | {ask: "content"}
// Says: {say: "ready" | "key" | "progress" | "checked" | "content" | "problem", ...}

import { openShared, readGrant } from "./grant.mjs";
import { fromBlob } from "./source.mjs";
import * as files from "./files.mjs";
import { Refused } from "./refused.mjs";

/** @type {{grant: import("./grant.mjs").Grant, shared: import("./grant.mjs").Shared} | null} */
let checked = null;

/** @param {string} say @param {object} [more] */
const tell = (say, more = {}) => postMessage({ say, ...more });

/** @param {Blob} blob @param {number} most @param {string} what */
async function small(blob, most, what) {
  if (blob.size > most) throw new files.Misuse(`this file is too large for ${what}`, "choose another file");
  return blob;
}

/** @param {{clip: Blob, bundle: Blob, key: Blob, root: string}} given */
async function check({ clip, bundle, key, root }) {
  checked = null;
  const fingerprint = files.parseHex32(root, "the owner's fingerprint");
  const secret = files.parseKey(await (await small(key, files.MOST_KEY_FILE_BYTES, "a key")).text());
  const handed = await (await small(bundle, files.MOST_BUNDLE_BYTES, "a grant")).arrayBuffer();
  const grant = readGrant(new Uint8Array(handed), fingerprint, secret, files.nowNs());
  const shared = await openShared(fromBlob(clip), grant, (done) => tell("progress", { part: done / clip.size }));
  checked = { grant, shared };
  tell("checked", {
    root: files.grouped(fingerprint),
    purpose: grant.purpose,
    issued: files.iso(grant.issuedNs),
    expires: files.iso(grant.expiresNs),
    what: grant.segments ? `Segments ${files.runs(grant.segments)} of a clip` : "A whole clip",
    state: shared.state,
    words: files.stateInWords(shared),
    began: shared.info && files.iso(shared.info.at.wallNs),
    media: mediaOf(grant, shared),
  });
}

/**
 * What may be tried as a video: what the camera says it is, or a part that has the beginning.
 * @param {import("./grant.mjs").Grant} grant @param {import("./grant.mjs").Shared} shared
 */
function mediaOf(grant, shared) {
  const said = shared.info?.media ?? (grant.segments?.[0] === 0 ? "video/mp4" : "");
  return /^video\/[a-z0-9.+-]{1,40}$/.test(said) ? said : "application/octet-stream";
}

async function content() {
  if (checked === null) throw new Refused();
  const { grant, shared } = checked;
  if (files.nowNs() >= grant.expiresNs) throw new Refused();
  /** @type {Blob[]} */
  const parts = [];
  let [count, gathered] = [0, /** @type {Uint8Array<ArrayBuffer>[]} */ ([])];
  for await (const part of shared.content()) {
    gathered.push(/** @type {Uint8Array<ArrayBuffer>} */ (part));
    count++;
    if (count % 16 === 0) {
      parts.push(new Blob(gathered));
      gathered = [];
      tell("progress", { part: count / shared.chunks });
    }
  }
  tell("content", { blob: new Blob([...parts, ...gathered], { type: mediaOf(grant, shared) }) });
}

/** @param {unknown} error */
function problem(error) {
  checked = null;
  if (error instanceof files.Misuse) return tell("problem", { text: error.message, hint: error.hint });
  if (error instanceof Refused)
    return tell("problem", { text: files.REFUSED, hint: files.REFUSED_HINT, refused: true });
  return tell("problem", { text: "A file could not be read.", hint: "Choose the files again." });
}

onmessage = async ({ data }) => {
  try {
    if (data.ask === "key") tell("key", files.makeKey());
    else if (data.ask === "check") await check(data);
    else if (data.ask === "content") await content();
  } catch (error) {
    problem(error);
  }
};
tell("ready");

// What an opening keeps on disk, and what is left of it once its grant has expired: nothing, and that is said. A
// promise of this tool, not of cryptography (design/wire.md, section 8).

import { createHash } from "node:crypto";
import { readFile, realpath, rm } from "node:fs/promises";
import { Refused } from "../sealcam_hub/console/static/opener/refused.mjs";
import * as disk from "./nodefiles.mjs";

/** A grant past its date: refused as everything is, and what was kept of it is deleted. */
export class Expired extends Refused {
  /** @param {string[]} deleted paths */
  constructor(deleted) {
    super();
    this.deleted = deleted;
  }
}

/**
 * Write `output`, and beside it what says that this grant has opened it: first, so that no crash parts them.
 * @param {string} output @param {Uint8Array} handed @param {AsyncIterable<Uint8Array>} content
 */
export async function writeMarked(output, handed, content) {
  await mustBeMark(output);
  await rm(marker(output), { force: true });
  await disk.writeNew(marker(output), [new TextEncoder().encode(markOf(handed))], output);
  try {
    return await disk.writeNew(output, content);
  } catch (error) {
    await rm(marker(output), { force: true });
    throw error;
  }
}

/** What says that an opening has written `output`; the hub's own tool leaves the same. @param {string} output */
const marker = (output) => `${output}.grant`;

/** @param {Uint8Array} handed */
const markOf = (handed) => JSON.stringify({ grant: createHash("sha256").update(handed).digest("hex") });

/** What a marker says; empty of anything else, or if there is none. @param {string} output */
async function markAt(output) {
  const found = await disk.lying(marker(output)).catch(() => null);
  if (!found?.isFile() || found.size > 1000) return "";
  const text = await readFile(marker(output), "utf8").catch(() => "");
  return text.replace(/\s/g, "");
}

/** Where the marker goes is nothing, or an older one: nothing else is written over. @param {string} output */
export async function mustBeMark(output) {
  if (!/^\{"grant":"[0-9a-f]{64}"\}$/.test(await markAt(output))) await disk.mustNotBe(marker(output), output);
}

/**
 * Delete what an expired grant has left here, and name it; never a file that something else has written.
 * @param {string} bundle @param {Uint8Array} handed @param {string} output
 */
export async function forget(bundle, handed, output) {
  const deleted = [];
  const opened = (await markAt(output)) === markOf(handed) ? [output, marker(output)] : [];
  for (const path of opened) {
    if (!(await disk.lying(path))?.isFile()) continue; // moved away; what is in its place isn't ours
    await rm(path).catch(() => cannot(path));
    deleted.push(path);
  }
  await withoutLinks(bundle).catch(() => cannot(bundle));
  return [...deleted, bundle];
}

/** Delete a file that may be named by a link, with the link; nothing but a file. @param {string} path */
async function withoutLinks(path) {
  const real = await realpath(path);
  if (!(await disk.lying(real))?.isFile()) cannot(path);
  await rm(real);
  await rm(path, { force: true });
}

/** @param {string} path @returns {never} */
function cannot(path) {
  const hint = "delete it yourself, and what you made of it";
  throw new disk.NotWritten(`the grant has expired, and ${path} can't be deleted`, hint);
}

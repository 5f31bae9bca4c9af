// Puts libsodium from node_modules where the page and node load it, with one change: the wrapper names its library by
// a path, since browsers know no package names. Their digests go into SHA256SUMS, for whoever has no npm. `--check`
// changes nothing and tells whether it is so already.
//   node vendor.mjs [--check] [NODE_MODULES]

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const here = (/** @type {string} */ path) => new URL(path, import.meta.url);
const [named] = process.argv.slice(2).filter((word) => word !== "--check");
const packages = named ? pathToFileURL(`${named}/`) : here("node_modules/");
const target = here("../sealcam_hub/console/static/opener/vendor/");
const FILES = [
  ["libsodium/dist/modules-esm/libsodium.mjs", "libsodium.mjs"],
  ["libsodium-wrappers/dist/modules-esm/libsodium-wrappers.mjs", "libsodium-wrappers.mjs"],
  ["libsodium/LICENSE", "LICENSE.libsodium"],
];

/** @param {string} text */
const byPath = (text) => text.replace('import e from"libsodium"', 'import e from"./libsodium.mjs"');

const sums = [];
let same = true;
/** @param {string} to @param {string} text */
function put(to, text) {
  if (process.argv.includes("--check")) same &&= readFileSync(new URL(to, target), "utf8") === text;
  else writeFileSync(new URL(to, target), text);
}

for (const [from, to] of FILES) {
  const text = byPath(readFileSync(new URL(from, packages), "utf8"));
  put(to, text);
  sums.push(`${createHash("sha256").update(text).digest("hex")}  ${to}\n`);
}
put("SHA256SUMS", sums.join(""));
if (!same) {
  console.error("sealcam-opener: error: the vendored libsodium isn't the one that package-lock.json names");
  console.error("hint: npm ci && npm run vendor");
  process.exit(1);
}

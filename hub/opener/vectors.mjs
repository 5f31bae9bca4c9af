// Runs the vectors of design/wire.md, section 13: every case must give what it says, or be refused.
//   node vectors.mjs FILE...
// Prints a line for each case that doesn't, then how many there were; exits 1 if one didn't.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { answer } from "./cases.mjs";
import { wrong } from "./judge.mjs";

// 64-bit numbers stand as numbers in sev1.json, and are rounded when they are read as such.
const parse = (/** @type {string} */ text) => JSON.parse(text.replace(/"(seq)": ?([0-9]+)/g, '"$1": "$2"'));

let [passed, failed] = [0, 0];
for (const path of process.argv.slice(2)) {
  const url = pathToFileURL(path);
  for (const one of parse(readFileSync(url, "utf8"))) {
    const problem = wrong(one, await answer(one, new URL(".", url)));
    if (problem === null) passed++;
    else failed++;
    if (problem !== null) console.log(`${path}: ${one.name}: ${problem}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

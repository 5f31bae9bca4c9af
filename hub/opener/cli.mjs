#!/usr/bin/env node
// Opens what was shared, on the command line. The modules that do it are the page's own, in
// hub/sealcam_hub/console/static/opener/; here are arguments, and what is said of errors.
// Exits 0 done, 1 failed, 2 misuse.

import { parseArgs } from "node:util";
import { Misuse, REFUSED, REFUSED_HINT } from "../sealcam_hub/console/static/opener/files.mjs";
import { Refused } from "../sealcam_hub/console/static/opener/refused.mjs";
import { newKey, openClip, openEvent } from "./commands.mjs";
import { Expired } from "./kept.mjs";
import { NotWritten, systemSaid } from "./nodefiles.mjs";
import { serve } from "./serve.mjs";

const USAGE = `usage:
  node cli.mjs clip FILE --grant BUNDLE --key KEYFILE --root FINGERPRINT -o OUT
  node cli.mjs event FILE --key KEYFILE --signer PUBLICKEY
  node cli.mjs key -o KEYFILE
  node cli.mjs serve [--port PORT]

clip   opens a clip that was shared with you
event  opens one event of a camera, and prints it as JSON
key    makes a recipient's key; the owner is given its public half
serve  serves the page that opens clips, to this machine alone
`;

/** @type {Record<string, {names: string[], file?: boolean, optional?: boolean, run: (given: any) => Promise<void>}>} */
const COMMANDS = {
  clip: { names: ["grant", "key", "root", "output"], file: true, run: openClip },
  event: { names: ["key", "signer"], file: true, run: openEvent },
  key: { names: ["output"], run: newKey },
  serve: { names: ["port"], optional: true, run: serve },
};

/** @param {string} message @param {string} hint @param {number} code */
function fail(message, hint, code) {
  process.stderr.write(`sealcam-opener: error: ${message}\nhint: ${hint}\n`);
  process.exitCode = code;
}

/** What a refusal has deleted, in words: its owner must not have to look for it. @param {Refused} refusal */
function deletions(refusal) {
  if (!(refusal instanceof Expired)) return "";
  return `\nThis grant has expired, and what was kept of it is deleted: ${refusal.deleted.join(", ")}`;
}

/** @param {string[]} words */
function parse([name, ...rest]) {
  const command = Object.hasOwn(COMMANDS, name ?? "") ? COMMANDS[name] : undefined;
  if (command === undefined) throw new Misuse(name ? `no command ${JSON.stringify(name)}` : "no command", USAGE);
  const options = Object.fromEntries(
    command.names.map((each) => [each, { type: "string", ...(each === "output" ? { short: "o" } : {}) }]),
  );
  const { values, positionals } = read(rest, options);
  if (positionals.length !== (command.file ? 1 : 0)) {
    throw new Misuse(command.file ? `${name} takes one file` : `${name} takes no file`, USAGE);
  }
  const missing = command.optional ? [] : command.names.filter((each) => values[each] === undefined);
  if (missing.length) throw new Misuse(`${name} lacks ${missing.map((each) => `--${each}`).join(", ")}`, USAGE);
  const given = { file: positionals[0], ...values };
  const empty = Object.entries(given).find(([, value]) => value === "");
  if (empty) throw new Misuse(empty[0] === "file" ? "the file has no name" : `--${empty[0]} is empty`, USAGE);
  return { run: command.run, given };
}

/** @param {string[]} args @param {any} options @returns {{values: Record<string, any>, positionals: string[]}} */
function read(args, options) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new Misuse(/** @type {Error} */ (error).message, USAGE);
  }
}

async function main() {
  const words = process.argv.slice(2);
  if (words.includes("--help") || words.includes("-h")) {
    process.stdout.write(USAGE);
    return;
  }
  const { run, given } = parse(words);
  process.stdout.on("error", () => process.exit(1)); // the reader of our output went away: nothing more to say
  await run(given);
}

main().catch((error) => {
  if (error instanceof Refused) fail(REFUSED, REFUSED_HINT + deletions(error), 1);
  else if (error instanceof Misuse) fail(error.message, error.hint, 2);
  else if (error instanceof NotWritten) fail(error.message, error.hint, 1);
  else if (error.syscall === "listen")
    fail(`this port can't be used: ${systemSaid(error)}`, "name another with --port", 1);
  else throw error;
});

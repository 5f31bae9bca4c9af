// Whether the opener's answer to a vector is what the vector says. What a case must say, and so an answer, stands in
// design/wire.md, section 13: other fields of a case are inputs, or nothing that is known here.

/** @type {Record<string, string[]>} */
const ANSWERS = {
  sev1: ["type", "seq", "prev_hex", "body_cbor_hex"],
  scm1: ["type", "seq", "prev_hex", "body_cbor_hex"],
  "key-id": ["kid_hex"],
  fingerprint: ["fingerprint_hex"],
  "envelope-hash": ["hash_hex"],
  "claim-request": ["public_hex", "body_cbor_hex"],
  "claim-answer": ["hub_hex", "set", "prekey"],
  "hand-over": ["public_hex", "command_hex"],
  "event-body": ["readable"],
  "command-body": ["readable"],
  state: ["state", "chunks", "signed_chunks"],
  open: ["state", "chunks", "signed_chunks", "info_cbor_hex", "size", "sha256_hex"],
  chunk: ["size", "sha256_hex"],
  segment: ["blanked", "chunks"],
  words: ["seed_hex", "root_public_hex", "recovery_public_hex", "fingerprint_hex"],
  bundle: ["root_hex", "certificate_hex", "statement_hex"],
  statement: ["body_cbor_hex"],
  deleted: ["body_cbor_hex"],
  signature: ["holds"],
  sealable: ["sealable"],
  grant: ["segments", "size", "sha256_hex"],
  log: ["head"],
  live: ["infos_hex", "taken"],
};

/**
 * What is wrong with an answer, or null; an answer of null is a refusal.
 * @param {Record<string, any>} one a case @param {Record<string, any> | null} given
 */
export function wrong(one, given) {
  const names = ANSWERS[one.kind ?? "sev1"];
  if (names === undefined) return `is of a kind that nobody knows: ${one.kind}`;
  if (one.refuse === true) return given === null ? null : "was not refused";
  if (given === null) return "was refused";
  const unsaid = names.filter((name) => one[name] === undefined);
  if (unsaid.length) return `doesn't say ${unsaid.join(", ")}`;
  const compared = names.map((name) => [name, JSON.stringify(given[name]), JSON.stringify(one[name])]);
  const bad = compared.filter(([, got, wanted]) => got !== wanted);
  const said = bad.map(([name, got, wanted]) => `${name}: ${got}, not ${wanted}`).join("; ");
  return bad.length ? `differs in ${said}` : null;
}

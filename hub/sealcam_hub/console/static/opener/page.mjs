// The page of the opener: forms and words alone. What is secret is opened in `worker.mjs`, and forgotten with it.

import { given, start } from "./given.mjs";

const form = /** @type {HTMLFormElement} */ (document.querySelector("[data-form]"));
const one = (/** @type {string} */ name) => /** @type {HTMLElement} */ (document.querySelector(`[data-${name}]`));
const video = /** @type {HTMLVideoElement} */ (document.querySelector("[data-video]"));
const bar = /** @type {HTMLProgressElement} */ (document.querySelector("[data-bar]"));

/** @type {Worker | null} */
let worker = null;
/** @type {string | null} */
let address = null;
/** @type {any} */
let facts = null;
/** @type {"play" | "save"} */
let wish = "play";

/** Forget what was opened: the worker with its keys, and the content. */
function forget() {
  worker?.terminate();
  worker = null;
  facts = null;
  video.pause();
  video.removeAttribute("src");
  video.load();
  if (address) URL.revokeObjectURL(address);
  address = null;
  for (const name of ["facts", "player", "working", "problem", "unplayable"]) one(name).hidden = true;
}

// What waits for a worker that isn't ready: its library takes a moment, and what is said meanwhile gets lost.
/** @type {object[] | null} */
let waiting = null;

/** @param {object} question */
function ask(question) {
  if (worker === null) {
    worker = start();
    worker.onmessage = ({ data }) => heard(data);
    worker.onerror = () => problem({ text: "This browser can't run the opener.", hint: "Use a current browser." });
    waiting = [];
  }
  if (waiting) waiting.push(question);
  else worker.postMessage(question);
}

function ready() {
  for (const question of waiting ?? []) worker?.postMessage(question);
  waiting = null;
}

/** @param {string} text */
function working(text) {
  one("working").hidden = false;
  one("doing").textContent = text;
  bar.removeAttribute("value");
}

/** @param {{text: string, hint: string}} said */
function problem({ text, hint }) {
  forget();
  one("problem").hidden = false;
  one("problem-text").textContent = text;
  one("problem-hint").textContent = hint;
  one("problem").focus();
}

/** @param {any} said */
function heard(said) {
  if (said.say === "ready") ready();
  else if (said.say === "progress") bar.value = said.part;
  else if (said.say === "problem") problem(said);
  else if (said.say === "key") keep(said);
  else if (said.say === "checked") show(said);
  else if (said.say === "content") shown(said.blob);
}

/** @param {any} said */
function show(said) {
  facts = said;
  one("working").hidden = true;
  for (const name of ["root", "what", "purpose", "words"]) one(name).textContent = said[name];
  for (const name of ["expires", "issued", "began"]) time(/** @type {HTMLTimeElement} */ (one(name)), said[name]);
  one("began-row").hidden = !said.began;
  one("facts").dataset.state = said.state;
  one("facts").hidden = false;
  one("play").hidden = !video.canPlayType(said.media);
  one("facts").focus();
}

/** @param {HTMLTimeElement} element @param {string | null} iso */
function time(element, iso) {
  const known = iso && iso !== "never";
  element.dateTime = known ? iso : "";
  element.textContent = known
    ? new Date(iso).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })
    : (iso ?? "");
}

/** @param {Blob} blob */
function shown(blob) {
  one("working").hidden = true;
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(blob);
  if (wish === "play") {
    one("player").hidden = false;
    video.src = address;
    video.play().catch(() => {}); // a browser may want a click; the controls are there
  } else {
    save(address, blob.type === "video/mp4" ? "clip.mp4" : "clip.bin");
  }
}

/** @param {string} href @param {string} name */
function save(href, name) {
  const link = Object.assign(document.createElement("a"), { href, download: name });
  link.click();
}

/** @param {{file: string, public: string, name: string}} made */
function keep(made) {
  const href = URL.createObjectURL(new Blob([made.file], { type: "text/plain" }));
  save(href, "sealcam-recipient.key");
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
  one("made").hidden = false;
  one("made-public").textContent = made.public;
  one("made-name").textContent = made.name;
}

function expire() {
  if (facts?.expires && Date.parse(facts.expires) <= Date.now()) {
    problem({ text: "The grant has expired.", hint: "What was opened here is gone. Ask the owner for a new grant." });
  }
}

for (const name of Object.keys(given)) {
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  field.disabled = true;
  /** @type {HTMLElement} */ (field.parentElement).hidden = true;
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  forget();
  const chosen = new FormData(form);
  working("Checking");
  ask({ ask: "check", ...Object.fromEntries(chosen), ...given });
});
form.addEventListener("input", forget);
one("make").addEventListener("click", () => ask({ ask: "key" }));
for (const name of /** @type {const} */ (["play", "save"])) {
  one(name).addEventListener("click", () => {
    wish = name;
    working("Opening");
    ask({ ask: "content" });
  });
}
video.addEventListener("error", () => {
  if (!video.hasAttribute("src")) return;
  one("player").hidden = true;
  one("unplayable").hidden = false;
});
video.addEventListener("loadeddata", () => (one("unplayable").hidden = true));
setInterval(expire, 1000);
window.addEventListener("pagehide", forget);
document.documentElement.dataset.ready = "";

// The review room in the browser: the next incidents wait with picture or clip loaded, and a key shows the next one
// at once. Words go to the hub behind the eye's back; one that doesn't arrive brings its incident back to the front.

import { listen } from "./live.js";
import { localise } from "./times.js";

const AHEAD = 2;
const CALM_MS = 500; // what others do is looked at when no key was pressed for so long
const ASKS_JSON = { accept: "application/json" };
const REDUCED = matchMedia("(prefers-reduced-motion: reduce)");
const STORED = "sealcam-review-keys";

const main = document.querySelector("[data-review]");
const stage = document.querySelector("[data-stage]");
const told = document.querySelector("[data-told]");
const undo = document.querySelector("[data-undo]");
const keys = document.querySelector("[data-keys] input");
const say = (text) => (document.querySelector("[data-said]").textContent = text);

const ahead = []; // articles, ready to be shown
const sending = new Map(); // incident -> the promise of its word
const kept = []; // the marks of this page, in the order of their keys; answers may come in another
let filling = null;
let current = stage.querySelector("[data-item]");

function tell(text) {
  told.textContent = text;
  told.hidden = !text;
}

// Answers overtake one another: an older one's figures are old.
let turn = 0;
function count(facts) {
  if (facts.turn < turn) return;
  turn = facts.turn;
  document.querySelector("[data-done]").textContent = facts.done;
  document.querySelector("[data-waiting]").textContent = facts.waiting;
  const bar = document.querySelector("[data-progress]");
  bar.max = Math.max(1, facts.done + facts.waiting);
  bar.value = facts.done;
  undo.querySelector("button").disabled = !facts.done && !kept.length;
}

async function piece(url) {
  const answer = await fetch(url);
  if (answer.status === 204) return null;
  if (!answer.ok) throw new Error(`${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const item = document.adoptNode(page.querySelector("[data-item]"));
  localise(item);
  const media = item.querySelector("[data-media]");
  if (media instanceof HTMLImageElement) await media.decode().catch(() => {});
  else media?.load();
  return item;
}

const name = (item) => item.dataset.item;

// Keep so many ready; one request at a time, since each depends on what the others brought.
function fill() {
  filling ??= (async () => {
    while (ahead.length < AHEAD) {
      const held = [current, ...ahead].filter(Boolean).map(name);
      const item = await piece(`/review/next?without=${[...held, ...sending.keys()].join(",")}`);
      if (!item || [current, ...ahead].some((one) => one && name(one) === name(item))) return;
      ahead.push(item);
    }
  })()
    .catch(() => {}) // the next word asks again
    .finally(() => {
      filling = null;
      if (!current && ahead.length) next();
    });
  return filling;
}

// What a rule veils waits until somebody lifts the veil.
function play(place) {
  const video = place.querySelector("video:not(.veiled), .lift:has(:checked) ~ video");
  if (video && !REDUCED.matches) video.play().catch(() => {});
}

function show(item) {
  stage.querySelector("video")?.pause();
  stage.replaceChildren(...(item ? [item] : []));
  current = item;
  document.querySelector("[data-empty]").hidden = Boolean(item);
  if (!item) return;
  play(item);
  item.querySelector("[data-title]").focus({ preventScroll: true });
}

async function post(url, fields) {
  const body = new URLSearchParams({ csrf: main.dataset.csrf, ...fields });
  const answer = await fetch(url, { method: "POST", body, headers: ASKS_JSON, keepalive: true });
  if (!answer.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    throw new Error(page.querySelector("[data-problem]")?.textContent ?? `The hub answered ${answer.status}.`);
  }
  return answer.json();
}

async function next() {
  if (!ahead.length) await fill();
  show(ahead.shift() ?? null);
  fill();
}

async function mark(button) {
  const item = current;
  if (!item || sending.has(name(item))) return;
  const { incident, seen } = Object.fromEntries(new FormData(item.querySelector("form")));
  const words = button.querySelector("span").textContent;
  tell("");
  const mine = { id: null, sent: null };
  const back = undo.querySelector("button");
  const could = !back.disabled;
  kept.push(mine);
  back.disabled = false; // it waits for the answer
  const sent = mine.sent = post("/review/mark", { incident, seen, word: button.value }).then(
    (facts) => {
      count(facts);
      mine.id = facts.id;
      if (!facts.id) drop(mine); // its incident was deleted meanwhile
      if (facts.told) tell(facts.told);
    },
    (error) => {
      drop(mine);
      back.disabled = !could && !kept.length;
      tell(`“${words}” wasn't kept: ${error.message} It is shown again.`);
      if (current) ahead.unshift(current);
      show(item);
    },
  );
  sending.set(incident, sent);
  sent.finally(() => sending.delete(incident));
  await next();
  say(`${words}. ${current ? `Next: ${current.dataset.say}` : "Nothing waits any more."}`);
}

function drop(mine) {
  const at = kept.indexOf(mine);
  if (at >= 0) kept.splice(at, 1);
}

async function takeBack() {
  const last = kept.pop(); // now: what is said while it is on its way is another word
  await last?.sent;
  if (last && !last.id) return; // it wasn't kept, which was told
  try {
    const facts = await post("/review/undo", last ? { mark: last.id } : {});
    count(facts);
    tell(facts.told);
    if (!facts.incident) return;
    const item = await piece(`/review/item/${facts.incident}`);
    if (!item) return;
    for (const [at, one] of ahead.entries()) if (name(one) === name(item)) ahead.splice(at, 1);
    if (current && name(current) !== name(item)) ahead.unshift(current);
    show(item);
    say(`Taken back. ${item.dataset.say}`);
  } catch (error) {
    tell(`Nothing was taken back: ${error.message}`);
  }
}

const seen = (item) => item.querySelector("[name=seen]").value;

// Somebody has marked something: what waits ahead and was marked is dropped, what is shown says so.
async function changed() {
  for (const one of [...ahead]) {
    const fresh = await piece(`/review/item/${name(one)}`).catch(() => one);
    if (ahead.includes(one) && (!fresh || seen(fresh) !== seen(one))) ahead.splice(ahead.indexOf(one), 1);
  }
  const shown = current;
  if (!shown) return fill();
  const fresh = await piece(`/review/item/${name(shown)}`).catch(() => shown);
  if (current !== shown || sending.has(name(shown))) return;
  if (!fresh) return next();
  if (seen(fresh) !== seen(shown)) {
    const note = fresh.querySelector("[data-mark]");
    shown.querySelector("[data-mark]")?.remove();
    shown.querySelector("[name=seen]").value = seen(fresh);
    if (note) shown.querySelector(".rev__text").append(note);
    if (note) say(note.textContent);
  }
  fill();
}

let due = null;
function listenTo(part) {
  if (part !== "review" && part !== "everything" && part !== "cards") return;
  clearTimeout(due);
  due = setTimeout(() => (sending.size ? listenTo(part) : changed()), CALM_MS);
}

document.addEventListener("submit", (event) => {
  if (event.target.matches(".rev__words")) {
    event.preventDefault();
    mark(event.submitter);
  } else if (event.target === undo) {
    event.preventDefault();
    takeBack();
  }
});

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-lift]")) return;
  if (event.target.checked) play(stage);
  else stage.querySelector("video")?.pause();
});

document.addEventListener("keydown", (event) => {
  if (!keys.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea")) return;
  const button = document.querySelector(`[aria-keyshortcuts="${CSS.escape(event.key.toLowerCase())}"]:not(:disabled)`);
  if (!button) return;
  event.preventDefault();
  button.form === undo ? takeBack() : mark(button);
});

keys.checked = localStorage.getItem(STORED) !== "off";
keys.addEventListener("change", () => localStorage.setItem(STORED, keys.checked ? "on" : "off"));
document.querySelector("[data-keys]").hidden = false;
localise(document);
play(stage);
fill();
listen({
  onChange: listenTo,
  onState: (state) => state === "old" && tell("The hub was upgraded: load this page again. What you marked is kept."),
});

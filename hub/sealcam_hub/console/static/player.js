// The player: joins the video, the timeline with its marks, the keys and the clock. Without it the browser's own
// controls are there. What the video is fed with is `film.js`'s, the small pictures are `strip.js`'s.

import { Film, playable } from "./film.js";
import { draw } from "./strip.js";
import { localise } from "./times.js";

const root = document.querySelector("[data-player]");
const one = (name, from = document) => from.querySelector(`[data-${name}]`);
const video = one("video");
const rail = one("at");
const SPEEDS = [...one("speed").options].map((option) => Number(option.value));
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const parts = root.dataset.parts.split(" ").filter(Boolean);
let film = null;
let facts = null;
let ending = null;
let stepping = Promise.resolve();

const tenths = (seconds) => {
  const all = Math.floor(Math.max(0, seconds) * 10 + 1e-6);
  const minutes = Math.floor(all / 600);
  return `${minutes}:${String(Math.floor(all / 10) % 60).padStart(2, "0")}.${all % 10}`;
};

function tell(text) {
  const words = one("words");
  words.hidden = !text;
  words.textContent = text ?? "";
}

// Opens a part; where Media Source Extensions or the index are missing, the browser plays it its own way.
async function open(clip, play) {
  ending?.abort();
  film?.close();
  ending = new AbortController();
  const { signal } = ending;
  const answer = await fetch(`/clip/${clip}/facts`, { signal });
  if (!answer.ok) return tell(await why(answer));
  facts = await answer.json();
  if (!facts.movie) return tell(facts.whole ? "There is no picture in this clip." : "Too little of it is here yet.");
  if (!playable(facts.type)) {
    video.src = `/clip/${clip}/video`;
    return tell(null);
  }
  film = new Film(video, facts, { onNews: showHeld, onTrouble: tell });
  await film.open();
  root.dataset.clip = clip;
  rail.max = film.length;
  one("length").textContent = tenths(film.length);
  one("unsure").hidden = facts.sure;
  showMarks();
  showTime();
  one("keys").hidden = one("shortcuts").hidden = false;
  video.controls = false;
  root.dataset.ready = clip;
  video.playbackRate = Number(one("speed").value);
  if (play) await video.play().catch(() => {});
  if (video.readyState < 2) await new Promise((done) => video.addEventListener("loadeddata", done, { once: true }));
  await draw(one("strip"), facts, signal);
}

async function why(answer) {
  if (answer.status === 403) return "Signed out: load this page to sign in.";
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("[data-problem]")?.textContent ?? "The hub did not answer.";
}

// What is shown

function showTime(exact) {
  const now = exact ?? video.currentTime;
  if (!rail.matches(":active")) rail.value = now;
  rail.parentElement.style.setProperty("--done", film ? now / film.length : 0);
  rail.setAttribute("aria-valuetext", `${tenths(now)} of ${tenths(film?.length ?? 0)}`);
  one("now").textContent = tenths(now);
  if (facts?.wall_ms) {
    const at = new Date(facts.wall_ms + now * 1000);
    const clock = one("clock");
    clock.dateTime = at.toISOString();
    delete clock.dataset.as;
    clock.textContent = `${DAY.format(at)}, ${CLOCK.format(at)}`;
  }
  for (const mark of document.querySelectorAll(".mark__to")) {
    mark.toggleAttribute("data-past", Number(mark.dataset.to) <= now + 0.05);
  }
  if (video.requestVideoFrameCallback && !showTime.waits) {
    showTime.waits = true;
    video.requestVideoFrameCallback((_, frame) => {
      showTime.waits = false;
      root.dataset.shown = frame.mediaTime;
      showTime(frame.mediaTime);
    });
  }
}

function showHeld() {
  const canvas = one("held");
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, canvas.width, 1);
  pen.fillStyle = getComputedStyle(canvas).color;
  for (const index of film.held.keys()) {
    const { from, to } = film.places[index];
    const scale = canvas.width / film.length;
    pen.fillRect(Math.floor(from * scale), 0, Math.ceil((to - from) * scale), 1);
  }
}

function showMarks() {
  const inside = facts.marks.filter((mark) => mark.at >= 0 && mark.at <= film.length);
  const marks = inside.map((mark) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `mark__to mark__to--${mark.kind} card--${mark.verdict}`;
    button.dataset.to = mark.at;
    button.style.left = `${(100 * mark.at) / film.length}%`;
    button.title = `${tenths(mark.at)} ${mark.title}${mark.text ? `, ${mark.text}` : ""}`;
    button.setAttribute("aria-label", button.title);
    return button;
  });
  one("marks").replaceChildren(...marks);
  const lines = facts.marks.map((mark) => {
    const line = document.createElement("li");
    const there = mark.at >= 0 && mark.at <= film.length;
    const name = line.appendChild(document.createElement(there ? "button" : "span"));
    name.className = `legend__to legend__to--${mark.kind} card--${mark.verdict}`;
    name.textContent = there ? tenths(mark.at) : mark.at < 0 ? "before" : "later";
    if (there) Object.assign(name, { type: "button" }).dataset.to = mark.at;
    line.appendChild(document.createElement("span")).textContent = mark.title;
    if (mark.text) {
      const text = line.appendChild(document.createElement("span"));
      text.className = "legend__text";
      text.textContent = mark.text;
    }
    return line;
  });
  one("said-list").replaceChildren(...lines);
  one("legend").hidden = !lines.length;
}

// What is done

const go = (time) => (video.currentTime = Math.max(0, Math.min(time, film.length)));

const DO = {
  play: () => (video.paused || video.ended ? video.play().catch(() => {}) : video.pause()),
  back: () => step(-1),
  on: () => step(1),
  full: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.()),
};

// One picture, by the times that the camera gave them; several presses follow each other.
function step(by) {
  video.pause();
  stepping = stepping.then(async () => {
    const from = video.seeking ? (step.to ?? video.currentTime) : video.currentTime;
    const to = await film.picture(from, by).catch(() => null);
    if (to === null) return;
    const seeked = new Promise((done) => video.addEventListener("seeked", done, { once: true }));
    go((step.to = to + 2e-4)); // a hair behind its beginning, so that no rounding shows its neighbour
    await seeked;
    showTime(to);
  });
  return stepping;
}

function speed(by) {
  const place = SPEEDS.indexOf(Number(one("speed").value)) + by;
  one("speed").value = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, place))];
  one("speed").dispatchEvent(new Event("change"));
}

function toMark(by) {
  const all = facts.marks.map((mark) => mark.at).filter((at) => at >= 0 && at <= film.length);
  const now = video.currentTime;
  const next = by > 0 ? all.find((at) => at > now + 0.05) : all.findLast((at) => at < now - 0.6);
  if (next !== undefined) go(next);
}

const KEYS = {
  " ": DO.play, k: DO.play, ",": DO.back, ".": DO.on, f: DO.full,
  ArrowLeft: () => go(video.currentTime - 5), ArrowRight: () => go(video.currentTime + 5),
  Home: () => go(0), End: () => go(film.length),
  "<": () => speed(-1), ">": () => speed(1), n: () => toMark(1), p: () => toMark(-1),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("select, input:not([type=range]), textarea, summary");
  const pressing = event.key === " " && event.target.closest("button, a");
  if (!film || typing || pressing || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do], [data-to]");
  if (button?.dataset.do) DO[button.dataset.do]();
  else if (button) go(Number(button.dataset.to));
  const other = event.target.closest("[data-part-of]");
  if (other && film && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
    event.preventDefault();
    change(other.dataset.partOf, !video.paused);
  }
});

one("strip").addEventListener("click", (event) => {
  const box = one("strip").getBoundingClientRect();
  go(((event.clientX - box.left) / box.width) * film.length);
});
rail.addEventListener("input", () => go(Number(rail.value)));
one("speed").addEventListener("change", () => (video.playbackRate = Number(one("speed").value)));
video.addEventListener("click", () => video.controls || DO.play());
for (const name of ["play", "pause", "ended"]) {
  video.addEventListener(name, () => {
    root.toggleAttribute("data-playing", !video.paused);
    document.querySelector("[data-do=play]").setAttribute("aria-label", video.paused ? "Play" : "Pause");
  });
}
for (const name of ["timeupdate", "seeked"]) video.addEventListener(name, () => film && showTime());
video.addEventListener("waiting", () => root.setAttribute("data-waits", ""));
for (const name of ["playing", "seeked", "pause"]) video.addEventListener(name, () => root.removeAttribute("data-waits"));

// Parts follow each other.
video.addEventListener("ended", () => {
  const next = parts[parts.indexOf(root.dataset.clip) + 1];
  if (next) change(next, true);
});

function change(clip, play) {
  history.replaceState(null, "", `/clip/${clip}`);
  one("save").href = `/clip/${clip}/save`;
  for (const link of document.querySelectorAll("[data-part-of]")) {
    link.toggleAttribute("aria-current", false);
    if (link.dataset.partOf === clip) link.setAttribute("aria-current", "page");
  }
  return start(clip, play);
}

const start = (clip, play) =>
  open(clip, play).catch((error) => error.name === "AbortError" || tell("The hub did not answer."));

localise(document);
video.removeAttribute("src");
start(root.dataset.clip, false);

// The console in the browser. Every page works without it; with it, times are local and the page keeps itself current.

import { addOlder, regroup, swapNewest } from "./cards.js";
import { listen } from "./live.js";
import { remember, swapPlain } from "./swap.js";
import { keepCounting, localise } from "./times.js";

// What to fetch again when a part has changed, for the parts that stand on this page.
const TOUCHED = { cards: ["cards", "incident", "clips", "cameras"], cameras: ["cameras"], notices: ["notices"] };
const ALL = ["notices", "cameras", "cards", "incident", "clips"];
const PULSE = {
  live: ["Live", false],
  lost: ["Connection to the hub lost; trying again", true],
  closed: ["Signed out: load this page to sign in", true],
  old: ["The hub was upgraded: load this page again", true],
};

const part = (name) => document.querySelector(`[data-part="${name}"]`);
const say = (text) => (document.querySelector("[data-said]").textContent = text);

async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function refresh(name) {
  const region = part(name);
  if (!region) return;
  const page = await fetched(region.dataset.url);
  const fresh = page.querySelector(`[data-part="${name}"]`) ?? page.body;
  if (name === "cards") {
    const said = swapNewest(region, fresh);
    if (said.length) say(said.join(". "));
  } else {
    swapPlain(region, fresh);
  }
  localise(region);
}

// One refresh of a part at a time; what changes meanwhile asks for one more.
const running = new Map();
function wanted(name) {
  if (running.has(name)) return running.set(name, true);
  running.set(name, false);
  return refresh(name)
    .catch(() => {}) // the stream tells of a lost hub, and asks for everything when it is back
    .finally(() => {
      const more = running.get(name);
      running.delete(name);
      if (more) wanted(name);
    });
}

function showState(state) {
  const pulse = document.querySelector("[data-pulse]");
  const [text, lost] = PULSE[state];
  pulse.hidden = false;
  pulse.classList.toggle("pulse--lost", lost);
  if (pulse.textContent !== text) pulse.textContent = text;
}

// A click on a mode, without loading the page.
async function arm(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") return wanted("cameras");
  const page = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
  const failed = form.querySelector(".modes__failed") ?? form.appendChild(document.createElement("p"));
  failed.className = "modes__failed";
  failed.setAttribute("role", "alert");
  failed.textContent = page?.querySelector("[data-problem]")?.textContent ?? "The hub did not answer.";
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-arm]")) return;
  event.preventDefault();
  arm(event.target, event.submitter);
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-older]");
  const region = part("cards");
  if (!link || !region || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const page = await fetched(link.getAttribute("href").replace("/?", "/fragment/cards?")).catch(() => null);
  if (!page) return;
  addOlder(region, page.querySelector('[data-part="cards"], .days') ?? page.body);
  localise(region);
});

// A form that ends what the page shows: its videos let go first, or what they ask for meanwhile is refused.
window.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !event.target.matches("[data-ends]")) return;
  for (const video of document.querySelectorAll("video")) {
    video.removeAttribute("src");
    video.load();
  }
});

document.querySelector(".rooms [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
remember(document);
if (part("cards")) regroup(part("cards"));
localise(document);
keepCounting();
if (document.querySelector("[data-part]")) {
  listen({ onChange: (name) => (TOUCHED[name] ?? ALL).forEach(wanted), onState: showState });
}

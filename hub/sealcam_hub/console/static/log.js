// Pins the newest entry of the audit log that this browser has seen, and warns when the log no longer holds it. It tells
// of a log that was changed behind this page's back; a hub that lies in its pages too is caught by `sealcam-hub audit
// --verify --log LOG --root FINGERPRINT --pin FILE` on a device of the owner's, over an exported log.

import { localise } from "./times.js";

const log = document.querySelector("[data-log]");
const key = `sealcam-log-${log.dataset.log}`;
const head = log.dataset.head;
const numberOf = (entry) => Number(entry.split(":")[0]);

const show = (part, entry) => {
  const found = log.querySelector(part);
  found.querySelector("[data-number]").textContent = numberOf(entry);
  found.hidden = false;
};

function pin() {
  if (numberOf(head) === 0) return;
  localStorage.setItem(key, head);
  log.querySelector("[data-moved]").hidden = true;
  show("[data-pinned]", head);
}

// What stands at the pinned place now, on this page or anywhere in the log.
async function standing(pinned) {
  const number = numberOf(pinned);
  const here = log.querySelector(`[data-entry^="${number}:"]`);
  if (here) return here.dataset.entry;
  const answer = await fetch(`/log/${number}`);
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${answer.status}`);
  return `${number}:${await answer.text()}`;
}

async function check() {
  const pinned = localStorage.getItem(key);
  if (pinned === null) return pin();
  if ((await standing(pinned)) === pinned && numberOf(head) >= numberOf(pinned)) return pin();
  show("[data-moved]", pinned);
}

log.querySelector("[data-accept]").addEventListener("click", pin);
localise(document);
check().catch(() => {}); // the hub is away: nothing is known, and nothing is pinned

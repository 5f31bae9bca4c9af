// Makes times local: the server writes UTC, the reader lives somewhere.

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const FULL = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const SHORT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const MINUTE = 60, HOUR = 3600, DAY_S = 86400;

const midnight = (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate());
const daysAgo = (at) => Math.round((midnight(new Date()) - midnight(at)) / (DAY_S * 1000));

export function dayKey(iso) {
  const at = new Date(iso);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
}

export function dayTitle(iso) {
  const at = new Date(iso);
  const ago = daysAgo(at);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  return (at.getFullYear() === new Date().getFullYear() ? DAY : FULL).format(at);
}

function ago(at) {
  const seconds = Math.max(0, Math.round((Date.now() - at) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < MINUTE) return `${seconds} s ago`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY_S) return `${Math.floor(seconds / HOUR)} h ago`;
  return `${Math.floor(seconds / DAY_S)} d ago`;
}

function moment(at) {
  const days = daysAgo(at);
  if (days === 0) return TIME.format(at);
  if (days === 1) return `yesterday, ${TIME.format(at)}`;
  return `${SHORT.format(at)}, ${TIME.format(at)}`;
}

const SHOW = { time: (at) => TIME.format(at), moment, ago };

export function localise(root) {
  for (const element of root.querySelectorAll("time[data-as]")) {
    const at = new Date(element.dateTime);
    const text = SHOW[element.dataset.as](at);
    if (element.textContent !== text) element.textContent = text;
    if (!element.title) element.title = `${FULL.format(at)}, ${TIME.format(at)}`;
  }
}

// What reads "20 s ago" has to go on doing so.
export function keepCounting() {
  setInterval(() => document.hidden || localise(document), 5000);
}

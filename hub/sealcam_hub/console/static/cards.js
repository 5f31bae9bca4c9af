// The incidents: newer ones come in above, older ones stay below, all under the reader's own days.

import { arrange, settle } from "./swap.js";
import { dayKey, dayTitle } from "./times.js";

const MOST = 240; // cards kept on a page that stays open for weeks

const cardsOf = (root) => [...root.querySelectorAll(".card[data-key]")];

function days(cards) {
  const made = [];
  for (const card of cards) {
    const key = dayKey(card.dataset.at);
    if (made.at(-1)?.key !== key) made.push({ key, title: dayTitle(card.dataset.at), cards: [] });
    made.at(-1).cards.push(card);
  }
  return made;
}

function section(day) {
  const made = document.createElement("section");
  const title = document.createElement("h2");
  const cards = document.createElement("div");
  made.className = "day";
  made.dataset.day = day.key;
  title.className = "day__title";
  cards.className = "cards";
  made.append(title, cards);
  return made;
}

function lay(region, cards, rest) {
  const standing = new Map([...region.querySelectorAll(".day")].map((node) => [node.dataset.day, node]));
  const sections = days(cards).map((day) => {
    const made = standing.get(day.key) ?? section(day);
    made.querySelector(".day__title").textContent = day.title;
    arrange(made.querySelector(".cards"), day.cards);
    return made;
  });
  arrange(region, [...sections, ...rest]);
}

const restOf = (root) => [...root.querySelectorAll(":scope > .older, :scope > .empty")];

// The days as this reader has them, of what the server sent with the page.
export function regroup(region) {
  if (cardsOf(region).length) lay(region, cardsOf(region), restOf(region));
}

// The newest page again. Returns what to say of incidents that weren't there before.
export function swapNewest(region, fresh) {
  const before = cardsOf(region);
  const old = new Map(before.map((card) => [card.dataset.key, card]));
  const newest = cardsOf(fresh);
  const edge = newest.at(-1)?.dataset.at;
  const keys = new Set(newest.map((card) => card.dataset.key));
  const said = newest.filter((card) => !old.has(card.dataset.key)).map((card) => card.dataset.say);
  const below = before.filter((card) => !keys.has(card.dataset.key) && edge && card.dataset.at < edge);
  const cards = [...newest.map((card) => settle(old.get(card.dataset.key), card)), ...below].slice(0, MOST);
  lay(region, cards, restOf(below.length ? region : fresh).map((node) => document.adoptNode(node)));
  return before.length ? said : [];
}

// A further page below the cards that are there.
export function addOlder(region, fresh) {
  const there = new Set(cardsOf(region).map((card) => card.dataset.key));
  const further = cardsOf(fresh).filter((card) => !there.has(card.dataset.key));
  const cards = further.map((card) => settle(null, card));
  lay(region, [...cardsOf(region), ...cards], [...fresh.querySelectorAll(":scope > .older")].map((node) => document.adoptNode(node)));
  cards[0]?.querySelector("a")?.focus({ preventScroll: true });
}

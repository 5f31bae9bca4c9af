// Turns notifications on and off for this browser; everything else on the page works without scripts.

import { localise } from "./times.js";

const PATIENCE_MS = 15000;
const WORKER = "/static/push/worker.js";
const room = document.querySelector("[data-push]");
const state = room.querySelector("[data-push-state]");
const on = room.querySelector("[data-push-on]");
const form = on.querySelector("form");
const problem = room.querySelector("[data-push-problem]");

const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const bytes = (coded) => Uint8Array.from(
  atob(coded.replace(/-/g, "+").replace(/_/g, "/")),
  (letter) => letter.charCodeAt(0),
);

function show(words, offered) {
  state.textContent = words;
  on.hidden = !offered;
}

function fail(words) {
  problem.textContent = words;
  problem.hidden = false;
}

function hint() {
  if (!window.isSecureContext) {
    return "Not here: browsers allow notifications only over TLS, or on the hub itself (localhost).";
  }
  return "Not in this browser. On an iPhone or iPad: share, “Add to Home Screen”, and open Sealcam from there.";
}

async function look() {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return show(hint(), false);
  if (Notification.permission === "denied") {
    return show("Forbidden in this browser's settings for this page: allow notifications there first.", false);
  }
  const there = await navigator.serviceWorker.getRegistration(WORKER);
  const subscribed = await there?.pushManager.getSubscription();
  show(subscribed ? "On in this browser, unless it was removed below." : "Off in this browser.", true);
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") return look();
  const registration = await navigator.serviceWorker.register(WORKER);
  await ready(registration);
  await (await registration.pushManager.getSubscription())?.unsubscribe();
  const asked = await fetch("/notifications/key");
  if (!asked.ok) throw new Error("the hub did not answer");
  const applicationServerKey = bytes(await asked.text());
  state.textContent = "Asking this browser's push service…";
  const asking = registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  const made = await Promise.race([asking, late()]);
  const body = new URLSearchParams(new FormData(form));
  body.set("endpoint", made.endpoint);
  body.set("p256dh", text(made.getKey("p256dh")));
  body.set("auth", text(made.getKey("auth")));
  const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" });
  if (answer.type === "opaqueredirect") return location.reload();
  await made.unsubscribe();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  fail(page.querySelector("[data-problem]")?.textContent ?? "The hub did not take it.");
}

function late() {
  return new Promise((_, fail_) => setTimeout(() => fail_(new Error("it does not answer")), PATIENCE_MS));
}

function ready(registration) {
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  if (!worker || worker.state === "activated") return undefined;
  return new Promise((done) => {
    worker.addEventListener("statechange", () => worker.state === "activated" && done());
  });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.hidden = true;
  await subscribe().catch((error) => {
    fail(`This browser could not ask its push service: ${error.message}.`.replace(/\.\.$/, "."));
    return look();
  });
});

localise(document);
look();

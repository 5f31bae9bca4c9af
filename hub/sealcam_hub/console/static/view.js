// The live page: a look at one camera for as long as the page is seen, with pause and full screen.

import { Look, supported } from "./view-look.js";

const PAUSED = "Paused. The camera is told that nobody looks.";

const view = document.querySelector("[data-view]");
const part = (which) => view.querySelector(`[data-view-${which}]`);
const look = new Look(view);

function pause() {
  const paused = !look.has("paused");
  part("pause").textContent = paused ? "Go on" : "Pause";
  if (paused) look.stop("paused", "paused", PAUSED);
  else look.go("paused");
}

function hide() {
  if (document.hidden) look.stop("hidden", "hidden", "Paused while this tab is hidden.");
  else look.go("hidden");
}

if (!supported()) {
  look.say("unsupported", "This browser can't play a live picture: it lacks Media Source Extensions. Current versions of Firefox, Chrome, Edge and Safari can.");
} else {
  part("video").hidden = part("pause").hidden = false;
  part("pause").addEventListener("click", pause);
  part("full").hidden = !document.fullscreenEnabled;
  part("full").addEventListener("click", () => part("frame").requestFullscreen());
  part("again").addEventListener("click", () => {
    look.leave();
    look.go("over");
  });
  document.addEventListener("visibilitychange", hide);
  addEventListener("pagehide", () => look.leave());
  addEventListener("pageshow", (event) => event.persisted && look.run());
  hide();
}

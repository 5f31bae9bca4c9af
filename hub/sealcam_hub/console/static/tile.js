// A look at a camera in its tile on the first page: never begins by itself, one at a time, and over by itself.
//
// The tile's own HTML is written anew with each beat; a look that runs is carried over into it (`data-stays`, `swap`).

import { Look, supported } from "./view-look.js";

const LONGEST_MS = 120000; // a glance; whoever wants to watch has the live page
const ENDED = {
  long: "Ended after two minutes. Look again, or open the large view.",
  away: "Ended when the tile left the window.",
};

let running = null; // { look, stage, timer, watching }

const at = (stage, which) => stage.querySelector(`[data-look-${which}]`);

function show(stage, on, said = "") {
  stage.toggleAttribute("data-stays", on || Boolean(said));
  at(stage, "screen").hidden = !on;
  at(stage, "go").hidden = on;
  at(stage, "said").textContent = said;
}

function end(why = "") {
  if (!running) return;
  const { look, stage, timer, watching } = running;
  running = null;
  clearTimeout(timer);
  watching.disconnect();
  const focused = stage.contains(document.activeElement);
  look.end();
  show(stage, false, ENDED[why] ?? "");
  if (focused) at(stage, "go").focus({ preventScroll: true });
}

function begin(stage) {
  end();
  show(stage, true);
  const watching = new IntersectionObserver((seen) => seen.at(-1).isIntersecting || end("away"));
  running = { look: new Look(stage), stage, watching, timer: setTimeout(() => end("long"), LONGEST_MS) };
  watching.observe(stage);
  at(stage, "stop").focus({ preventScroll: true });
  running.look.run();
}

function again() {
  running?.look.leave();
  running?.look.go("over");
}

if (supported()) {
  document.documentElement.classList.add("looks");
  document.addEventListener("click", ({ target }) => {
    const go = target.closest("[data-look-go]");
    if (go) begin(go.closest("[data-view]"));
    else if (target.closest("[data-look-stop]")) end();
    else if (target.closest("[data-view-again]")) again();
  });
  document.addEventListener("visibilitychange", () => document.hidden && end());
  addEventListener("pagehide", () => end());
}

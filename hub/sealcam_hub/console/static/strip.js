// A strip of small pictures under the timeline, drawn from the clip itself: one keyframe each, by a video that nobody
// sees. Nothing of it is kept but what is drawn.

import { Film } from "./film.js";

const WIDTH_PX = 112; // of a small picture, about

class Sparse extends Film {
  async feed() {} // it is told what to hold
}

const event = (target, good, bad) =>
  new Promise((done, fail) => {
    target.addEventListener(good, done, { once: true });
    target.addEventListener(bad, () => fail(new Error(bad)), { once: true });
  });

// What tells when `video` shows the picture of a time: after a seek its end is told before the picture is there.
function watch(video) {
  if (!video.requestVideoFrameCallback) return { shows: () => Promise.resolve() };
  let shown_s = NaN;
  let seen = () => {};
  const next = () =>
    video.requestVideoFrameCallback((_, frame) => {
      shown_s = frame.mediaTime;
      seen();
      next();
    });
  next();
  const shows = async (at_s, signal) => {
    signal.addEventListener("abort", () => seen(), { once: true });
    while (!signal.aborted && !(Math.abs(shown_s - at_s) < 2e-3)) await new Promise((done) => (seen = done));
  };
  return { shows };
}

// Fills `strip`; `signal` ends it. Resolves when all are drawn.
export async function draw(strip, facts, signal) {
  const video = document.createElement("video");
  video.muted = true;
  const pictures = watch(video);
  const film = new Sparse(video, facts);
  signal.addEventListener("abort", () => film.close(), { once: true });
  strip.replaceChildren();
  try {
    await film.open();
    const count = Math.max(3, Math.min(14, Math.round(strip.clientWidth / WIDTH_PX)));
    const canvases = Array.from({ length: count }, () => strip.appendChild(document.createElement("canvas")));
    for (const [number, canvas] of canvases.entries()) {
      const index = film.at(((number + 0.5) / count) * film.length);
      if (!film.held.has(index)) await film.hold(index, index);
      const shown = event(video, "seeked", "error");
      video.currentTime = film.places[index].from + 1e-3;
      await shown;
      await pictures.shows(film.places[index].from, signal);
      if (signal.aborted) return;
      const scale = Math.min(1, 320 / video.videoWidth);
      canvas.width = Math.round(video.videoWidth * scale);
      canvas.height = Math.round(video.videoHeight * scale);
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      canvas.dataset.from = film.places[index].from;
    }
    strip.dataset.drawn = "";
  } catch {
    if (!signal.aborted) strip.replaceChildren(); // the player itself tells of a hub that doesn't answer
  } finally {
    film.close();
    video.removeAttribute("src");
    video.load();
  }
}

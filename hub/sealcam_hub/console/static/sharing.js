// Help on the way to a share: times taken from the video, a box drawn on its picture, a key read from a file. Without
// it the same is typed.

const one = (/** @type {string} */ name) => document.querySelector(`[data-${name}]`);
const video = /** @type {HTMLVideoElement | null} */ (one("video"));
const form = /** @type {HTMLFormElement | null} */ (one("what"));
const LEAST = 20; // thousandths, as the hub takes them
const STEP = 10;

/** @param {number} value @param {number} least @param {number} most */
const within = (value, least, most) => Math.min(most, Math.max(least, Math.round(value)));

if (video && form) {
  const pane = /** @type {HTMLElement} */ (one("pane"));
  const box = /** @type {HTMLElement} */ (one("box"));
  const black = /** @type {HTMLInputElement} */ (one("black"));
  const area = /** @type {HTMLInputElement} */ (one("area"));

  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (form.querySelectorAll("[data-take]"))) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = /** @type {HTMLInputElement} */ (form.elements.namedItem(button.dataset.take ?? ""));
      field.value = video.currentTime.toFixed(1);
    });
  }

  /** Where the picture is within the video's element. */
  const picture = () => {
    const [wide, high] = [video.videoWidth || 16, video.videoHeight || 9];
    const scale = Math.min(video.clientWidth / wide, video.clientHeight / high);
    const [width, height] = [wide * scale, high * scale];
    return { left: (video.clientWidth - width) / 2, top: (video.clientHeight - height) / 2, width, height };
  };
  const place = () => {
    for (const [name, value] of Object.entries(picture())) pane.style.setProperty(name, `${value}px`);
    const found = /^\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*$/.exec(area.value);
    box.hidden = !found;
    if (!found) return;
    const [left, top, right, bottom] = found.slice(1).map(Number);
    const sides = { left, top, width: right - left, height: bottom - top };
    for (const [name, value] of Object.entries(sides)) box.style.setProperty(name, `${value / 10}%`);
  };
  const show = () => {
    pane.hidden = !black.checked;
    if (black.checked) {
      video.pause();
      if (!area.value) area.value = "250,250,750,750";
    }
    video.controls = !black.checked;
    place();
  };
  /** @param {number[]} corners */
  const set = (corners) => {
    area.value = corners.join(",");
    place();
  };
  /** @param {PointerEvent} event */
  const at = (event) => {
    const { left, top, width, height } = pane.getBoundingClientRect();
    const share = (/** @type {number} */ value) => within(value * 1000, 0, 1000);
    return [share((event.clientX - left) / width), share((event.clientY - top) / height)];
  };

  pane.addEventListener("pointerdown", (event) => {
    const [x, y] = at(event);
    pane.setPointerCapture(event.pointerId);
    /** @param {PointerEvent} moved */
    const draw = (moved) => {
      const [u, v] = at(moved);
      const [left, top] = [Math.min(x, u, 1000 - LEAST), Math.min(y, v, 1000 - LEAST)];
      set([left, top, Math.max(x, u, left + LEAST), Math.max(y, v, top + LEAST)]);
    };
    pane.addEventListener("pointermove", draw);
    pane.addEventListener("pointerup", () => pane.removeEventListener("pointermove", draw), { once: true });
  });
  box.addEventListener("keydown", (event) => {
    /** @type {Record<string, number[]>} */
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const [left, top, right, bottom] = area.value.split(",").map(Number);
    const [x, y] = way.map((each) => each * STEP);
    if (event.shiftKey) return set([left, top, within(right + x, left + LEAST, 1000), within(bottom + y, top + LEAST, 1000)]);
    const [dx, dy] = [within(x, -left, 1000 - right), within(y, -top, 1000 - bottom)];
    set([left + dx, top + dy, right + dx, bottom + dy]);
  });
  black.addEventListener("change", show);
  area.addEventListener("input", place);
  video.addEventListener("loadedmetadata", place);
  new ResizeObserver(place).observe(video);
  show();
  form.dataset.ready = "";
}

const file = /** @type {HTMLInputElement | null} */ (one("key-file"));
const key = /** @type {HTMLTextAreaElement | null} */ (one("key-text"));
if (file && key) {
  file.hidden = false;
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    if (chosen && chosen.size < 4096) key.value = (await chosen.text()).trim();
  });
}

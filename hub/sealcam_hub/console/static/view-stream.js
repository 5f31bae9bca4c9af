// The hub's live answer as blocks, each with its times in the browser's clock. `sealcam_hub.console.view` writes them.

export const WORDS = 0, BEGINNING = 1, KEYFRAME = 2, PICTURES = 3;
const HEAD = 40;
const MOST = 1 << 21; // a part has a MiB at the most

export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

// How far the hub's clock is behind the browser's: known by the quickest block, which took some milliseconds.
class Clocks {
  least = Infinity;

  late(hub) {
    const ahead = performance.now() - hub;
    this.least = Math.min(this.least, ahead);
    return ahead - this.least;
  }
}

async function problem(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("[data-problem]")?.textContent.trim() ?? "";
}

function block(bytes, size, clocks) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const age = view.getFloat64(16), way = view.getFloat64(24);
  const late = clocks.late(view.getFloat64(8));
  return {
    kind: view.getUint8(4),
    data: bytes.slice(HEAD, HEAD + size),
    seenAt: performance.now() - age - late - (way || 0), // NaN where nothing was seen
    sure: !Number.isNaN(way),
    seen: view.getFloat64(32),
  };
}

// Every block, as it comes; ends when the hub ends the answer.
export async function* blocks(url, signal) {
  const answer = await fetch(url, { signal, cache: "no-store" });
  if (!answer.ok) throw new Refused(answer.status, await problem(answer));
  const reader = answer.body.getReader();
  const clocks = new Clocks();
  let held = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(held.length + value.length);
    joined.set(held);
    joined.set(value, held.length);
    held = joined;
    while (held.length >= HEAD) {
      const size = new DataView(held.buffer, held.byteOffset).getUint32(0);
      if (size > MOST) throw new Error("that is no live view");
      if (held.length < HEAD + size) break;
      yield block(held, size, clocks);
      held = held.subarray(HEAD + size);
    }
  }
}

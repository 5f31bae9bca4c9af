// One look at a camera: asks the hub for the stream, plays it in an element, and says how old the picture on it is.
//
// The element names the stream and the camera (`data-view`, `data-name`) and marks its parts `data-view-...`. Who begins
// and ends a look is `view`'s, for a page, and `tile`'s, on the first one.

import { Player, plays, supported } from "./view-player.js";
import { BEGINNING, KEYFRAME, PICTURES, Refused, WORDS, blocks } from "./view-stream.js";

// A camera sends a keyframe at least every 2 s, so a picture that is older than that is not the present one any more.
const STALE_MS = 2000;
const AGAIN_MS = 2000;
const AGE_MS = 200;
const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const SIGNED_OUT = "Signed out: load this page to sign in.";
const LOST = "The connection to the hub is lost. Trying again.";

export { supported };

function put(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function since(at) {
  return TIME.format(Date.now() - (performance.now() - at));
}

export class Look {
  #view;
  #video;
  #stopped = new Map(); // why nothing is asked for, and what is said of it
  #player = null;
  #running = null; // aborts the stream
  #sure = false;
  #lastSeen = null; // by the browser's clock: when the last picture that was shown was seen
  #ticking;

  constructor(view) {
    this.#view = view;
    this.#video = this.#part("video");
    this.#ticking = setInterval(() => this.#showAge(), AGE_MS);
  }

  #part(which) {
    return this.#view.querySelector(`[data-view-${which}]`);
  }

  // A word for the style sheet and for tests, and what stands over the picture.
  say(state, text, again = false) {
    this.#view.dataset.state = state;
    put(this.#part("words"), text);
    this.#part("over").hidden = !text;
    this.#part("again").hidden = !again;
  }

  has(why) {
    return this.#stopped.has(why);
  }

  stop(why, state, text) {
    this.#stopped.set(why, [state, text]);
    this.leave();
    this.say(state, text);
  }

  go(why) {
    this.#stopped.delete(why);
    const [other] = this.#stopped.values();
    if (other) this.say(...other);
    this.run();
  }

  // For good.
  end() {
    clearInterval(this.#ticking);
    this.#stopped.set("over", ["over", ""]);
    this.leave();
    this.#part("last").hidden = true;
    this.#part("stale").hidden = true;
    this.#view.classList.remove("view--stale");
    put(this.#part("age"), "");
    this.say("over", "");
  }

  leave() {
    this.#running?.abort();
    this.#running = null;
    this.#keepLast();
    this.#player?.close();
    this.#player = null;
  }

  async run() {
    if (this.#running || this.#stopped.size) return;
    const mine = (this.#running = new AbortController());
    this.say("asking", `${this.#view.dataset.name} is asked for its picture.`);
    try {
      await this.#follow(mine.signal);
      if (this.#running === mine) this.say("lost", LOST);
    } catch (error) {
      if (this.#running !== mine) return;
      this.#tell(error);
    }
    this.leave();
    if (!this.#stopped.size) setTimeout(() => this.run(), AGAIN_MS);
  }

  // The last picture stays, grey, while there is no stream.
  #keepLast() {
    const last = this.#part("last");
    if (!this.#video.videoWidth) return;
    last.width = this.#video.videoWidth;
    last.height = this.#video.videoHeight;
    last.getContext("2d").drawImage(this.#video, 0, 0);
    last.hidden = false;
  }

  #showAge() {
    this.#player?.chase();
    const at = this.#player?.seenAt() ?? null;
    if (at !== null) {
      this.#lastSeen = at;
      this.#part("last").hidden = true;
    }
    const age = this.#lastSeen === null ? null : performance.now() - this.#lastSeen;
    const stale = age !== null && age > STALE_MS;
    this.#view.classList.toggle("view--stale", stale);
    this.#part("stale").hidden = !stale || this.#stopped.has("hidden");
    if (stale) put(this.#part("since"), `No new picture since ${since(this.#lastSeen)}`);
    if (age === null) return;
    const seconds = stale ? Math.floor(age / 1000) : (Math.max(0, age) / 1000).toFixed(1);
    put(this.#part("age"), `${stale ? "Not live: " : "Live, "}${this.#sure ? "" : "at least "}${seconds} s old`);
    put(
      this.#part("how"),
      this.#sure
        ? "It counts on the camera's clock and this hub's for the last milliseconds."
        : "The camera's clock isn't set, so its way here counts as no time at all: the age is at least this.",
    );
  }

  #begin(block, stream) {
    const end = block.data.indexOf(0, 4);
    const number = new DataView(block.data.buffer, block.data.byteOffset).getUint32(0);
    const type = new TextDecoder().decode(block.data.subarray(4, end));
    if (!plays(type)) throw new Refused(0, `This browser can't play what ${this.#view.dataset.name} sends (${type}).`);
    this.#player.begin(type, block.data.subarray(end + 1), stream.number !== null && stream.number !== number);
    stream.number = number;
  }

  async #follow(signal) {
    const stream = { number: null };
    this.#player = new Player(this.#video, () => this.#running?.abort());
    for await (const block of blocks(this.#view.dataset.view, signal)) {
      if (block.kind === WORDS) {
        const words = JSON.parse(new TextDecoder().decode(block.data));
        this.say(words.state, words.text, words.state === "refused");
      } else if (block.kind === BEGINNING) {
        this.#begin(block, stream);
      } else if (block.kind === KEYFRAME || block.kind === PICTURES) {
        this.#sure = block.sure;
        this.#player.add(block.data, block.kind === KEYFRAME, block.seenAt);
      }
    }
  }

  #tell(error) {
    if (!(error instanceof Refused)) return this.say("lost", LOST);
    const why = error.message || "The hub doesn't show this camera.";
    const said = error.status === 403 ? ["closed", SIGNED_OUT] : ["failed", why, true];
    this.#stopped.set("over", said);
    this.say(...said);
  }
}

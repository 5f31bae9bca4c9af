// Feeds a <video> with the fragments of a clip around what is shown, by Media Source Extensions: a browser that is given
// the address alone walks through the whole file before it shows anything. What lies far behind is let go of.

import { pictureTimes } from "./boxes.js";

const AHEAD_S = 20; // of the picture, at normal speed
const BEHIND_S = 30;
const MOST_BYTES = 1 << 20; // of one request
const AGAIN_MS = 2000;
const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;

export const playable = (type) => Boolean(Source?.isTypeSupported(type));

const event = (target, good, bad) =>
  new Promise((done, fail) => {
    target.addEventListener(good, done, { once: true });
    target.addEventListener(bad, () => fail(new Error(bad)), { once: true });
  });

export class Film {
  // `onNews()` is called when more of it is held, `onTrouble(text)` when the hub doesn't answer (null: it does again).
  constructor(video, facts, { onNews = () => {}, onTrouble = () => {} } = {}) {
    Object.assign(this, { video, facts, onNews, onTrouble });
    const { fragments, end, timescale, duration } = facts.movie;
    this.places = fragments.map(([time, offset], index) => ({
      from: time / timescale,
      to: (fragments[index + 1]?.[0] ?? duration) / timescale,
      first: offset,
      last: fragments[index + 1]?.[1] ?? end,
    }));
    this.length = duration / timescale;
    this.held = new Map(); // index of a fragment -> the times of its pictures
    this.stopped = new AbortController();
  }

  async open() {
    const source = new Source();
    this.source = source;
    this.video.disableRemotePlayback = true;
    this.url = URL.createObjectURL(source);
    this.video.src = this.url;
    await event(source, "sourceopen", "sourceclose");
    this.buffer = source.addSourceBuffer(this.facts.type);
    source.duration = this.length;
    await this.append(await this.bytes(0, this.facts.movie.beginning));
    for (const name of ["seeking", "timeupdate", "ratechange", "play"]) {
      this.video.addEventListener(name, () => this.feed(), { signal: this.stopped.signal });
    }
    this.feed();
  }

  close() {
    this.stopped.abort();
    if (this.url) URL.revokeObjectURL(this.url);
  }

  get over() {
    return this.stopped.signal.aborted;
  }

  // The index of the fragment that is shown at a time.
  at(time) {
    let low = 0, high = this.places.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.places[middle].from <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // Gets what is missing around what is shown; one request at a time, and always for what is wanted now.
  async feed() {
    if (this.feeding || this.over) return;
    this.feeding = true;
    try {
      for (let wanted = this.missing(); wanted && !this.over; wanted = this.missing()) {
        try {
          await this.hold(...wanted);
          this.onTrouble(null);
        } catch (error) {
          if (this.over) return;
          // The browser's room may be full: what isn't shown next goes, or else what is there is played first.
          const full = error.name === "QuotaExceededError";
          const here = this.at(this.video.currentTime);
          if (full && await this.drop(here, wanted[1])) continue;
          if (!full || wanted[0] === here) this.onTrouble(error.message);
          await new Promise((done) => setTimeout(done, AGAIN_MS));
        }
        this.onNews();
      }
      if (!this.over) await this.tidy();
    } finally {
      this.feeding = false;
    }
  }

  missing() {
    const now = this.video.currentTime;
    const until = now + AHEAD_S * Math.max(1, this.video.playbackRate);
    let first = this.at(now);
    while (first < this.places.length && this.held.has(first)) first++;
    if (first >= this.places.length || this.places[first].from > until) return null;
    let last = first;
    const enough = first === this.at(now) ? 0 : MOST_BYTES; // what is looked at comes by itself, and at once
    while (
      last + 1 < this.places.length &&
      !this.held.has(last + 1) &&
      this.places[last + 1].from <= until &&
      this.places[last + 1].last - this.places[first].first <= enough
    ) last++;
    return [first, last];
  }

  // Has fragments `first` to `last` in the buffer.
  async hold(first, last) {
    const start = this.places[first].first;
    const bytes = await this.bytes(start, this.places[last].last);
    await this.append(bytes);
    for (let index = first; index <= last; index++) {
      const { first: from, last: to } = this.places[index];
      this.held.set(index, pictureTimes(bytes.subarray(from - start, to - start), this.facts.movie.timescale));
    }
    if (this.held.has(this.places.length - 1) && this.source.readyState === "open") this.source.endOfStream();
  }

  async append(bytes) {
    while (this.buffer.updating) await event(this.buffer, "updateend", "error");
    this.buffer.appendBuffer(bytes);
    await event(this.buffer, "updateend", "error");
  }

  async tidy() {
    const before = this.at(Math.max(0, this.video.currentTime - BEHIND_S));
    const after = this.at(this.video.currentTime + 3 * AHEAD_S * Math.max(1, this.video.playbackRate));
    await this.drop(before, after);
  }

  // Lets go of the fragments before `before` and behind `after`; whether there were any.
  async drop(before, after) {
    const gone = [...this.held.keys()].filter((index) => index < before || index > after);
    for (const index of gone) {
      if (this.over || this.source.readyState === "closed") return false;
      while (this.buffer.updating) await event(this.buffer, "updateend", "error");
      this.buffer.remove(this.places[index].from, this.places[index].to);
      await event(this.buffer, "updateend", "error");
      this.held.delete(index);
    }
    if (gone.length) this.onNews();
    return gone.length > 0;
  }

  async bytes(first, end) {
    const whole = new Uint8Array(end - first);
    for (let at = 0; at < whole.length; ) {
      const headers = { Range: `bytes=${first + at}-${end - 1}` };
      const answer = await fetch(`/clip/${this.facts.id}/video`, { headers, signal: this.stopped.signal });
      if (answer.status === 403) throw new Error("Signed out: load this page to sign in.");
      if (answer.status !== 206) throw new Error("The hub doesn't give this part of the clip.");
      const some = new Uint8Array(await answer.arrayBuffer());
      if (!some.length || at + some.length > whole.length) throw new Error("The hub's answer makes no sense.");
      whole.set(some, at);
      at += some.length;
    }
    return whole;
  }

  // When the picture before (-1) or after (1) the one at `time` is shown; its fragment is fetched if it must be.
  async picture(time, step) {
    const index = this.at(time);
    const here = await this.times(index);
    const shown = here.findLastIndex((one) => one <= time + 1e-6);
    const place = Math.max(0, shown) + step;
    if (place >= 0 && place < here.length) return here[place];
    const other = index + step;
    if (other < 0 || other >= this.places.length) return null;
    return (await this.times(other)).at(step > 0 ? 0 : -1);
  }

  async times(index) {
    if (!this.held.has(index)) {
      const { first, last } = this.places[index];
      const read = pictureTimes(await this.bytes(first, last), this.facts.movie.timescale);
      return read?.times ?? [this.places[index].from];
    }
    return this.held.get(index)?.times ?? [this.places[index].from];
  }
}

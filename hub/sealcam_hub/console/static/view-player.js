// Plays a live stream by Media Source Extensions, close to its end, and knows when what it shows was seen.

const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
const BEHIND_S = 10; // what has been played is kept for so long
const WAITING = 4 << 20; // bytes that may wait for the decoder; then the next keyframe is waited for
// A picture is shown when the slowest part of the last seconds would have come: so much later than the quickest one.
const LEAST_S = 0.03, MOST_S = 0.6, FORGET_S = 8, DRIFT = 0.001;
const LEAP_S = 0.6, SLACK_S = 0.06; // further off than that: leap, or play faster or slower, the more the further
const HURRY = 0.6, SLOWEST = 0.8, QUICKEST = 1.5;

const SAME_S = 0.002;

// The content of a box in boxes, by its path of names (ISO/IEC 14496-12): of the last one where there are several.
function box(bytes, [name, ...inner]) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let found = null;
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at);
    const is = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (size < 8 || at + size > bytes.length) break;
    if (is === name) found = bytes.subarray(at + 8, at + size);
    at += size;
  }
  return found && inner.length ? box(found, inner) : found;
}

function timescale(beginning) {
  const header = box(beginning, ["moov", "trak", "mdia", "mdhd"]);
  if (!header) return 1;
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  return view.getUint32(view.getUint8(0) === 1 ? 20 : 12);
}

function decodeTime(part) {
  const begins = box(part, ["moof", "traf", "tfdt"]);
  if (!begins) return NaN;
  const view = new DataView(begins.buffer, begins.byteOffset, begins.length);
  return view.getUint8(0) === 1 ? Number(view.getBigUint64(4)) : view.getUint32(4);
}

export const supported = () => Boolean(Source?.isTypeSupported && globalThis.ReadableStream);
export const plays = (media) => Source.isTypeSupported(media);

export class Player {
  #video;
  #media = new Source();
  #address;
  #buffer = null;
  #waiting = []; // { data, type, seenAt, fresh }
  #waitingBytes = 0;
  #marks = []; // [time of a part in the stream, when its newest picture was seen]
  #scale = 1;
  #added = null; // what the buffer takes in now
  #lacks = false;
  #base = null; // of the quickest part: when it came, less its time in the stream
  #jitter = 0; // how much later than that others come
  #arrived = 0;
  #shown = null; // the stream's time of the picture on the screen

  constructor(video, onError) {
    this.#video = video;
    this.onError = onError;
    video.disableRemotePlayback = true;
    this.#address = URL.createObjectURL(this.#media);
    video.src = this.#address;
    this.#media.addEventListener("sourceopen", () => this.#next(), { once: true });
    video.onerror = () => onError(video.error?.message ?? "");
    this.#watch();
  }

  // What comes before pictures; `fresh` where its times begin anew.
  begin(type, data, fresh) {
    this.#lacks = false;
    this.#scale = timescale(data);
    this.#queue({ data, type, fresh });
  }

  add(data, key, seenAt) {
    if (this.#lacks && !key) return;
    this.#lacks = false;
    const time = decodeTime(data) / this.#scale;
    this.#measure(performance.now() / 1000, time);
    this.#queue({ data, seenAt, time });
  }

  #measure(now, time) {
    const late = now - time;
    const passed = now - this.#arrived;
    this.#arrived = now;
    if (this.#base === null || late < this.#base) {
      this.#jitter = this.#base === null ? 0 : Math.max(0, this.#jitter - (this.#base - late));
      this.#base = late;
      return;
    }
    this.#base += DRIFT * passed;
    this.#jitter = Math.max(late - this.#base, this.#jitter * Math.exp(-passed / FORGET_S));
  }

  // When the picture on the screen was seen, as the browser's clock counts; none before the first.
  seenAt() {
    if (this.#shown === null) return null;
    const mark = this.#marks.findLast(([time]) => time <= this.#shown + SAME_S) ?? this.#marks[0];
    return mark?.[1] ?? null;
  }

  close() {
    this.#video.onerror = null;
    this.#video.removeAttribute("src");
    this.#video.load();
    URL.revokeObjectURL(this.#address);
    this.#media = null;
  }

  #queue(part) {
    this.#waiting.push(part);
    this.#waitingBytes += part.data.length;
    if (this.#waitingBytes > WAITING) {
      this.#waiting = this.#waiting.filter((one) => one.type);
      this.#waitingBytes = this.#waiting.reduce((sum, one) => sum + one.data.length, 0);
      this.#lacks = true;
    }
    this.#next();
  }

  #next() {
    if (this.#media?.readyState !== "open" || this.#added || this.#buffer?.updating || !this.#waiting.length) return;
    const part = this.#waiting.shift();
    this.#waitingBytes -= part.data.length;
    this.#added = part;
    try {
      if (part.type && !this.#buffer) this.#open(part.type);
      else if (part.fresh) return this.#afresh(part);
      this.#append(part);
    } catch (error) {
      this.onError(error.message);
    }
  }

  #open(type) {
    this.#buffer = this.#media.addSourceBuffer(type);
    this.#buffer.addEventListener("updateend", () => this.#ended());
  }

  // Times begin anew: what is buffered must not stand in their way.
  #afresh(part) {
    part.fresh = false;
    this.#marks = [];
    this.#base = null;
    this.#shown = null;
    this.#waiting.unshift(part);
    this.#waitingBytes += part.data.length;
    this.#added = {};
    this.#buffer.abort();
    this.#buffer.changeType?.(part.type);
    this.#buffer.remove(0, Infinity);
  }

  #append(part) {
    this.#buffer.appendBuffer(part.data);
  }

  #ended() {
    const part = this.#added;
    this.#added = null;
    if (!this.#media) return;
    const spans = this.#buffer.buffered;
    if (part?.seenAt !== undefined && spans.length) {
      this.#marks.push([part.time, part.seenAt]);
      if (this.#marks.length > 256) this.#marks.shift();
      this.chase();
    }
    if (!this.#buffer.updating) this.#trim();
    this.#next();
  }

  #trim() {
    const { buffered } = this.#buffer;
    const until = this.#video.currentTime - BEHIND_S;
    if (buffered.length && buffered.start(0) < until - BEHIND_S) this.#buffer.remove(0, until);
  }

  // Stay close to the end of what has come: to be late is worse than to leap.
  chase() {
    const video = this.#video;
    const { buffered } = video;
    if (!buffered.length) return;
    const start = buffered.start(buffered.length - 1), end = buffered.end(buffered.length - 1);
    const newest = Math.min(end, this.#marks.at(-1)?.[0] ?? end);
    const aim = Math.min(MOST_S, Math.max(LEAST_S, this.#jitter));
    const behind = performance.now() / 1000 - this.#base - aim - video.currentTime;
    const off = video.currentTime < start || video.currentTime > end + LEAP_S;
    if (off || behind < -LEAP_S || (behind > LEAP_S && newest > video.currentTime + SLACK_S)) {
      video.currentTime = Math.max(start, Math.min(newest, video.currentTime + behind));
    }
    const rate = Math.abs(behind) < SLACK_S ? 1 : 1 + HURRY * behind;
    video.playbackRate = Math.min(QUICKEST, Math.max(SLOWEST, rate));
    if (video.paused) video.play().catch(() => {}); // a picture without sound may always play
  }

  #watch() {
    const video = this.#video;
    if (!video.requestVideoFrameCallback) {
      video.ontimeupdate = () => (this.#shown = video.readyState > 1 ? video.currentTime : this.#shown);
      return;
    }
    const shown = (_now, frame) => {
      if (!this.#media) return;
      this.#shown = frame.mediaTime;
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
  }
}

// Reads what a fragment of our MP4 says of its pictures: when each is shown (ISO/IEC 14496-12, 8.8.8 and 8.8.12).

function* boxes(view, start, end) {
  for (let at = start; at + 8 <= end; ) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > end) return;
    const kind = String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at + 4, 4));
    yield { kind, first: at + 8, last: at + size };
    at += size;
  }
}

const within = (view, box, kind) => [...boxes(view, box.first, box.last)].find((one) => one.kind === kind);

// The times of the pictures in a fragment's bytes, in seconds, and when the last one ends; none where it isn't one.
export function pictureTimes(bytes, timescale) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const moof = within(view, { first: 0, last: view.byteLength }, "moof");
  const traf = moof && within(view, moof, "traf");
  const begins = traf && within(view, traf, "tfdt");
  const run = traf && within(view, traf, "trun");
  if (!begins || !run) return null;
  const long = view.getUint8(begins.first) === 1;
  let time = long ? Number(view.getBigUint64(begins.first + 4)) : view.getUint32(begins.first + 4);
  const flags = view.getUint32(run.first) & 0xffffff;
  const count = view.getUint32(run.first + 4);
  const width = 4 * [0x100, 0x200, 0x400, 0x800].filter((bit) => flags & bit).length;
  let at = run.first + 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
  if (!(flags & 0x100) || at + count * width > run.last) return null;
  const times = [];
  for (let index = 0; index < count; index++, at += width) {
    times.push(time / timescale);
    time += view.getUint32(at);
  }
  return { times, end: time / timescale };
}

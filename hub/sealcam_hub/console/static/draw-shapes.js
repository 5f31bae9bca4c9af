// Areas as lines of text, and what can be done to their corners. Corners are [x, y] in per mille of the picture.

const LINE = /^(watch|ignore|entry|mask)(?:\s+([^:]*))?:\s*(.*)$/;
const CORNER = /^([0-9]{1,3}(?:\.[0-9])?),([0-9]{1,3}(?:\.[0-9])?)$/;
export const LEAST = 3;
export const MOST = 32;

export const bound = (value) => Math.min(1000, Math.max(0, Math.round(value)));

// The areas in `text`; null where a line can't be drawn, so that what a person types stays as it is.
export function read(text) {
  const areas = [];
  for (const line of text.split("\n").map((one) => one.trim()).filter(Boolean)) {
    const found = LINE.exec(line);
    const corners = found && found[3].split(/\s+/).map((one) => CORNER.exec(one));
    if (!corners || corners.length < LEAST || corners.length > MOST || corners.some((one) => !one)) return null;
    areas.push({
      kind: found[1],
      name: (found[2] ?? "").trim(),
      corners: corners.map((one) => [bound(10 * Number(one[1])), bound(10 * Number(one[2]))]),
    });
  }
  return areas;
}

const percent = (value) => String(value / 10);

export function written(areas) {
  return areas
    .map(({ kind, name, corners }) => {
      const told = corners.map(([x, y]) => `${percent(x)},${percent(y)}`).join(" ");
      return `${kind === "mask" ? "mask" : `${kind} ${name}`}: ${told}`;
    })
    .join("\n");
}

// A new area in the middle, a little aside for each that is there.
export function fresh(kind, count) {
  const off = (count % 5) * 40;
  const name = kind === "mask" ? "" : `${kind[0].toUpperCase()}${kind.slice(1)} ${count + 1}`;
  return { kind, name, corners: [[300, 300], [700, 300], [700, 700], [300, 700]].map(([x, y]) => [x + off, y + off]) };
}

// A corner more, halfway to the next one.
export function split(area, at) {
  if (area.corners.length >= MOST) return at;
  const [x, y] = area.corners[at];
  const [nextX, nextY] = area.corners[(at + 1) % area.corners.length];
  area.corners.splice(at + 1, 0, [bound((x + nextX) / 2), bound((y + nextY) / 2)]);
  return at + 1;
}

// A corner less; which one is chosen then.
export function drop(area, at) {
  if (area.corners.length <= LEAST) return at;
  area.corners.splice(at, 1);
  return Math.min(at, area.corners.length - 1);
}

// All of an area moved, as far as the picture goes.
export function shift(area, dx, dy) {
  const xs = area.corners.map(([x]) => x);
  const ys = area.corners.map(([, y]) => y);
  const byX = Math.max(-Math.min(...xs), Math.min(1000 - Math.max(...xs), dx));
  const byY = Math.max(-Math.min(...ys), Math.min(1000 - Math.max(...ys), dy));
  area.corners = area.corners.map(([x, y]) => [bound(x + byX), bound(y + byY)]);
}

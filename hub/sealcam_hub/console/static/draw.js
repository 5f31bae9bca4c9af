// Draws zones and masks on a still, by pointer and by keyboard. What is drawn is what stands in the text, which is sent.

import { bound, drop, fresh, read, shift, split, written } from "./draw-shapes.js";

const STEP = 10; // per mille
const LARGE = 50;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KINDS = { watch: "Watch", ignore: "Ignore", entry: "Entry", mask: "Mask" };
const SVG = "http://www.w3.org/2000/svg";

function made(name, values = {}) {
  return Object.assign(document.createElement(name), values);
}

class Drawing {
  constructor(form) {
    this.text = form.querySelector("[data-text]");
    this.stage = form.querySelector("[data-stage]");
    this.sheet = form.querySelector("[data-sheet]");
    this.handles = form.querySelector("[data-handles]");
    this.list = form.querySelector("[data-list]");
    this.tools = form.querySelector("[data-tools]");
    this.areas = read(this.text.value) ?? [];
    this.chosen = this.areas.length ? 0 : -1;
    this.sheet.removeAttribute("hidden");
    this.tools.hidden = false;
    for (const button of form.querySelectorAll("[data-add]")) {
      button.addEventListener("click", () => this.add(button.dataset.add));
    }
    this.text.addEventListener("input", () => {
      const areas = read(this.text.value);
      if (!areas) return;
      this.areas = areas;
      this.chosen = Math.min(this.chosen, areas.length - 1);
      this.draw();
    });
    this.draw();
  }

  add(kind) {
    this.areas.push(fresh(kind, this.areas.length));
    this.chosen = this.areas.length - 1;
    this.changed();
    this.focus(0);
  }

  changed() {
    this.text.value = written(this.areas);
    this.draw();
  }

  draw() {
    this.sheet.replaceChildren(...this.areas.map((area, number) => this.outline(area, number)));
    this.list.replaceChildren(...this.areas.map((area, number) => this.row(area, number)));
    const area = this.areas[this.chosen];
    this.handles.replaceChildren(...(area ? area.corners.map((_, at) => this.handle(area, at)) : []));
  }

  // Moves what is there, without making it anew: whoever drags holds on to it.
  settle() {
    const area = this.areas[this.chosen];
    this.text.value = written(this.areas);
    const points = (one) => one.corners.map((corner) => corner.join(",")).join(" ");
    this.areas.forEach((one, number) => this.sheet.children[number].setAttribute("points", points(one)));
    area?.corners.forEach((corner, at) => this.place(this.handles.children[at], area, at, corner));
  }

  outline(area, number) {
    const shape = document.createElementNS(SVG, "polygon");
    shape.setAttribute("points", area.corners.map((corner) => corner.join(",")).join(" "));
    shape.setAttribute("class", `area area--${area.kind}${number === this.chosen ? " area--chosen" : ""}`);
    shape.addEventListener("pointerdown", (event) => {
      if (number !== this.chosen) {
        this.chosen = number;
        this.draw();
      }
      let last = this.at(event);
      this.drag(event, this.sheet, (now) => {
        shift(this.areas[number], now[0] - last[0], now[1] - last[1]);
        last = now;
      });
    });
    return shape;
  }

  handle(area, at) {
    const button = made("button", { type: "button", className: "corner" });
    this.place(button, area, at, area.corners[at]);
    button.addEventListener("pointerdown", (event) => {
      button.focus();
      this.drag(event, button, (now) => (area.corners[at] = now));
    });
    button.addEventListener("keydown", (event) => this.key(event, area, at));
    return button;
  }

  place(button, area, at, [x, y]) {
    button.style.left = `${x / 10}%`;
    button.style.top = `${y / 10}%`;
    const name = area.name || KINDS[area.kind];
    const told = `${name}, corner ${at + 1} of ${area.corners.length}: ${x / 10} % from the left, ${y / 10} % from the top`;
    button.setAttribute("aria-label", told);
  }

  key(event, area, at) {
    const move = MOVES[event.key];
    if (move) {
      const step = event.shiftKey ? LARGE : STEP;
      area.corners[at] = [bound(area.corners[at][0] + move[0] * step), bound(area.corners[at][1] + move[1] * step)];
      this.settle();
    } else if (event.key === "+" || event.key === "Insert") {
      const now = split(area, at);
      this.changed();
      this.focus(now);
    } else if (event.key === "Delete" || event.key === "-") {
      const now = drop(area, at);
      this.changed();
      this.focus(now);
    } else {
      return;
    }
    event.preventDefault();
  }

  focus(at) {
    this.handles.children[at]?.focus({ preventScroll: true });
  }

  at(event) {
    const box = this.stage.getBoundingClientRect();
    return [bound((1000 * (event.clientX - box.left)) / box.width), bound((1000 * (event.clientY - box.top)) / box.height)];
  }

  drag(event, holder, moved) {
    event.preventDefault();
    holder.setPointerCapture(event.pointerId);
    const move = (next) => {
      moved(this.at(next));
      this.settle();
    };
    const end = () => {
      holder.removeEventListener("pointermove", move);
      holder.removeEventListener("pointerup", end);
      holder.removeEventListener("pointercancel", end);
    };
    holder.addEventListener("pointermove", move);
    holder.addEventListener("pointerup", end);
    holder.addEventListener("pointercancel", end);
  }

  row(area, number) {
    const item = made("li", { className: `draw__row${number === this.chosen ? " draw__row--chosen" : ""}` });
    const choose = made("button", { type: "button", className: `draw__kind draw__kind--${area.kind}`, textContent: KINDS[area.kind] });
    choose.setAttribute("aria-pressed", String(number === this.chosen));
    choose.setAttribute("aria-label", `${KINDS[area.kind]} ${area.name || number + 1}: show its corners`);
    choose.addEventListener("click", () => {
      this.chosen = number;
      this.draw();
      this.focus(0);
    });
    item.append(choose);
    if (area.kind !== "mask") {
      const name = made("input", { type: "text", value: area.name, maxLength: 64, className: "draw__name" });
      name.setAttribute("aria-label", "Name of the area");
      name.addEventListener("input", () => {
        area.name = name.value.replaceAll(":", " ");
        this.settle();
      });
      item.append(name);
    } else {
      item.append(made("span", { className: "dim", textContent: "black before anything looks" }));
    }
    const remove = made("button", { type: "button", className: "plain", textContent: "Remove" });
    remove.setAttribute("aria-label", `Remove ${area.name || "the mask"}`);
    remove.addEventListener("click", () => {
      this.areas.splice(number, 1);
      this.chosen = Math.min(this.chosen, this.areas.length - 1);
      this.changed();
    });
    item.append(remove);
    return item;
  }
}

for (const form of document.querySelectorAll("[data-draw]")) new Drawing(form);

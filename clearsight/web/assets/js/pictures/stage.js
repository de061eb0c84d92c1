// <clear-stage>: the picture being marked, by pointer and by keyboard alike. Two points are set by dragging, by two
// clicks, or by Enter twice; nothing needs a drag but the pen, which the arrow keys draw as well.
//   marking: Marking, image: HTMLImageElement, tool: pin box arrow freehand text crop
//   events: made {number, kind} (a mark), cropped {done}, note (the last mark's note is wanted), undo, redo

import { announceStatus } from "../announcer.js";
import { t } from "../strings.js";
import { drawCrop, drawCrosshair, drawMarks, turned } from "./drawing.js";
import { percent } from "./marks.js";

const SMALL = 0.01;
const LARGE = 0.1;
const SHOWN = 1400; // pixels of the longer side on the screen
const CLICK = 0.012; // a pointer that moved less has clicked
const QUIET_MS = 250; // a position is spoken when the keys rest
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class ClearStage extends HTMLElement {
  #marking = null;
  #image = null;
  #tool = "pin";
  #place = [0.5, 0.5];
  #points = []; // of the mark that is being made
  #pressed = null; // where the pointer went down
  #turned = null;
  #turns = -1;
  #canvas = document.createElement("canvas");
  #timer = 0;

  connectedCallback() {
    this.#canvas.setAttribute("aria-hidden", "true");
    this.append(this.#canvas);
    this.#canvas.addEventListener("pointerdown", (event) => this.#down(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#move(event));
    this.#canvas.addEventListener("pointerup", (event) => this.#up(event));
    this.#canvas.addEventListener("pointercancel", () => this.#leave());
    this.addEventListener("keydown", (event) => this.#key(event));
    for (const kind of ["focus", "blur"]) this.addEventListener(kind, () => this.draw());
    this.draw();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  set marking(marking) {
    this.#marking = marking;
    this.draw();
  }
  set image(image) {
    if (image === this.#image) return;
    this.#image = image;
    this.#turns = -1;
    this.draw();
  }
  set tool(tool) {
    if (tool !== this.#tool) this.#points = [];
    this.#tool = tool;
    this.draw();
  }

  /** Leave a mark that is half made; whether there was one. */
  cancel() {
    const had = this.#points.length > 0;
    this.#points = [];
    this.draw();
    return had;
  }

  draw() {
    if (!this.isConnected || !this.#image || !this.#marking) return;
    const { turns, marks, crop } = this.#marking.state;
    if (turns !== this.#turns) {
      this.#turned = turned(this.#image, turns, SHOWN);
      this.#turns = turns;
    }
    [this.#canvas.width, this.#canvas.height] = [this.#turned.width, this.#turned.height];
    this.#canvas.getContext("2d").drawImage(this.#turned, 0, 0);
    drawMarks(this.#canvas, this.#points.length > 1 ? [...marks, this.#half()] : marks);
    if (this.#marking.isCropped) drawCrop(this.#canvas, crop);
    if (this.matches(":focus-visible") || this.#points.length) drawCrosshair(this.#canvas, this.#place);
  }

  #half() {
    const points = this.#tool === "freehand" ? this.#points : [this.#points[0], this.#points.at(-1)];
    return { kind: this.#tool === "crop" ? "box" : this.#tool, points, note: "" };
  }

  #at(event) {
    const box = this.#canvas.getBoundingClientRect();
    const within = (value) => Math.min(1, Math.max(0, value));
    return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
  }

  #down(event) {
    if (event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#place = this.#pressed = this.#at(event);
    if (this.#tool === "freehand") this.#points = [this.#place];
    else if (!this.#points.length && this.#tool !== "pin" && this.#tool !== "text") this.#points = [this.#place];
    this.draw();
  }

  #move(event) {
    if (!this.#pressed && this.#points.length !== 1 && this.#points.length !== 2) return;
    if (!this.#pressed && this.#tool === "freehand") return;
    this.#place = this.#at(event);
    if (this.#tool === "freehand") this.#points.push(this.#place);
    else if (this.#points.length) this.#points = [this.#points[0], this.#place];
    this.draw();
  }

  #up(event) {
    if (!this.#pressed) return;
    const here = this.#at(event);
    const clicked = Math.hypot(here[0] - this.#pressed[0], here[1] - this.#pressed[1]) < CLICK;
    const began = this.#points.length && this.#points[0] === this.#pressed;
    this.#pressed = null;
    this.#place = here;
    if (this.#tool === "pin" || this.#tool === "text") this.#finish([here]);
    else if (this.#tool === "freehand") {
      if (this.#points.length > 1) this.#finish(this.#points);
    } else if (clicked && began) this.#points = [this.#points[0]]; // the second click sets the second point
    else this.#finish([this.#points[0], here]);
    this.draw();
  }

  #leave() {
    this.#pressed = null;
    this.#points = [];
    this.draw();
  }

  #key(event) {
    const step = STEPS[event.key];
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === "z") this.#tell(event.shiftKey ? "redo" : "undo");
    else if (command && event.key.toLowerCase() === "y") this.#tell("redo");
    else if (command || event.altKey) return;
    else if (step) this.#walk(step, event.shiftKey ? LARGE : SMALL);
    else if (event.key === "Enter") this.#enter();
    else if (event.key.toLowerCase() === "n") this.#tell("note");
    else if (event.key === "Escape" && this.#points.length) this.cancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #walk([dx, dy], by) {
    const stepped = (value, way) => Math.min(1, Math.max(0, Math.round((value + way * by) * 1000) / 1000));
    this.#place = [stepped(this.#place[0], dx), stepped(this.#place[1], dy)];
    if (this.#points.length && this.#tool === "freehand") this.#points.push(this.#place);
    else if (this.#points.length) this.#points = [this.#points[0], this.#place];
    this.draw();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => announceStatus(t.where(...this.#place.map(percent))), QUIET_MS);
  }

  #enter() {
    clearTimeout(this.#timer);
    const here = this.#place;
    if (this.#tool === "pin" || this.#tool === "text") this.#finish([here]);
    else if (!this.#points.length) {
      this.#points = [here];
      announceStatus(t.pointSet(...here.map(percent), t.nextPoint[this.#tool]));
    } else this.#finish(this.#tool === "freehand" ? this.#points : [this.#points[0], here]);
    this.draw();
  }

  #finish(points) {
    const kind = this.#tool;
    this.#points = [];
    if (kind === "crop") this.#tell("cropped", { done: this.#marking.crop(points[0], points.at(-1)) });
    else this.#tell("made", { number: this.#marking.add(kind, points), kind });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

customElements.define("clear-stage", ClearStage);

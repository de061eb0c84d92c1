// What is done to a picture before it is sent: marks, a crop and quarter turns, with undo and redo. Places are shares of
// the turned, uncropped picture's width and height, from its top left.

const MOST_POINTS = 500; // as many as the server takes
const SMALLEST_CROP = 0.03;

/** Marks are {kind, points: [[x, y], ...], note}; their number is their place in the list. */
export class Marking {
  state;
  #done = [];
  #undone = [];

  constructor(state = { marks: [], crop: [0, 0, 1, 1], turns: 0 }) {
    this.state = state;
  }

  get changed() {
    return this.#done.length > 0;
  }
  get canUndo() {
    return this.#done.length > 0;
  }
  get canRedo() {
    return this.#undone.length > 0;
  }
  get isCropped() {
    return this.state.crop.join() !== "0,0,1,1";
  }

  #set(state) {
    this.#done.push(this.state);
    this.#undone = [];
    this.state = state;
  }

  /** Add a mark; its number. */
  add(kind, points, note = "") {
    this.#set({ ...this.state, marks: [...this.state.marks, { kind, points: thinned(points), note }] });
    return this.state.marks.length;
  }

  remove(index) {
    this.#set({ ...this.state, marks: this.state.marks.filter((_, place) => place !== index) });
  }

  /** Notes are not steps of their own: undoing takes back the mark, not a letter. */
  note(index, note) {
    const marks = this.state.marks.map((mark, place) => (place === index ? { ...mark, note } : mark));
    this.state = { ...this.state, marks };
  }

  /** Keep only what lies between two corners; false when that is next to nothing. */
  crop([ax, ay], [bx, by]) {
    const crop = [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
    if (crop[2] - crop[0] < SMALLEST_CROP || crop[3] - crop[1] < SMALLEST_CROP) return false;
    this.#set({ ...this.state, crop });
    return true;
  }

  uncrop() {
    this.#set({ ...this.state, crop: [0, 0, 1, 1] });
  }

  /** A quarter turn, 1 to the right or -1 to the left; marks and crop turn with the picture. */
  rotate(way) {
    const turn = ([x, y]) => (way > 0 ? [1 - y, x] : [y, 1 - x]);
    const [left, top, right, bottom] = this.state.crop;
    const [a, b] = [turn([left, top]), turn([right, bottom])];
    this.#set({
      turns: (this.state.turns + way + 4) % 4,
      marks: this.state.marks.map((mark) => ({ ...mark, points: mark.points.map(turn) })),
      crop: [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])],
    });
  }

  undo() {
    if (!this.canUndo) return false;
    this.#undone.push(this.state);
    this.state = this.#done.pop();
    return true;
  }

  redo() {
    if (!this.canRedo) return false;
    this.#done.push(this.state);
    this.state = this.#undone.pop();
    return true;
  }

  /** The marks as the server takes them: numbered, in shares of the cropped picture; none that lie outside it. */
  get sent() {
    const [left, top, right, bottom] = this.state.crop;
    const within = ([x, y]) => x >= left && x <= right && y >= top && y <= bottom;
    const moved = ([x, y]) => [share((x - left) / (right - left)), share((y - top) / (bottom - top))];
    return this.state.marks
      .map((mark, index) => ({ ...mark, number: index + 1 }))
      .filter((mark) => mark.points.some(within))
      .map(({ kind, number, points, note }) => ({ kind, number, points: points.map(moved), note: note.trim() }));
  }
}

const share = (value) => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;

/** No more points than the server takes, evenly left out. */
function thinned(points) {
  if (points.length <= MOST_POINTS) return points;
  return Array.from({ length: MOST_POINTS }, (_, place) => points[Math.round((place * (points.length - 1)) / (MOST_POINTS - 1))]);
}

/** The whole percent of a share. */
export const percent = (value) => Math.round(100 * value);

// The page is drawn once a frame, however often the store changes in between; what needs the new page waits for that.

let draw = () => {};
let waiting = false;
const after = [];

/** What draws the page. */
export function drawWith(run) {
  draw = run;
}

/** Draw with the next frame. */
export function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
    for (const run of after.splice(0)) run();
  });
}

/** Do something, such as moving focus, as soon as the page shows what the store says now. */
export function afterDraw(run) {
  after.push(run);
  redraw();
}

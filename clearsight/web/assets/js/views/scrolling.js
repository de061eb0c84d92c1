// Following an answer as it grows, but only until whoever reads scrolls up; then nothing moves until they are at the
// end again.

const NEAR = 80; // pixels
let end = true;
let top = 0;
let shown = null; // id of the conversation whose turns are shown
let watched = null;

const area = () => document.querySelector("#main > .scroll");
const growth = new ResizeObserver(() => end && toEnd());

export const atEnd = () => end;

export function scrolled(app, event) {
  const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
  const near = scrollHeight - scrollTop - clientHeight < NEAR;
  const up = scrollTop < top - 2;
  top = scrollTop;
  const now = near || (end && !up);
  if (now === end) return;
  end = now;
  app.change();
}

export function toEnd() {
  const here = area();
  here?.scrollTo({ top: here.scrollHeight });
}

/** After a drawing: begin at the end of a conversation that was just opened, and at the top of an empty one. */
export function syncScrolling(app) {
  const turns = document.querySelector(".turns");
  if (turns !== watched) {
    growth.disconnect();
    if (turns) growth.observe(turns);
    watched = turns;
  }
  const id = app.conversation?.id ?? null;
  if (id === shown && !app.sending) return;
  shown = id;
  end = true;
  if (turns) toEnd();
  else area()?.scrollTo({ top: 0 });
}

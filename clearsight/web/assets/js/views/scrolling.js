// Following an answer as it grows, but only while whoever reads is at the end of it.

const NEAR = 80; // pixels
let end = true;

const area = () => document.querySelector("main.scroll");

export const atEnd = () => end;

export function scrolled(app, event) {
  const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
  const now = scrollHeight - scrollTop - clientHeight < NEAR;
  if (now === end) return;
  end = now;
  app.change();
}

export function toEnd() {
  const here = area();
  here?.scrollTo({ top: here.scrollHeight });
}

/** After this drawing, stay at the end if that is where we were. */
export function keepAtEnd(app) {
  if (!app.messages.length || (!end && !app.sending)) return;
  requestAnimationFrame(() => {
    if (end || app.sending) toEnd();
  });
}

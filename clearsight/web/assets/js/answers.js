// Receiving one answer: every word once, whatever happens to the connection. Places in the text are counted by the
// server in characters of Unicode, not in UTF-16 units.

import * as api from "./api.js";

const WAIT_MS = [500, 1000, 2000, 4000, 8000];

/** The text of an answer so far, put together from pieces that may overlap. */
export class AnswerText {
  constructor(text = "") {
    this.text = text;
    this.length = [...text].length;
  }

  /** Add what begins at character `at`; what is known already is skipped. Raises RangeError when something is missing. */
  add(at, piece) {
    if (at > this.length) throw new RangeError(`text from ${this.length} to ${at} is missing`);
    const characters = [...piece];
    const fresh = at < this.length ? characters.slice(this.length - at) : characters;
    this.text += fresh.join("");
    this.length += fresh.length;
  }
}

/**
 * Follow an answer to its end and return its finished message. `first` is a stream of events that is already open, or
 * null. `heard` is called with the whole text after each piece, `broken` when the connection is lost or back again.
 * Raises ApiError when the server says that there is no such answer, AbortError when `signal` says so.
 */
export async function follow(message, first, { signal, heard, broken }) {
  const text = new AnswerText(plainText(message));
  let stream = first;
  let failures = 0;
  for (;;) {
    try {
      stream ??= api.listen(message.conversation_id, message.id, text.length, signal);
      for await (const event of stream) {
        if (failures) broken(false);
        failures = 0;
        if (event.type === "delta") {
          text.add(event.at, event.text);
          heard(text.text);
        } else if (event.type === "done") return event.message;
      }
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted) throw error;
      if (error instanceof api.ApiError && [401, 403, 404].includes(error.status)) throw error;
    }
    stream = null;
    failures += 1;
    broken(true);
    await pause(WAIT_MS[Math.min(failures, WAIT_MS.length) - 1], signal);
  }
}

/** The text of a message's parts. */
export function plainText(message) {
  return message.content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Wait, but not longer than until the network is back. */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      signal.removeEventListener("abort", stop);
      resolve();
    };
    const stop = () => {
      end();
      reject(new DOMException("", "AbortError"));
    };
    const timer = setTimeout(end, milliseconds);
    window.addEventListener("online", end);
    signal.addEventListener("abort", stop);
  });
}

// What was typed and not yet sent, by conversation; it survives closing the page.

const PREFIX = "clearsight.draft.";

export function readDraft(conversationId) {
  try {
    return localStorage.getItem(PREFIX + (conversationId ?? "new")) ?? "";
  } catch {
    return "";
  }
}

export function keepDraft(conversationId, text) {
  const key = PREFIX + (conversationId ?? "new");
  try {
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
  } catch {
    // full, or not allowed: the text is still in the box
  }
}

/** On logging out nothing that was typed stays in this browser. */
export function forgetDrafts() {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  } catch {
    // nothing is kept anyway
  }
}

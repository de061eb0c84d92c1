// What can be done to a whole conversation, as items of a menu.

import { get } from "../api.js";
import { asMarkdown } from "../export.js";
import { t } from "../strings.js";

export function conversationItems(app, one, { settings = false } = {}) {
  const dialog = (kind) => () => app.showDialog({ kind, conversation: one });
  return [
    settings ? { icon: "settings", label: t.conversationSettings, run: dialog("conversation") } : null,
    { icon: "edit", label: t.rename, run: dialog("rename") },
    { icon: "pin", label: one.pinned ? t.unpin : t.pin, run: () => app.library.change(one.id, { pinned: !one.pinned }) },
    { icon: "share", label: t.share, run: dialog("share") },
    { icon: "download", label: t.exportMarkdown, run: () => download(app, one.id, "md") },
    { icon: "download", label: t.exportJson, run: () => download(app, one.id, "json") },
    { icon: "delete", label: t.remove, kind: "danger", run: dialog("delete") },
  ];
}

/** Save a conversation as a file: what is shown of it as Markdown, or all branches as JSON. */
async function download(app, id, kind) {
  try {
    const whole = await get(`/v1/conversations/${id}`);
    const text = kind === "md" ? await asMarkdown(whole) : JSON.stringify(whole, null, 2);
    save(`${fileName(whole.title)}.${kind}`, text, kind === "md" ? "text/markdown" : "application/json");
  } catch (error) {
    app.fail(error);
  }
}

export function save(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const fileName = (title) => (title || t.untitled).replace(/[^\p{L}\p{N} _-]+/gu, "").trim().slice(0, 60) || "conversation";

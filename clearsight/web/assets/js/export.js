// A conversation as Markdown: the newest way through its branches, pictures as their words.

import { alternative } from "./alternatives.js";
import { path } from "./branches.js";
import { t } from "./strings.js";

export async function asMarkdown({ title, messages }) {
  const all = new Map(messages.map((message) => [message.id, message]));
  const parts = [`# ${title || t.untitled}`];
  for (const message of path(all, new Map())) {
    parts.push(`## ${message.role === "user" ? t.youSaid : t.clearsightSaid}`);
    for (const part of message.content) {
      if (part.type === "text") parts.push(part.text);
      else parts.push(`![${(await alternative(part.sha256)) || t.picture}](sha256:${part.sha256})`);
    }
  }
  return `${parts.join("\n\n")}\n`;
}

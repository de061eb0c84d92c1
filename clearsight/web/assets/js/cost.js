// What a turn will cost, before it is sent: what the last answer had read and written, the new text, and each picture.
// A picture's tokens follow from its size alone, so a blank one of the same size is counted instead of sending it twice.

import * as api from "./api.js";

const WAIT_MS = 400;
const MOST_PIXELS = 4_000_000; // above that every picture is cut into the same number of tiles as one of this size
const ofText = { key: "", tokens: 0, context: 0 };
const ofPicture = new Map(); // "width x height model" -> tokens
let timer = 0;
const uncounted = new Set(); // models of servers that can't count

/** {total, pictures, context} in tokens, as far as it is known now; asks for what isn't. */
export function cost(app) {
  const { model, system } = app.effective;
  const before = app.messages.findLast((message) => message.details?.usage)?.details.usage.total_tokens ?? 0;
  const wanted = app.attachments.filter((one) => one.state === "ready");
  const text = app.draft.trim();
  if (uncounted.has(model) || !model || (!text && !wanted.length)) return { total: 0, pictures: 0, context: 0 };
  const key = JSON.stringify([model, before ? "" : system, text]);
  const sizes = wanted.map((one) => `${one.width}x${one.height} ${model}`);
  if (key !== ofText.key || sizes.some((size) => !ofPicture.has(size))) {
    clearTimeout(timer);
    timer = setTimeout(() => count(app, key, model, before ? "" : system, text, wanted), WAIT_MS);
  }
  const pictures = sizes.reduce((sum, size) => sum + (ofPicture.get(size) ?? 0), 0);
  return { total: before + ofText.tokens + pictures, pictures, context: ofText.context };
}

async function count(app, key, model, system, text, wanted) {
  const start = system ? [{ role: "system", content: system }] : [];
  const ask = (content) => api.post("/v1/tokens/count", { model, messages: [...start, { role: "user", content }] });
  try {
    const found = await ask(text || " ");
    Object.assign(ofText, { key, tokens: found.prompt_tokens, context: found.context_length });
    for (const one of wanted) {
      const size = `${one.width}x${one.height} ${model}`;
      if (ofPicture.has(size)) continue;
      const url = await blank(one.width, one.height);
      const { pictures } = await ask([{ type: "image_url", image_url: { url } }]);
      ofPicture.set(size, pictures[0].prompt_tokens);
    }
  } catch (error) {
    if (error.status === 400) uncounted.add(model);
    return; // a cost that isn't known isn't shown
  }
  app.change();
}

async function blank(width, height) {
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  canvas.getContext("2d");
  const blob = await canvas.convertToBlob({ type: "image/png" });
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  });
}

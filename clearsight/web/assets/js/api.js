// Talking to the server: JSON, uploads, and streams of events. A session is a cookie that scripts can't read; what
// changes something also carries the token that GET /v1/session gives.

let csrfToken = "";

/** What the server refused, in its own words. `status` is 0 when it could not be reached. */
export class ApiError extends Error {
  constructor(status, message, code = null, retryAfter = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** Fetch an address of the server; the response when it is a good one. Raises ApiError. */
export async function request(method, path, { body, signal, headers = {} } = {}) {
  const options = { method, signal, headers: { ...headers }, credentials: "same-origin" };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["content-type"] = "application/json";
  }
  if (method !== "GET" && csrfToken) options.headers["x-csrf-token"] = csrfToken;
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "");
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  const after = Number(response.headers.get("retry-after"));
  throw new ApiError(response.status, told.error?.message ?? "", told.error?.code ?? null, after || null);
}

const json = async (method, path, body) => (await request(method, path, { body })).json();
export const get = (path, signal) => request("GET", path, { signal }).then((response) => response.json());
export const post = (path, body = {}) => json("POST", path, body);
export const patch = (path, body) => json("PATCH", path, body);
export const put = (path, body) => json("PUT", path, body);
export const remove = (path) => json("DELETE", path);

/** Who is logged in; keeps the token for later changes. Raises ApiError 401 for nobody. */
export async function openSession() {
  const session = await get("/v1/session");
  csrfToken = session.csrf_token ?? "";
  return session;
}

/** Upload one picture; what the server knows about it: sha256, width, height, alt, warnings. */
export async function uploadImage(file) {
  const form = new FormData();
  form.append("file", file, file.name || "picture");
  return (await request("POST", "/v1/images", { body: form })).json();
}

/** Where a stored picture is, and what is known about it. */
export const imageUrl = (sha256) => `/v1/images/${sha256}`;
export const aboutUrl = (sha256) => `/v1/images/${sha256}/about`;

/**
 * The events of a text/event-stream as parsed JSON, by the rules of the HTML standard: lines end in CR, LF or both,
 * may be cut anywhere between chunks, and characters may be cut too. Comments are left out.
 */
export async function* events(response) {
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let rest = "";
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "" && data.length) {
          const whole = data.join("\n");
          data = [];
          if (whole !== "[DONE]") yield JSON.parse(whole);
        } else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
      }
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Ask, or ask again: events message, answer, delta, done. */
export async function* ask(conversationId, body, signal) {
  yield* events(await request("POST", `/v1/conversations/${conversationId}/answers`, { body, signal }));
}

/** Listen to an answer from its character `at` on. */
export async function* listen(conversationId, messageId, at, signal) {
  const path = `/v1/conversations/${conversationId}/messages/${messageId}/events?at=${at}`;
  yield* events(await request("GET", path, { signal }));
}

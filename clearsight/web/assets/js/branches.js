// A conversation is a tree: an edited turn or another answer is a sister of the one before. What is shown is one way
// through it, and by default the newest.

/** The turns below a parent (null for the first ones), in the order they were written. */
export function children(all, parentId) {
  return [...all.values()]
    .filter((message) => (message.parent_id ?? null) === parentId)
    .sort((a, b) => a.sequence - b.sequence);
}

/** The turns that are shown. `chosen` maps a parent's id ("" for none) to the child that was picked. */
export function path(all, chosen) {
  const below = new Map();
  for (const message of [...all.values()].sort((a, b) => a.sequence - b.sequence)) {
    const parent = message.parent_id ?? "";
    if (!below.has(parent)) below.set(parent, []);
    below.get(parent).push(message);
  }
  const shown = [];
  let parent = "";
  while (below.has(parent)) {
    const sisters = below.get(parent);
    const picked = sisters.find((message) => message.id === chosen.get(parent)) ?? sisters.at(-1);
    shown.push(picked);
    parent = picked.id;
  }
  return shown;
}

/** Which of its sisters a turn is: {ids, index}. */
export function sisters(all, message) {
  const ids = children(all, message.parent_id ?? null).map((one) => one.id);
  return { ids, index: ids.indexOf(message.id) };
}

/** Pick the way that leads to a turn. */
export function choose(all, chosen, messageId) {
  for (let here = all.get(messageId); here; here = all.get(here.parent_id)) {
    chosen.set(here.parent_id ?? "", here.id);
  }
}

// Runs before the first paint, so that a chosen theme does not flash in late. Kept apart because it may not be a module.
try {
  const kept = JSON.parse(localStorage.getItem("clearsight.preferences") ?? "{}");
  if (typeof kept.theme === "string") document.documentElement.dataset.theme = kept.theme;
} catch {
  // a browser that keeps nothing gets the system's theme
}

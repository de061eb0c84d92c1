// Formulas by KaTeX, which is only fetched when the first one appears. Until then, and where one can't be read, its
// source is shown as code. KaTeX builds nodes here, not text: inline style attributes are forbidden on this page.

let loading = null;

function load() {
  loading ??= new Promise((resolve, reject) => {
    const base = new URL("../vendor/katex/", import.meta.url);
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = new URL("katex.min.css", base).href;
    document.head.append(sheet);
    import(new URL("katex.min.js", base).href).then(() => resolve(globalThis.katex), reject);
  });
  return loading;
}

/** Turn the formulas below a node into mathematics; MathML carries them to screen readers. */
export async function typeset(node) {
  let katex;
  try {
    katex = await load();
  } catch {
    loading = null; // offline: tried again with the next formula
    return;
  }
  for (const source of node.querySelectorAll("code.formula")) {
    const display = source.classList.contains("display");
    const drawn = document.createElement(display ? "div" : "span");
    drawn.className = display ? "formula-drawn display" : "formula-drawn";
    try {
      katex.render(source.textContent, drawn, {
        displayMode: display,
        output: "htmlAndMathml",
        throwOnError: true,
        trust: false,
        strict: "ignore",
        maxSize: 20,
        maxExpand: 200,
      });
    } catch {
      continue;
    }
    source.replaceWith(drawn);
  }
}

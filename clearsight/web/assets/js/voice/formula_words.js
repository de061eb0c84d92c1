// A formula of TeX as words: what is common in answers, not all of mathematics. An unknown command is said by its name.

const NAMES = {
  times: "times", cdot: "times", div: "divided by", pm: "plus or minus", mp: "minus or plus", neq: "is not", ne: "is not",
  leq: "is at most", le: "is at most", geq: "is at least", ge: "is at least", approx: "is about", equiv: "is equivalent to",
  sim: "is similar to", propto: "is proportional to", infty: "infinity", to: "to", rightarrow: "to", Rightarrow: "implies",
  in: "in", notin: "not in", subset: "subset of", cup: "union", cap: "intersection", forall: "for all", exists: "there is",
  sum: "the sum", prod: "the product", int: "the integral", partial: "partial", nabla: "nabla", degree: "degrees",
  circ: "degrees", angle: "angle", ldots: "and so on", dots: "and so on", cdots: "and so on", percent: "percent",
};
const SIGNS = { "+": "plus", "-": "minus", "−": "minus", "=": "equals", "*": "times", "/": "over", "<": "is less than", ">": "is greater than", "%": "percent", "!": "factorial", "^": "to the power", _: "sub", "~": "", "&": "" };
const SILENT = new Set(
  "left right big Big bigg Bigg displaystyle textstyle quad qquad begin end limits mathrm mathbf mathit text textbf operatorname mathbb mathcal vec hat bar overline".split(" "),
);
const TOKEN = /\\([A-Za-z]+)\*?|\\(.)|[0-9]+(?:[.,][0-9]+)*|[A-Za-z]+|[^\s]/gu;
const DEEPEST = 20;

/** The words of a formula. */
export function formulaWords(tex) {
  const tokens = [...tex.slice(0, 2000).matchAll(TOKEN)].map((found) => found[0]);
  const said = [];
  while (tokens.length) said.push(next(tokens, 0));
  return said.filter(Boolean).join(" ");
}

/** What the next unit of the formula is called; takes it off the front. */
function next(tokens, depth) {
  const token = tokens.shift();
  if (token === undefined || depth > DEEPEST) return "";
  if (token === "{") return group(tokens, depth);
  if (token === "^") return power(next(tokens, depth + 1));
  if (token === "_") return `sub ${next(tokens, depth + 1)}`;
  if (!token.startsWith("\\")) return /^[{}()[\],|]$/.test(token) ? "" : (SIGNS[token] ?? token);
  const name = token.slice(1).replace("*", "");
  if (/^[dt]?frac$/.test(name)) return `${next(tokens, depth + 1)} over ${next(tokens, depth + 1)}`;
  if (name === "sqrt") return root(tokens, depth);
  if (name === "begin" || name === "end") return next(tokens, depth + 1) && "";
  if (SILENT.has(name) || /^[\\,;:!{}\s]$/.test(name)) return "";
  return NAMES[name] ?? SIGNS[name] ?? name;
}

function group(tokens, depth) {
  const said = [];
  while (tokens.length && tokens[0] !== "}") said.push(next(tokens, depth + 1));
  tokens.shift();
  return said.filter(Boolean).join(" ");
}

function root(tokens, depth) {
  let degree = "";
  if (tokens[0] === "[") {
    const end = tokens.indexOf("]");
    degree = tokens.splice(0, end + 1).slice(1, -1).join(" ");
  }
  const name = { "": "the square root of", 2: "the square root of", 3: "the cube root of" }[degree] ?? `the root ${degree} of`;
  return `${name} ${next(tokens, depth + 1)}`;
}

const power = (said) => ({ 2: "squared", 3: "cubed", degrees: "degrees", circ: "degrees" })[said] ?? `to the power ${said}`;

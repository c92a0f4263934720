// What is shown, and who is looked at: the other scripts of the page build on it.

const D = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const isNothing = v => v === null || v === undefined || v === "";

// Rows are candidates at a resource; `c` is the place of a candidate in all lists.
const MAIN = Math.max(0, D.metrics.indexOf(D.metric));
const rows = D.rows.map(([c, resource, nRun, seconds, flags], i) => ({
  i, c, resource, nRun, seconds,
  failed: Boolean(flags & 1),
  stopped: Boolean(flags & 2),
  score: D.scores.length && !(flags & 1) ? D.scores[MAIN][i] : null,
  std: D.stds.length ? D.stds[MAIN][i] : null,
  rank: null,
  isLast: false,
}));
const hasRungs = rows.some(row => row.resource !== null);
const resourceName = D.resource || "n_resources";

// Of each candidate the row to show: the one that is ranked first, or else its last.
const lastOf = [];
for (const row of rows) lastOf[row.c] = row;
const ranked = new Set();
for (const i of D.ranked) {
  if (ranked.has(rows[i].c)) continue;
  ranked.add(rows[i].c);
  rows[i].rank = ranked.size;
  lastOf[rows[i].c] = rows[i];
}
for (const row of lastOf) row.isLast = true;
const nTop = Math.ceil(ranked.size / 10);
function kindOf(c) {
  const rank = lastOf[c].rank;
  return rank === 1 ? "best" : rank !== null && rank <= nTop ? "top" : "";
}

// What a candidate has of a param: a number, a word, or null where it has none.
function valueOf(param, c) {
  const value = param.values[c];
  return param.words && value !== null ? param.words[value] : value;
}

function extent(values) {
  let low = Infinity, high = -Infinity;
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return [low, high];
}
// Four digits, and no more letters than it takes.
function format(value) {
  if (isNothing(value)) return "";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  if (size < 1e6 && Number.isInteger(value)) return String(value);
  if (size >= 1e-3 && size < 1e5) return String(Number(value.toPrecision(4)));
  const [digits, power] = value.toExponential(3).split("e");
  return `${Number(digits)}e${Number(power)}`;
}
// The same decimals for all of a column, as many as tell its numbers apart.
function formatOf(values) {
  const there = values.filter(v => v !== null);
  const size = there.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  if (size >= 1e6 || (size && size < 1e-3)) return format;
  const [low, high] = extent(there);
  const n = 3 - Math.floor(Math.log10(high - low || size || 1));
  const decimals = Math.min(6, Math.max(0, n));
  return v => (v === null ? "" : v.toFixed(decimals));
}
const formatScore = formatOf(rows.map(row => row.score));

function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  node.append(...children);
  return node;
}

// A candidate is looked at while it is pointed at or has the focus, and stays so when
// it was clicked on. Whoever shows candidates is told.
const watchers = [];
let looked = null, pinned = null;
function lookAt(c) {
  const now = c === null ? pinned : c;
  if (now === looked) return;
  looked = now;
  for (const watch of watchers) watch(now);
}
function pin(c) {
  pinned = c;
  lookAt(c);
}

const tip = $("tip");
function tellOf(c, x, y) {
  const row = lastOf[c], spread = row.nRun > 1 ? ` ± ${format(row.std)}` : "";
  const score = row.score === null ? "" : formatScore(row.score) + spread;
  const told = [[D.metric, row.failed ? "failed" : score]];
  if (row.resource !== null) told.push([resourceName, format(row.resource)]);
  const params = D.params.filter(param => param.values[c] !== null);
  for (const param of params.slice(0, 12)) {
    told.push([param.short, format(valueOf(param, c))]);
  }
  if (params.length > 12) told.push(["", `and ${params.length - 12} more`]);
  const title = [`Candidate ${D.candidates[c]}`];
  if (row.rank) title.push(`rank ${row.rank}`);
  if (row.stopped) title.push("stopped early");
  const list = make("dl");
  for (const [name, value] of told) {
    list.append(make("dt", {}, name), make("dd", {}, value));
  }
  tip.replaceChildren(make("b", {}, title.join(", ")), list);
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + 16 + width < innerWidth ? x + 16 : x - 16 - width;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.max(8, Math.min(y + 16, innerHeight - height - 8))}px`;
}
function lookAway() {
  tip.hidden = true;
  lookAt(null);
}
function letGo() {
  pinned = null;
  lookAway();
}
document.addEventListener("keydown", event => {
  if (event.key === "Escape") letGo();
});
document.addEventListener("pointerdown", event => {
  if (!event.target.closest("svg.picture, #table")) letGo();
});

// The table of candidates: sorted by what is clicked, filtered by what is typed.

const FIRST = 100; // rows that are shown before more are asked for

function columnsOf() {
  const longest = Math.max(0, ...rows.map(row => row.seconds || 0));
  const decimals = Math.min(4, Math.max(0, 2 - Math.floor(Math.log10(longest || 1))));
  const stdOf = row => (row.score === null ? null : row.std);
  const statusOf = row => (row.failed ? "failed" : row.stopped ? "stopped" : "ok");
  // {name, get}, whether large numbers come first, and how they are written; columns of
  // one name, such as a param "score", differ by their key
  const columns = [
    { name: "rank", get: row => row.rank },
    { name: "candidate", get: row => D.candidates[row.c] },
    { name: D.metric, get: row => row.score, isDown: true, text: formatScore },
    { name: "± std", get: stdOf, text: formatScore },
    { name: resourceName, get: row => row.resource, isDown: true },
    ...D.params.map(param => ({
      name: param.short, title: param.name, key: `param_${param.name}`,
      get: row => valueOf(param, row.c),
    })),
    ...D.metrics.map((name, k) => ({
      name, key: `test_${name}`, get: row => D.scores[k][row.i], isDown: true,
      text: formatOf(D.scores[k]),
    })).filter((_, k) => k !== MAIN),
  ];
  if (rows.some(row => row.nRun !== D.n_splits)) {
    columns.push({ name: "splits", get: row => row.nRun, isDown: true });
  }
  const toText = v => (v === null ? "" : v.toFixed(decimals));
  columns.push({ name: "fit time, s", get: row => row.seconds, text: toText });
  if (rows.some(row => row.failed || row.stopped)) {
    columns.push({ name: "status", get: statusOf });
  }
  const there = columns.filter(column => rows.some(row => !isNothing(column.get(row))));
  for (const column of there) {
    column.text ||= format;
    column.key ||= column.name;
    column.isNumber = rows.some(row => typeof column.get(row) === "number");
  }
  return there;
}
const columns = columnsOf();
const textOf = (column, row) => column.text(column.get(row));

// What the reader has set. It is kept once, for a page that renews itself.
const state = { key: "rank", isDown: false, filter: "", allRungs: false, showAll: false };
const KEY = `sktune ${location.pathname}`;
const folded = [...document.querySelectorAll("details")];
function remember() {
  const open = folded.map(one => one.open);
  const told = { ...state, open, pinned: pinned === null ? null : D.candidates[pinned] };
  try { sessionStorage.setItem(KEY, JSON.stringify(told)); } catch { /* not everywhere */ }
}
function recall() {
  try {
    const told = JSON.parse(sessionStorage.getItem(KEY)) || {};
    sessionStorage.removeItem(KEY);
    return told;
  } catch { return {}; }
}
const before = recall();
for (const key in state) if (key in before) state[key] = before[key];
folded.forEach((one, k) => { if (before.open) one.open = Boolean(before.open[k]); });
if (D.candidates.includes(before.pinned)) pin(D.candidates.indexOf(before.pinned));

// Words that a row has to hold, and comparisons such as lr<0.01.
const SIGNS = {
  "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
};
const lowered = rows.map(row =>
  columns.map(column => textOf(column, row)).join("\n").toLowerCase()
);
function testOf(word) {
  const [, name, sign, limit] = word.match(/^([^<>=]+)(<=|>=|<|>|=)(.+)$/) || [];
  const column = columns.find(one =>
    [one.name, one.title || one.name].some(own => own.toLowerCase() === name)
  );
  if (!column) return row => lowered[row.i].includes(word);
  return row => {
    const own = column.get(row);
    if (isNothing(own)) return false;
    if (sign === "=") return String(own).toLowerCase() === limit || own === Number(limit);
    return typeof own === "number" && SIGNS[sign](own, Number(limit));
  };
}
function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}
function chosen() {
  const column = columns.find(one => one.key === state.key) || columns[0];
  const tests = state.filter.toLowerCase().split(/\s+/).filter(Boolean).map(testOf);
  const those = rows.filter(
    row => (state.allRungs || row.isLast) && tests.every(test => test(row))
  );
  return those.sort((a, b) => {
    const u = column.get(a), v = column.get(b);
    if (isNothing(u) || isNothing(v)) return isNothing(u) - isNothing(v) || a.i - b.i;
    return (state.isDown ? -1 : 1) * compare(u, v) || a.i - b.i;
  });
}

const table = $("table"), head = table.tHead.insertRow(), body = table.tBodies[0];
const rowOf = new WeakMap(), lineOf = new Map();
function lineFor(row) {
  if (lineOf.has(row)) return lineOf.get(row);
  const line = make("tr");
  line.classList.toggle("failed", row.failed);
  line.classList.toggle("best", row.rank === 1);
  for (const column of columns) {
    const text = textOf(column, row), cell = line.insertCell();
    cell.textContent = text;
    cell.classList.toggle("n", column.isNumber);
    cell.classList.toggle("status", column.name === "status" && text !== "ok");
    if (text.length > 24) cell.title = text;
  }
  lineOf.set(row, line);
  rowOf.set(line, row);
  return line;
}
function update() {
  const those = chosen(), all = state.allRungs ? rows.length : lastOf.length;
  const first = state.showAll ? those : those.slice(0, FIRST);
  body.replaceChildren(...first.map(lineFor));
  [...body.rows].forEach((line, k) => { line.tabIndex = k ? -1 : 0; });
  [...head.cells].forEach((cell, k) => {
    const isSorted = columns[k].key === state.key;
    const order = !isSorted ? "none" : state.isDown ? "descending" : "ascending";
    cell.setAttribute("aria-sort", order);
  });
  const what = state.allRungs ? "rows" : all === 1 ? "candidate" : "candidates";
  $("found").textContent = those.length === all ? `${all} ${what}` : `${those.length} of ${all}`;
  $("more").hidden = first.length === those.length;
  $("more").textContent = `Show all ${those.length}`;
  showLines(looked);
}
function showLines(c) {
  for (const line of body.rows) line.classList.toggle("hot", rowOf.get(line).c === c);
}
watchers.push(showLines);

function addColumns() {
  if (!columns.some(one => one.key === state.key)) state.key = columns[0].key;
  for (const column of columns) {
    const button = make("button", { type: "button" }, column.name);
    if (column.title && column.title !== column.name) button.title = column.title;
    const cell = make("th", { scope: "col", class: column.isNumber ? "n" : "" }, button);
    head.append(cell);
    button.addEventListener("click", () => {
      const isAgain = state.key === column.key;
      state.isDown = isAgain ? !state.isDown : Boolean(column.isDown);
      state.key = column.key;
      update();
    });
  }
}
function addTools() {
  const filter = $("filter");
  const param = D.params.find(one => one.values.some(v => typeof v === "number" && !one.words));
  const value = param && param.values.find(v => typeof v === "number");
  filter.placeholder = param ? `words, or ${param.short}<${format(value)}` : "words";
  filter.value = state.filter;
  filter.addEventListener("input", () => { state.filter = filter.value; update(); });
  $("all-rungs").hidden = rows.length === lastOf.length;
  $("rungs").checked = state.allRungs;
  $("rungs").addEventListener("change", () => { state.allRungs = $("rungs").checked; update(); });
  $("more").addEventListener("click", () => { state.showAll = true; update(); });
}
function addLooking() {
  const under = event => rowOf.get(event.target.closest("tr"));
  const look = event => { if (under(event)) lookAt(under(event).c); };
  body.addEventListener("pointerover", look);
  body.addEventListener("focusin", look);
  body.addEventListener("pointerleave", () => lookAt(null));
  body.addEventListener("focusout", () => lookAt(null));
  body.addEventListener("click", event => {
    if (under(event)) pin(under(event).c === pinned ? null : under(event).c);
  });
  body.addEventListener("keydown", event => {
    const line = event.target.closest("tr");
    const other = {
      ArrowDown: line && line.nextElementSibling,
      ArrowUp: line && line.previousElementSibling,
    }[event.key];
    if (!other) return;
    event.preventDefault();
    line.tabIndex = -1;
    other.tabIndex = 0;
    other.focus();
  });
}
if (rows.length) {
  $("candidates").hidden = false;
  addColumns();
  addTools();
  addLooking();
  update();
}

// A page that follows a search renews itself, but not while somebody looks at a
// candidate or types.
if (D.reload) {
  setInterval(() => {
    const isTyping = document.activeElement === $("filter");
    if (isTyping || looked !== pinned || !tip.hidden) return;
    remember();
    location.reload();
  }, 1000 * D.reload);
}

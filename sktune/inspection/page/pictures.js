// A picture: where candidates are in it, and how it answers to pointer and keys.

const SVG = "http://www.w3.org/2000/svg";
const LETTER = 6.2; // pixels, about
const NEAR = 20; // pixels from the pointer

function draw(parent, name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}
function shorten(text, width) {
  const n = Math.max(2, Math.floor(width / LETTER));
  return text.length > n ? `${text.slice(0, n - 1)}…` : text;
}
const tenth = v => Math.round(v * 10) / 10;
// A line along points; of one point a dot, by its round ends.
function trace(points) {
  const line = points.map(([x, y]) => `${tenth(x)} ${tenth(y)}`).join("L");
  return `M${line}${points.length > 1 ? "" : "h0"}`;
}
function distance(x, y, points) {
  let least = Infinity;
  points.forEach(([bx, by], k) => {
    const [ax, ay] = points[Math.max(0, k - 1)], dx = bx - ax, dy = by - ay;
    const long = dx * dx + dy * dy;
    const part = long ? ((x - ax) * dx + (y - ay) * dy) / long : 0;
    const t = Math.min(1, Math.max(0, part));
    least = Math.min(least, Math.hypot(x - ax - t * dx, y - ay - t * dy));
  });
  return least;
}

// `paint(svg, width, height)` gives the marks: {c, points, spread, edge}, of a dot one
// point, its standard deviation in pixels, and why it is at the edge.
const pictures = [];
function addPicture(parent, title, note, height, paint, least = 0) {
  const caption = make("figcaption", { title }, title);
  if (note) caption.append(" ", make("small", {}, note));
  const holder = make("div", least ? { class: "across" } : {});
  parent.append(make("figure", {}, caption, holder));
  const picture = { title, holder, height, paint, least, marks: [], layer: null };
  pictures.push(picture);
}
function redraw(picture) {
  const { title, holder, height, paint, least } = picture;
  const width = Math.max(least, Math.floor(holder.clientWidth));
  const keys = "Arrow keys go from candidate to candidate, Home to the best.";
  holder.replaceChildren();
  const svg = draw(holder, "svg", {
    class: "picture", width, height, viewBox: `0 0 ${width} ${height}`,
    tabindex: 0, role: "group", "aria-label": `${title}. ${keys}`,
  });
  picture.marks = paint(svg, width, height);
  picture.layer = draw(svg, "g", { class: "hot" });
  listen(svg, picture);
  show(picture, looked);
}
function show({ layer, marks }, c) {
  if (!layer) return;
  layer.replaceChildren();
  for (const { points, spread } of marks.filter(mark => mark.c === c)) {
    const kind = points.length > 1 ? "lines" : "dots";
    draw(layer, "path", { class: kind, d: trace(points) });
    if (!spread) continue;
    const [x, y] = points[0];
    draw(layer, "path", { class: "spread", d: `M${x} ${y - spread}v${2 * spread}` });
  }
}
watchers.push(c => pictures.forEach(picture => show(picture, c)));

function listen(svg, picture) {
  const under = event => {
    const { left, top } = svg.getBoundingClientRect();
    let found = null, least = NEAR;
    for (const { c, points } of picture.marks) {
      const far = distance(event.clientX - left, event.clientY - top, points);
      if (far < least) [least, found] = [far, c];
    }
    return found;
  };
  const look = event => {
    const c = under(event);
    if (c === null) return lookAway();
    lookAt(c);
    tellOf(c, event.clientX, event.clientY);
  };
  svg.addEventListener("pointermove", look);
  svg.addEventListener("pointerdown", event => {
    const c = under(event);
    pin(c === pinned ? null : c);
    look(event);
  });
  svg.addEventListener("pointerleave", lookAway);
  svg.addEventListener("blur", lookAway);
  svg.addEventListener("keydown", event => {
    const c = next(picture.marks, event.key);
    if (c === undefined) return;
    event.preventDefault();
    lookAt(c);
    const { left, top } = svg.getBoundingClientRect();
    const [x, y] = picture.marks.find(mark => mark.c === c).points[0];
    tellOf(c, left + x, top + y);
  });
}
// The candidate that a key leads to, from left to right.
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
function next(marks, key) {
  const across = marks.slice().sort((a, b) => a.points[0][0] - b.points[0][0]);
  const order = [...new Set(across.map(mark => mark.c))];
  if (key === "Home") return order.find(c => kindOf(c) === "best");
  if (key === "End") return order[order.length - 1];
  if (!STEPS[key]) return undefined;
  const at = order.indexOf(looked);
  return order[at < 0 ? 0 : (at + STEPS[key] + order.length) % order.length];
}

// Dots of one kind are one element: a page of many candidates stays quick.
function drawDots(svg, marks) {
  for (const kind of ["", "top", "best"]) {
    const those = marks.filter(
      ({ c, points, edge }) => kindOf(c) === kind && points.length === 1 && !edge
    );
    const d = those.map(mark => trace(mark.points)).join("");
    if (d) draw(svg, "path", { class: `${kind} dots`, d });
  }
  const d = marks.filter(mark => mark.edge).map(({ edge, points: [[x, y]] }) =>
    edge === "failed"
      ? `M${tenth(x - 3)} ${tenth(y - 3)}l6 6m0-6l-6 6`
      : `M${tenth(x - 3.5)} ${tenth(y - 3)}h7l-3.5 6z`
  ).join("");
  if (d) draw(svg, "path", { class: "edge", d });
}
function drawLines(svg, marks) {
  for (const kind of ["", "top", "best"]) {
    for (const { c, points } of marks) {
      if (kindOf(c) !== kind || points.length < 2) continue;
      draw(svg, "path", { class: `${kind} lines`, d: trace(points) });
    }
  }
  drawDots(svg, marks);
}
// The frame of a picture with scores upwards; its x is made for the room that is left.
const BELOW = 24; // pixels for labels
const upwards = height => [height - BELOW - 5, 13];
function drawFrame(svg, width, height, y, makeX) {
  const widest = Math.max(1, ...y.ticks.map(tick => tick[1].length));
  const left = Math.min(width / 3, 14 + widest * LETTER), right = width - 10;
  const top = 8, bottom = height - BELOW, x = makeX([left + 8, right - 8]);
  draw(svg, "path", { class: "axis", d: `M${left} ${top - 4}V${bottom + 0.5}H${right + 4}` });
  let end = -Infinity;
  for (const [value, label] of x.ticks) {
    const text = x.band ? shorten(label, x.band) : label;
    const half = text.length * LETTER / 2;
    const at = Math.min(right + 6 - half, Math.max(left + half - 6, x(value)));
    if (at - half < end + 5) continue;
    end = at + half;
    draw(svg, "path", { class: "axis", d: `M${tenth(x(value))} ${bottom}v4` });
    const where = { x: tenth(at), y: bottom + 16, "text-anchor": "middle" };
    const node = draw(svg, "text", where, text);
    if (text !== label) draw(node, "title", {}, label);
  }
  for (const [value, label] of y.ticks) {
    const at = tenth(y(value));
    draw(svg, "path", { class: "axis", d: `M${left - 4} ${at}h4` });
    draw(svg, "text", { x: left - 7, y: at + 4, "text-anchor": "end" }, label);
  }
  return x;
}

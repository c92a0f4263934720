// The pictures of a search, each a function that draws and gives its marks.

const ended = rows.filter(row => row.failed || row.score !== null);
const byCandidate = lastOf.filter(row => row.failed || row.score !== null);
const scored = ended.filter(row => row.score !== null);
const levels = [...new Set(ended.map(row => row.resource))].sort((a, b) => a - b);
const varied = D.params.filter(
  param => new Set(param.values.filter(v => v !== null)).size > 1
);

// A little to the side, the same in all pictures, where many have one value.
const aside = (c, width) => (((c * 0.618034) % 1) - 0.5) * 2 * width;

// Marks of rows at their scores, and the scales.
function scatter(svg, width, height, those, makeX, xOf) {
  const bottom = height - BELOW;
  const y = scoreScale(
    those.all.map(row => row.score), upwards(height), those.all.some(row => row.failed)
  );
  const x = drawFrame(svg, width, height, y, makeX);
  const marks = those.shown.map(row => {
    const edge = row.failed ? "failed" : y.isBelow(row.score) ? "below" : "";
    const spread = Math.abs(y(row.score) - y(row.score - row.std));
    const isSeen = !edge && row.nRun > 1 && Number.isFinite(spread);
    return {
      c: row.c,
      edge,
      spread: isSeen ? tenth(Math.min(spread, height / 3)) : 0,
      points: [[xOf(x, row), edge === "failed" ? bottom - 6 : y(row.score)]],
    };
  });
  return { x, y, marks };
}

function convergence(svg, width, height) {
  const number = new Map(ended.map((row, k) => [row, k]));
  const last = Math.max(1, ended.length - 1);
  const { x, y, marks } = scatter(
    svg, width, height, { all: ended, shown: ended },
    range => linear([0, last], range, true), (scale, row) => scale(number.get(row))
  );
  for (const level of levels) {
    const isLast = level === levels[levels.length - 1];
    let best = -Infinity, d = "";
    for (const row of scored.filter(one => one.resource === level)) {
      const at = tenth(x(number.get(row)));
      if (row.score > best) {
        best = row.score;
        d += d ? `H${at}V${tenth(y(best))}` : `M${at} ${tenth(y(best))}`;
      } else d += `H${at}`;
    }
    if (isLast && d) d += `H${tenth(x(last))}`;
    if (d) draw(svg, "path", { class: isLast ? "so-far" : "so-far low", d });
  }
  drawDots(svg, marks);
  return marks;
}

function rungs(svg, width, height) {
  const y = scoreScale(scored.map(row => row.score), upwards(height));
  const x = drawFrame(svg, width, height, y, range => {
    const scale = (levels[0] > 0 ? logarithmic : linear)(extent(levels), range);
    return Object.assign(scale, { ticks: ticksAt(levels) });
  });
  const marks = [];
  for (const c of new Set(scored.map(row => row.c))) {
    const those = scored.filter(row => row.c === c);
    those.sort((a, b) => a.resource - b.resource);
    const points = those.map(row => [x(row.resource), y(row.score)]);
    const isOne = points.length === 1;
    if (isOne) points[0][0] += aside(c, 5);
    const edge = isOne && y.isBelow(those[0].score) ? "below" : "";
    marks.push({ c, points, edge });
  }
  drawLines(svg, marks);
  return marks;
}

const curves = D.curves
  .map(([c, epochs, scores]) => [
    c,
    scores.map((s, k) => [epochs ? epochs[k] : k + 1, s]).filter(p => p[1] !== null),
  ])
  .filter(([, points]) => points.length);
function learningCurves(svg, width, height) {
  const all = curves.flatMap(([, points]) => points);
  const [low, high] = extent(all.map(p => p[1]));
  // Where they begin may be far below where they end.
  const floor = floorOf(curves.map(([, points]) => points[points.length - 1][1]));
  const lowest = Math.max(low, floor - 2 * (high - floor));
  const inner = linear([lowest, high], upwards(height));
  const y = v => Math.min(height - BELOW - 2, inner(v));
  y.ticks = inner.ticks;
  const epochs = extent(all.map(p => p[0]));
  const x = drawFrame(svg, width, height, y, range => linear(epochs, range, true));
  const marks = curves.map(([c, points]) => ({
    c, points: points.map(([epoch, score]) => [x(epoch), y(score)]),
  }));
  drawLines(svg, marks);
  return marks;
}

function against(param) {
  const shown = byCandidate.filter(row => param.values[row.c] !== null);
  return (svg, width, height) => {
    const candidates = shown.map(row => row.c);
    const { marks } = scatter(
      svg, width, height, { all: byCandidate, shown }, // one scale of scores for all
      range => scaleOf(param, range, candidates),
      (x, { c }) => {
        const room = x.band ? Math.min(12, x.band / 4) : x.isSparse ? 5 : 0;
        return x(param.values[c]) + aside(c, room);
      }
    );
    drawDots(svg, marks);
    return marks;
  };
}

// Candidates by the score and another metric, and those that none beats in both.
function front(other) {
  const shown = byCandidate.filter(row => other[row.i] !== null);
  return (svg, width, height) => {
    const { x, y, marks } = scatter(
      svg, width, height, { all: shown, shown },
      range => linear(extent(shown.map(row => other[row.i])), range),
      (scale, row) => scale(other[row.i])
    );
    const whole = shown
      .filter(row => row.score !== null && row.resource === levels[levels.length - 1])
      .sort((a, b) => other[b.i] - other[a.i] || b.score - a.score);
    let best = -Infinity, d = "";
    for (const row of whole.filter(one => !y.isBelow(one.score))) {
      if (row.score <= best) continue;
      best = row.score;
      const across = tenth(x(other[row.i])), up = tenth(y(best));
      d += d ? `H${across}V${up}` : `M${across} ${up}`;
    }
    if (d) draw(svg, "path", { class: "so-far", d });
    drawDots(svg, marks);
    return marks;
  };
}

const MARGIN = 44, LEAST = 78; // pixels beside the axes, and between two of them
function parallel(svg, width, height) {
  const those = byCandidate.filter(row => row.score !== null);
  const candidates = those.map(row => row.c);
  const top = 30, bottom = height - 22, n = varied.length;
  const gap = (width - 2 * MARGIN) / n, at = k => tenth(MARGIN + gap * k);
  const scales = varied.map(param => scaleOf(param, [bottom, top], candidates));
  const y = scoreScale(those.map(row => row.score), [bottom, top]);
  const labels = document.createElementNS(SVG, "g"); // in front of the lines
  labels.setAttribute("class", "over");
  [...scales, y].forEach((scale, k) => {
    const name = k < n ? varied[k].short : D.metric;
    const [x, anchor] = k === 0 ? [4, "start"] : k === n ? [width - 4, "end"] : [at(k), "middle"];
    draw(svg, "path", { class: "axis", d: `M${at(k)} ${top - 4}V${bottom + 4}` });
    const where = { x, y: 14, "text-anchor": anchor };
    const label = draw(svg, "text", where, shorten(name, gap - 6));
    draw(label, "title", {}, k < n ? varied[k].name : name);
    const side = k === n ? 1 : -1, room = k === 0 ? MARGIN - 7 : Math.min(60, gap - 14);
    let end = Infinity;
    for (const [value, text] of scale.ticks) {
      const down = tenth(scale(value));
      if (end - down < 12) continue;
      end = down;
      draw(svg, "path", { class: "axis", d: `M${at(k)} ${down}h${4 * side}` });
      const beside = { x: at(k) + 7 * side, y: down + 4 };
      beside["text-anchor"] = side > 0 ? "start" : "end";
      draw(labels, "text", beside, shorten(text, room));
    }
    if (k < n && candidates.some(c => varied[k].values[c] === null)) {
      const below = { x: at(k), y: height - 3, "text-anchor": "middle" };
      draw(labels, "text", below, "absent");
    }
  });
  const marks = those.map(({ c, score }) => ({
    c,
    points: [...varied.map((param, k) => {
      const value = param.values[c], { band } = scales[k];
      if (value === null) return [at(k), height - 15];
      return [at(k), scales[k](value) + (band ? aside(c, Math.min(8, band / 4)) : 0)];
    }), [at(n), y(score)]],
  }));
  drawLines(svg, marks);
  svg.append(labels);
  return marks;
}

function addPictures() {
  const tall = 250, isOne = ended.length < 2;
  const turn = hasRungs ? "rung by rung" : "one by one";
  if (scored.length && !isOne) {
    addPicture($("first"), "Convergence", `${D.metric}, ${turn}`, tall, convergence);
  }
  if (scored.length && hasRungs && !isOne) {
    addPicture($("first"), "Rungs", `${D.metric} by ${resourceName}`, tall, rungs);
  }
  if (curves.length) {
    const isTest = D.on.length === 1 && D.on[0] === "test";
    const note = `${isTest ? "test" : "validation"} score by epoch`;
    addPicture($("first"), "Learning curves", note, tall, learningCurves);
  }
  D.metrics.forEach((metric, k) => {
    if (k === MAIN || !scored.length || isOne) return;
    const note = `${D.metric} by ${metric}: who is on the line is beaten by nobody`;
    addPicture($("first"), "Pareto front", note, tall, front(D.scores[k]));
  });
  if (scored.length > 1 && varied.length > 1) {
    const least = 2 * MARGIN + LEAST * varied.length;
    const note = "a line for each candidate";
    addPicture($("parallel"), "Parallel coordinates", note, 300, parallel, least);
  }
  if (isOne || !varied.length) return;
  $("of-params").hidden = false;
  const heading = scored.length ? `Params against ${D.metric}` : "Params of what failed";
  const most = hasRungs ? ", at the most that each candidate was given" : "";
  $("of-params").querySelector("h3").textContent = heading + most;
  for (const param of varied) {
    const note = param.scale === "log" ? "log" : "";
    const height = scored.length ? 190 : 90;
    addPicture($("params"), param.short, note, height, against(param));
  }
}
function addLegend() {
  const floor = floorOf(scored.map(row => row.score));
  const soFar = hasRungs ? "best so far, at each resource" : "best so far";
  const entries = [
    [ranked.size > 0, "best dots", "M7 7h0", "best"],
    [nTop > 1, "top dots", "M7 7h0", "best tenth"],
    [ranked.size > 1, "dots", "M7 7h0", "others"],
    [ranked.size > 1, "so-far", "M1 11H6V4H13", soFar],
    [rows.some(row => row.failed), "edge", "M4 4l6 6m0-6l-6 6", "failed"],
    [scored.some(row => row.score < floor), "edge", "M3 4h8l-4 6z", "further down"],
  ];
  for (const [, kind, d, text] of entries.filter(entry => entry[0])) {
    const entry = make("span");
    const svg = draw(entry, "svg", { viewBox: "0 0 14 14", "aria-hidden": "true" });
    draw(svg, "path", { class: kind, d });
    entry.append(text);
    $("legend").append(entry);
  }
}

addPictures();
if (pictures.length) {
  $("pictures").hidden = false;
  addLegend();
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (Math.abs(contentRect.width - width) < 1) return;
    width = contentRect.width;
    pictures.forEach(redraw);
  }).observe($("pictures"));
}

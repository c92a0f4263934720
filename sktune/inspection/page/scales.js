// Scales: functions from values to pixels, with `ticks` of [value, label].

const ticksAt = values => values.map(v => [v, format(Number(v.toPrecision(12)))]);

function straight([low, high], [from, to]) {
  const scale = v => from + (to - from) * (v - low) / (high - low);
  scale.ticks = [];
  return scale;
}
function linear([low, high], range, isInteger = false) {
  const middle = (range[0] + range[1]) / 2;
  if (low === high) return Object.assign(() => middle, { ticks: ticksAt([low]) });
  const least = (high - low) / 5, power = 10 ** Math.floor(Math.log10(least));
  let step = [1, 2, 5, 10].find(k => k * power >= least * 0.999) * power;
  if (isInteger) step = Math.max(1, Math.round(step));
  const scale = straight([low, high], range), first = Math.ceil(low / step - 1e-9);
  const values = [...Array(10).keys()].map(k => (first + k) * step);
  scale.ticks = ticksAt(values.filter(v => v <= high + 1e-9 * step));
  return scale;
}
function logarithmic([low, high], range) {
  if (low === high) return linear([low, high], range);
  const inner = straight([Math.log10(low), Math.log10(high)], range);
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / 5));
  let values = [];
  for (let k = first; k <= last; k += every) values.push(10 ** k);
  if (values.length < 2) {
    values = [first - 1, first]
      .flatMap(k => [1, 2, 5].map(m => m * 10 ** k))
      .filter(v => v >= low && v <= high);
  }
  if (values.length < 2) values = [low, high];
  const scale = v => inner(Math.log10(v));
  scale.ticks = ticksAt(values);
  return scale;
}
// Words have a band each; `band` is its width, which numbers lack.
function banded(names, [from, to]) {
  const band = (to - from) / names.length;
  const scale = k => from + band * (k + 0.5);
  const every = Math.ceil(14 / Math.abs(band)); // labels that are not to overlap
  scale.ticks = names.map((name, k) => [k, name]).filter((_, k) => k % every === 0);
  scale.band = Math.abs(band);
  return scale;
}

// The scale of a param; what is no number, such as None, has a place before the numbers.
const ASIDE = 30;
function scaleOf(param, range, candidates) {
  if (param.words) return banded(param.words, range);
  const values = [...new Set(candidates.map(c => param.values[c]))];
  const numbers = values.filter(v => typeof v === "number").sort((a, b) => a - b);
  const others = values.filter(v => typeof v === "string").sort();
  if (!numbers.length) {
    const inner = banded(others, range), scale = v => inner(others.indexOf(v));
    const ticks = others.map(v => [v, v]);
    return Object.assign(scale, { ticks, band: inner.band });
  }
  const sign = Math.sign(range[1] - range[0]);
  const rest = [range[0] + sign * ASIDE * others.length, range[1]];
  const isLog = param.scale === "log" && numbers[0] > 0;
  const inner = isLog
    ? logarithmic(extent(numbers), rest)
    : linear(extent(numbers), rest, numbers.every(Number.isInteger));
  const place = v => range[0] + sign * (ASIDE * others.indexOf(v) + 12);
  const scale = v => (typeof v === "number" ? inner(v) : place(v));
  const ticks = numbers.length <= 5 ? ticksAt(numbers) : inner.ticks;
  scale.ticks = [...others.map(v => [v, v]), ...ticks];
  scale.isSparse = numbers.length <= 10;
  return scale;
}

// Lowest score to draw to scale: a few bad candidates must not flatten the rest.
function floorOf(scores) {
  const sorted = scores.filter(v => v !== null).sort((a, b) => a - b);
  if (!sorted.length) return 0;
  const quarter = sorted[Math.floor((sorted.length - 1) / 4)];
  const best = sorted[sorted.length - 1];
  return Math.max(sorted[0], quarter - 1.5 * (best - quarter));
}
// Scores from the floor to the best; what lies below, or failed, is at the edge.
function scoreScale(scores, [bottom, top], hasFailed = false) {
  const floor = floorOf(scores), there = scores.filter(v => v !== null && v >= floor);
  const isBelow = v => v !== null && v < floor;
  const room = hasFailed || scores.some(isBelow) ? 16 : 0;
  const range = [bottom - room, top];
  const inner = there.length ? linear(extent(there), range) : straight([0, 1], range);
  const scale = v => (isBelow(v) ? bottom - 4 : inner(v));
  return Object.assign(scale, { ticks: inner.ticks, isBelow });
}

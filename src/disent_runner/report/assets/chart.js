const SVG = "http://www.w3.org/2000/svg";
const CHART_HEIGHT = 280;
const MARGIN = { top: 10, right: 12, bottom: 40, left: 64 };

function shape(name, attributes, text = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

/** About `count` round numbers between two. */
function linearTicks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((digit) => digit * power >= rough);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}

/** Powers of ten between two positive numbers, or 1, 2 and 5 times them where these are few. */
function logTicks(low, high) {
  const powers = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) powers.push(10 ** power);
  const within = (ticks) => ticks.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9));
  const decades = within(powers);
  return decades.length > 2 ? decades : within(powers.flatMap((power) => [power, 2 * power, 5 * power]));
}

function shortNumber(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(1).replace(".0e", "e").replace("e+", "e");
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 6 });
}

/** Room for one value only is made to a span; a logarithmic axis ends at the values. */
function extent(values, isLog) {
  const low = Math.min(...values), high = Math.max(...values);
  if (isLog) return low === high ? [low / 2, high * 2] : [low, high];
  const room = low === high ? (Math.abs(low) || 1) / 10 : (high - low) * 0.04;
  return [low - room, high + room];
}

/** Curves of one unit over steps, drawn anew when its width changes, with a slider that reads them. */
class Chart {
  /** @param series [{name, values}]; a value that is not finite leaves a gap */
  constructor(place, steps, series, { unit, isLog, label }) {
    Object.assign(this, { place, steps, series, unit, isLog, label });
    const last = String(steps.length - 1);
    this.slider = element("input", { type: "range", min: "0", max: last, value: last, input: () => this.read(),
      "aria-label": "Step to read the curves at" });
    this.stepText = element("output");
    this.frame = element("div", { class: "chart" });
    this.legend = element("ul", { class: "legend" });
    place.replaceChildren(this.frame,
      element("label", { class: "reader" }, element("span", {}, "step"), this.slider, this.stepText), this.legend);
    this.draw();
  }

  /** Draw anew where its place has another width. */
  fit() {
    const { clientWidth } = this.place; // 0 once it is closed
    if (clientWidth > 0 && clientWidth !== this.width) this.draw();
  }

  draw() {
    this.width = this.place.clientWidth;
    const svg = shape("svg", { viewBox: `0 0 ${this.width} ${CHART_HEIGHT}`, role: "img", "aria-label": this.label });
    const { top, right, bottom, left } = MARGIN;
    this.inner = { left, right: this.width - right, top, bottom: CHART_HEIGHT - bottom };
    const heights = this.series.flatMap(({ values }) => values.filter((value) => this.isDrawn(value)));
    this.x = scale(extent(this.steps, false), [this.inner.left, this.inner.right], false);
    this.y = scale(extent(heights.length ? heights : [1], this.isLog), [this.inner.bottom, this.inner.top], this.isLog);
    this.cursor = shape("line", { y1: this.inner.top, y2: this.inner.bottom, class: "cursor" });
    const paths = this.series.map(({ values }, at) =>
      shape("path", { d: this.path(values), class: `curve ${seriesClass(at)}` }));
    svg.append(...this.axes(), ...paths, this.cursor);
    svg.addEventListener("pointermove", (event) => this.point(event));
    this.frame.replaceChildren(svg);
    this.read();
  }

  isDrawn(value) {
    return Number.isFinite(value) && (!this.isLog || value > 0);
  }

  axes() {
    const { left, right, top, bottom } = this.inner, marks = [];
    const [low, high] = this.y.domain;
    const line = (x1, x2, y1, y2, kind) => marks.push(shape("line", { x1, x2, y1, y2, class: kind }));
    const text = (x, y, anchor, label, more) =>
      marks.push(shape("text", { x, y, "text-anchor": anchor, ...more }, label));
    for (const tick of this.isLog ? logTicks(low, high) : linearTicks(low, high, 5)) {
      line(left, right, this.y(tick), this.y(tick), "grid");
      text(left - 8, this.y(tick) + 4, "end", shortNumber(tick));
    }
    for (const tick of linearTicks(...this.x.domain, this.width < 500 ? 4 : 6)) {
      line(this.x(tick), this.x(tick), bottom, bottom + 5, "axis");
      text(this.x(tick), bottom + 19, "middle", shortNumber(tick));
    }
    line(left, right, bottom, bottom, "axis");
    text((left + right) / 2, CHART_HEIGHT - 4, "middle", "step");
    const middle = (top + bottom) / 2;
    text(13, middle, "middle", this.unit, { transform: `rotate(-90 13 ${middle})` });
    return marks;
  }

  path(values) {
    let isDown = false;
    return values.map((value, at) => {
      const wasDown = isDown;
      isDown = this.isDrawn(value);
      return isDown ? `${wasDown ? "L" : "M"}${this.x(this.steps[at]).toFixed(1)} ${this.y(value).toFixed(1)}` : "";
    }).join("");
  }

  point(event) {
    const box = this.frame.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * this.width;
    const distances = this.steps.map((step) => Math.abs(this.x(step) - at));
    this.slider.value = String(distances.indexOf(Math.min(...distances)));
    this.read();
  }

  read() {
    const at = Number(this.slider.value), step = this.steps[at].toLocaleString("en");
    for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, this.x(this.steps[at]));
    this.stepText.textContent = step;
    const readings = this.series.map(({ name, values }) => `${name} ${shown(values[at])}`);
    this.slider.setAttribute("aria-valuetext", `step ${step}: ${readings.join(", ")}`);
    this.legend.replaceChildren(...this.series.map(({ name, values }, place) => element("li", {},
      element("span", { class: `swatch ${seriesClass(place)}`, "aria-hidden": "true" }),
      `${name} `, element("span", { class: "value" }, shown(values[at])))));
  }
}

/** Seven colours, then the same ones dashed. */
function seriesClass(place) {
  return `series-${place % 7}${place >= 7 ? " dashed" : ""}`;
}

function shown(value) {
  return Number.isFinite(value) ? shortNumber(value) : "no number";
}

function scale([low, high], [from, to], isLog) {
  const place = isLog ? Math.log : (value) => value;
  const map = (value) => from + ((place(value) - place(low)) / (place(high) - place(low))) * (to - from);
  map.domain = [low, high];
  return map;
}

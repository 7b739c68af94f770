/** Terms of train.csv to choose from: each by itself, those of all latents together. */
function choicesOf(terms) {
  const groups = new Map();
  for (const { name, unit, values } of terms) {
    const [, stem, number] = name.match(/^(.+)_(\d+)$/) ?? [null, name, null];
    if (!groups.has(stem)) groups.set(stem, { name: stem, unit, series: [] });
    const series = { name: number === null ? name : `z${number}`, values: values.split(" ").map(Number) };
    groups.get(stem).series.push(series);
  }
  return [...groups.values()];
}

/** Training curves, one term or group of terms at a time. */
function curvesPanel(curves) {
  const steps = curves.steps.split(" ").map(Number), choices = choicesOf(curves.terms);
  const menu = element("select", { change: draw }, ...choices.map(({ name, series }, at) =>
    element("option", { value: at }, series.length > 1 ? `${name} (${series.length})` : name)));
  const log = element("input", { type: "checkbox", change: draw });
  const place = element("div");
  let chart = null;
  function draw() {
    const { name, unit, series } = choices[menu.value];
    log.disabled = !series.some(({ values }) => values.some((value) => value > 0));
    const label = `${name} over ${steps.length} steps from ${steps[0]} to ${steps.at(-1)}`;
    chart = new Chart(place, steps, series, { unit, isLog: log.checked && !log.disabled, label });
  }
  const kept = steps.length < curves.logged ? `, ${steps.length} of ${curves.logged} rows` : "";
  new ResizeObserver(() => (chart === null ? draw() : chart.fit())).observe(place);
  return element("section", { class: "panel" }, element("h3", {}, "Training curves"),
    element("form", { class: "controls", submit: (event) => event.preventDefault() },
      element("label", {}, element("span", {}, "Term"), menu),
      element("label", { class: "check" }, log, " logarithmic")),
    place, element("p", { class: "source" }, `train.csv${kept}; each row is the mean since the row before`));
}

/** A picture that can be enlarged; one that moves can be stopped, and stands still for who prefers that. */
function pictureFigure({ title, src }, runName) {
  const image = element("img", { src, alt: `${title} of ${runName}`, decoding: "async",
    error: () => figure.classList.add("missing") });
  const caption = element("figcaption", {}, title);
  const figure = element("figure", {},
    element("button", { type: "button", class: "picture", "aria-label": `Enlarge: ${title}` }, image), caption);
  if (/^data:image\/gif|\.gif$/.test(src)) caption.append(" ", motionButton(image));
  return figure;
}

function motionButton(image) {
  const still = element("canvas", { hidden: true, role: "img", "aria-label": `${image.alt}, stopped` });
  const button = element("button", { type: "button", click: () => (still.hidden ? stop() : play()) }, "Stop");
  function stop() {
    still.width = image.naturalWidth;
    still.height = image.naturalHeight;
    still.getContext("2d").drawImage(image, 0, 0);
    still.hidden = false;
    image.hidden = true;
    button.textContent = "Play";
  }
  function play() {
    still.hidden = true;
    image.hidden = false;
    button.textContent = "Stop";
  }
  image.after(still);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    image.hidden = true; // not seen before it stands still
    image.decode().then(stop, () => { image.hidden = false; });
  }
  return button;
}

const KINDS = { traversals: "Traversals", reconstructions: "Reconstructions", samples: "Samples", "": "Other figures" };

function picturePanels(pictures, runName) {
  return Object.entries(KINDS).flatMap(([kind, heading]) => {
    const group = pictures.filter((picture) => picture.kind === kind);
    if (group.length === 0) return [];
    return [element("section", {}, element("h3", {}, heading),
      element("div", { class: `pictures ${kind}` }, ...group.map((picture) => pictureFigure(picture, runName))))];
  });
}

/** The numbers of the report's table, beside those of all seeds of the setting; a panel for each evaluation. */
function headlinePanels(place, { means, runs }) {
  const inMeans = new Map(means.columns.map(({ name, menu }, at) => (menu ? [null, at] : [name, at])));
  const shared = [...runs.columns.keys()].filter((at) => !runs.columns[at].menu && inMeans.has(runs.columns[at].name));
  const rows = [...runs.rows.keys()].filter((row) => runs.run[row] === place);
  return rows.map((row, evaluation) => {
    const setting = means.rows[runs.setting[row]];
    const seeds = cellText(setting[inMeans.get("n")], {});
    const lines = shared.filter((at) => runs.rows[row][at] !== null).map((at) => {
      const { name, better } = runs.columns[at];
      return element("tr", {}, numberHead(name, better),
        element("td", { class: "number" }, cellText(runs.rows[row][at], runs.columns[at])),
        element("td", { class: "number quiet" }, cellText(setting[inMeans.get(name)], {})));
    });
    return element("section", { class: "panel" },
      element("h3", {}, rows.length > 1 ? `Numbers of evaluation ${evaluation + 1}` : "Numbers"),
      scrollBox("Numbers of this run", element("table", {},
        headRow("number", "this run", seeds === "1" ? "mean of 1 seed" : `mean of ${seeds} seeds`),
        element("tbody", {}, ...lines))));
  });
}

/** Every number, those that were made alike together below how they were; what all have in common is said once. */
function allNumbers(numbers, makings) {
  const groups = new Map();
  for (const number of numbers) groups.set(number[3], [...(groups.get(number[3]) ?? []), number]);
  const about = (making) => Object.entries(makings[making]).filter(([key]) => !["metric", "settings"].includes(key));
  const isShared = ([key, text]) => [...groups.keys()].every((making) => makings[making][key] === text);
  const sentence = (pairs) => pairs.map(([key, text]) => `${key} ${text}`).join(" · ");
  const bodies = [...groups].map(([making, group]) => {
    const { metric, settings } = makings[making];
    const seconds = group[0][4] === null ? "" : ` · ${group[0][4]} s`;
    const how = sentence(about(making).filter((pair) => !isShared(pair)));
    const head = element("th", { colspan: "2", scope: "rowgroup" }, element("strong", {}, metric),
      ` ${settings}${seconds}`, element("span", { class: "making" }, how));
    return element("tbody", {}, element("tr", { class: "group" }, head), ...group.map(numberRow));
  });
  const shared = sentence(about(numbers[0][3]).filter(isShared));
  return element("details", {}, element("summary", {}, `All ${numbers.length} numbers, and how they were made`),
    scrollBox("All numbers", element("table", {}, element("caption", { class: "making" }, shared),
      headRow("number", "value"), ...bodies)));
}

function numberRow([name, value, better, , , reason]) {
  const cell = value === null ? element("td", { class: "reason" }, reason ?? "no value")
    : element("td", { class: "number" }, String(Number(value.toPrecision(6))));
  return element("tr", {}, numberHead(name, better), cell);
}

/** All of a run, below its heading. */
function runView(place, { run, details, sections, makings, tables }) {
  const config = details.config.map((section) => sections[section]).join("");
  const settings = Object.keys(run.settings).length === 0 ? null : element("section", {},
    element("h3", {}, "Settings that differ between the runs"), factList(run.settings));
  const curves = details.curves ? curvesPanel(details.curves) : element("section", { class: "panel" },
    element("h3", {}, "Training curves"), element("p", {}, "Its folder has no train.csv."));
  return [
    settings,
    element("div", { class: "columns" }, ...headlinePanels(place, tables), curves),
    ...picturePanels(details.pictures, run.name),
    allNumbers(details.numbers, makings),
    element("details", {}, element("summary", {}, "config.yaml"), element("pre", { tabindex: "0" }, config)),
    element("details", {}, element("summary", {}, "Where it comes from"), factList(run.facts)),
  ];
}

const data = JSON.parse(document.getElementById("data").textContent);
const { tables } = data;
const placeOfKey = new Map(data.runs.map(({ key }, place) => [key, place]));
const overview = document.getElementById("overview"), runArticle = document.getElementById("run");
const pageTitle = document.title;

const parts = []; // details of runs, as they were loaded
const waiting = [];
let departure = null; // where the overview was left: {scroll, hash}

/** What a file of details calls; those in the page come the same way. */
function receivePart(number, part) {
  parts[number] = part;
  waiting[number]?.(part);
}

/** Details of some runs, from the page or from a file beside it: a page from the disk may load scripts, no data. */
function loadPart(number) {
  const inside = document.querySelectorAll("script.part")[number], file = data.parts[number];
  if (!parts[number] && inside) receivePart(number, JSON.parse(inside.textContent));
  if (parts[number]) return Promise.resolve(parts[number]);
  return new Promise((resolve, reject) => {
    waiting[number] = resolve;
    document.head.append(element("script", { src: file, error: () => reject(new Error(`no ${file}`)) }));
  });
}

function hashOf(place) {
  return `#run=${encodeURI(data.runs[place].key).replaceAll("#", "%23")}`;
}

/** All that sets a setting apart, by key. */
function settingFacts(setting) {
  const { columns, rows } = tables.means;
  const told = [...columns.keys()].filter((at) => columns[at].extra && rows[setting][at] !== null);
  return Object.fromEntries(told.map((at) => [columns[at].name, cellText(rows[setting][at], columns[at])]));
}

/** A setting's name, which shows its runs alone in the table of runs, below all that it is. */
function settingButton(setting, name) {
  const isOf = (row) => tables.runs.setting[row] === setting;
  const facts = settingFacts(setting);
  const show = () => {
    runsTable.showOnly({ name, test: isOf, facts });
    document.getElementById("runs").scrollIntoView();
    runsTable.search.focus({ preventScroll: true });
  };
  const title = Object.entries(facts).map(([key, text]) => `${key}: ${text}`).join("\n");
  return element("button", { type: "button", class: "link", title, click: show }, name);
}

function runLink(row, name) {
  return element("a", { href: hashOf(tables.runs.run[row]) }, name);
}

function tableIn(id, table, options) {
  const place = document.getElementById(id);
  return place && new ReportTable(place, table, options);
}

const galleryPlace = document.getElementById("gallery");
const gallery = galleryPlace && new Gallery(galleryPlace, data.pictures,
  { names: tables.means.rows.map(([name]) => name), hrefOf: hashOf, load: detailsOf });
tableIn("means", tables.means, { name: "settings", link: settingButton, shown: (rows) => gallery?.show(rows) });
const runsTable = tableIn("runs", tables.runs, { name: "runs", link: runLink });
tableIn("udr-settings", tables.udr, { name: "settings with UDR" });
tableIn("udr-correlation", tables.udr_correlation, { name: "correlations" });
tableIn("udr-choice", tables.udr_choice, { name: "choices" });
tableIn("explained", tables.explained, { name: "numbers" });
tableIn("transfer", tables.transfer, { name: "pairs of data sets" });
tableIn("left-out", tables.left_out, { name: "folders left out" });

runsTable.body.addEventListener("click", (event) => {
  const isText = !event.target.closest("a") && getSelection().isCollapsed; // not a link, nor text to copy
  if (isText) event.target.closest("tr").querySelector("a")?.click();
});

/** Links to all runs, and to those before and after this one in their table as it is sorted and filtered now. */
function waysOn(place) {
  const places = [...new Set(runsTable.rowNumbers().map((row) => tables.runs.run[row]))];
  const at = places.indexOf(place);
  const way = (to, rel, text) => (at < 0 || to === undefined ? null
    : element("a", { href: hashOf(to), rel, title: data.runs[to].name }, text));
  return element("nav", { class: "ways", "aria-label": "Runs" }, element("a", { href: "#runs" }, "All runs"),
    way(places[at - 1], "prev", "← Previous"), way(places[at + 1], "next", "Next →"));
}

/** Details of one run. */
async function detailsOf(place) {
  const { runs } = await loadPart(Math.floor(place / data.runs_per_part));
  return runs[place % data.runs_per_part];
}

/** The runs that a run stands on, those of this report as links. */
function standsOn(run) {
  const parents = run.parents.map(({ text, run: place }) =>
    element("li", {}, place === null ? text : element("a", { href: hashOf(place) }, text)));
  return parents.length === 0 ? null : element("section", {}, element("h3", {}, "Stands on"), element("ul", {}, ...parents));
}

/** The page with a run instead of the overview. */
async function showRun(key, isArrival) {
  const place = placeOfKey.get(key), run = data.runs[place];
  if (!overview.hidden && !isArrival) departure = { scroll: scrollY, hash: run ? hashOf(place) : null };
  const heading = element("h1", { tabindex: "-1" }, run ? run.name : "No such run");
  const missing = `This report has no run ${key}: it may be left out, or in another report.`;
  runArticle.replaceChildren(waysOn(place), heading, element("p", { class: "quiet" }, run ? run.facts.folder : missing));
  overview.hidden = true;
  runArticle.hidden = false;
  document.title = `${heading.textContent} · ${pageTitle}`;
  scrollTo({ top: 0, behavior: "instant" });
  heading.focus({ preventScroll: true });
  if (!run) return;
  try {
    const { runs, ...shared } = await loadPart(Math.floor(place / data.runs_per_part));
    if (!heading.isConnected) return; // something else was opened meanwhile
    const details = runs[place % data.runs_per_part];
    const parents = standsOn(run);
    if (parents) runArticle.append(parents);
    runArticle.append(...runView(place, { run, details, tables, ...shared }).filter((section) => section !== null));
  } catch (error) {
    const fix = `Its details cannot be loaded (${error.message}): keep the page in its folder.`;
    runArticle.append(element("p", { class: "note" }, fix));
  }
}

/** The overview where it was left, or at an anchor in it. */
function showOverview(anchor) {
  if (!overview.hidden) return;
  runArticle.hidden = true;
  runArticle.replaceChildren();
  overview.hidden = false;
  document.title = pageTitle;
  const links = [...runsTable.body.querySelectorAll("a")];
  links.find((link) => link.getAttribute("href") === departure?.hash)?.focus({ preventScroll: true });
  if (departure && ["", "runs"].includes(anchor)) {
    requestAnimationFrame(() => scrollTo({ top: departure.scroll, behavior: "instant" }));
  } else {
    document.getElementById(anchor)?.scrollIntoView();
  }
}

/** What the address says; `isArrival`: the page was opened there. */
function route(isArrival) {
  let hash = location.hash.slice(1);
  try {
    hash = decodeURIComponent(hash);
  } catch {
    // typed by hand, and no escape: taken as it is
  }
  if (hash.startsWith("run=")) showRun(hash.slice("run=".length), isArrival);
  else showOverview(hash);
}

const zoom = document.getElementById("zoom");
document.addEventListener("click", (event) => {
  const picture = event.target.closest(".picture")?.querySelector("img:not([hidden]), canvas:not([hidden])");
  if (!picture) return;
  const large = picture.cloneNode();
  large.getContext?.("2d").drawImage(picture, 0, 0);
  zoom.lastElementChild.replaceWith(large);
  zoom.showModal();
});
zoom.addEventListener("click", (event) => event.target === zoom && zoom.close());

const theme = document.getElementById("theme");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  return (document.documentElement.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";
}

/** The choice of an earlier visit; some browsers keep nothing for pages from the disk. */
function rememberedTheme(chosen) {
  try {
    if (chosen) localStorage.setItem("disent-report-theme", chosen);
    return localStorage.getItem("disent-report-theme");
  } catch {
    return chosen;
  }
}

function showTheme(chosen) {
  if (chosen) document.documentElement.dataset.theme = chosen;
  theme.setAttribute("aria-pressed", String(isDark()));
}

theme.addEventListener("click", () => showTheme(rememberedTheme(isDark() ? "light" : "dark")));
prefersDark.addEventListener("change", () => showTheme());
showTheme(rememberedTheme());

for (const time of document.querySelectorAll("time")) {
  time.textContent = new Date(time.dateTime).toLocaleString("en", { dateStyle: "long", timeStyle: "short" });
}
addEventListener("hashchange", () => route(false));
route(true);
if (!overview.hidden && location.hash) { // the tables have moved what the browser scrolled to
  document.getElementById(location.hash.slice(1))?.scrollIntoView({ behavior: "instant" });
}

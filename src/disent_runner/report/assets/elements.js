/** An element with attributes, properties (functions are listeners) and children; texts are never read as HTML. */
function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/** A name that may break behind its underscores and dots. */
function breakable(name) {
  return name.split(/(?<=[_.])/).flatMap((part) => [part, element("wbr")]).slice(0, -1);
}

/** ↑ or ↓ for the eye, words for the ear. */
function betterMark(better) {
  if (!better) return null;
  return element("span", { class: "better", title: `${better} is better` },
    element("span", { "aria-hidden": "true" }, better === "higher" ? "↑" : "↓"),
    element("span", { class: "unseen" }, `${better} is better`));
}

/** Names and texts as a description list. */
function factList(pairs) {
  const items = Object.entries(pairs).map(([name, text]) =>
    element("div", {}, element("dt", {}, ...breakable(name)), element("dd", {}, text)));
  return element("dl", { class: "facts" }, ...items);
}

/** A table that scrolls inside its box, also by keyboard. */
function scrollBox(label, table) {
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table);
}

/** A head row of texts; those of numbers are right-aligned. */
function headRow(...names) {
  const heads = names.map((name, at) => element("th", { scope: "col", class: at > 0 ? "number" : null }, name));
  return element("thead", {}, element("tr", {}, ...heads));
}

/** A number's name and its better side as head of a row. */
function numberHead(name, better) {
  return element("th", { scope: "row" }, ...breakable(name), better && "\u00a0", betterMark(better));
}

const ROWS_PER_PAGE = 100;
const FEW_MENUS = 3;
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** What a cell is sorted by: a number, a text, or null where there is nothing. */
function sortKey(cell) {
  return Array.isArray(cell) ? cell[0] : cell;
}

function cellText(cell, column) {
  if (cell === null) return "–";
  if (Array.isArray(cell)) return cell[1];
  return typeof cell === "number" && column.digits !== null ? cell.toFixed(column.digits) : String(cell);
}

/** Numbers before texts; what is missing last, whichever the direction. */
function compareCells(first, second, sign) {
  const a = sortKey(first), b = sortKey(second);
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return sign * (typeof a === "number" ? a - b : collator.compare(a, b));
}

/** A table that sorts by its heads, is filtered by words and menus, and shows its rows a page at a time. */
class ReportTable {
  /**
   * @param table {columns, rows, best}
   * @param options name: what the rows are, for labels; link(number, text): the first cell of a row, as a link or
   *   button; shown(numbers): told which rows there are, in their order, whenever that changes
   */
  constructor(place, table, { name, link = null, shown = null }) {
    this.table = table;
    this.name = name;
    this.link = link;
    this.shown = shown;
    this.hasSettings = false;
    this.texts = table.rows.map((row) => row.map((cell, at) => cellText(cell, table.columns[at])));
    this.haystacks = this.texts.map((row) => row.join("\n").toLowerCase());
    this.isNumeric = table.columns.map((_, at) =>
      table.rows.some((row) => typeof sortKey(row[at]) === "number"));
    this.sorted = { at: null, sign: 1 };
    this.words = [];
    this.chosen = new Map();
    this.only = null;
    this.page = 0;
    this.about = element("div", { class: "about", hidden: true });
    place.append(this.makeControls(), this.about, this.makeTable(), this.makePager());
    this.show();
  }

  makeControls() {
    const words = () => this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.search = element("input", { type: "search", placeholder: "Filter by words", autocomplete: "off",
      spellcheck: "false", input: () => this.filter(() => { this.words = words(); }) });
    this.menus = this.table.columns.flatMap((column, at) => {
      const values = column.menu ? this.valuesOf(at) : [];
      if (values.length < 2) return [];
      const options = values.map((text) => element("option", { value: `=${text}` }, text));
      const menu = element("select", { change: () => this.filter(() => this.choose(at, menu)) },
        element("option", { value: "" }, "all"), ...options);
      return [element("label", {}, element("span", {}, ...breakable(column.name)), menu)];
    });
    this.chip = element("button", { type: "button", class: "chip", hidden: true, click: () => this.showOnly(null) });
    this.clear = element("button", { type: "button", hidden: true, click: () => this.clearFilters() }, "Clear");
    this.count = element("output", { "aria-live": "polite" });
    return element("form", { class: "controls", role: "search", "aria-label": `Filter ${this.name}`,
      submit: (event) => event.preventDefault() },
    element("label", { class: "words" }, element("span", { class: "unseen" }, "Filter"), this.search),
    this.makeMenus(), this.makeSettingsSwitch(), this.chip, this.clear, this.count);
  }

  /** Few menus stand open where there is room; many do not push the numbers away. */
  makeMenus() {
    if (this.menus.length === 0) return null;
    const open = this.menus.length <= FEW_MENUS && matchMedia("(min-width: 40rem)").matches;
    return element("details", { class: "menus", open },
      element("summary", {}, `Filters (${this.menus.length})`), element("div", {}, ...this.menus));
  }

  /** Columns of settings, which the first column's short names stand for, are there when they are asked for. */
  makeSettingsSwitch() {
    if (!this.table.columns.some(({ extra }) => extra)) return null;
    const box = element("input", { type: "checkbox", change: () => {
      this.hasSettings = box.checked;
      this.showHeads();
      this.show();
    } });
    return element("label", { class: "check" }, box, " settings as columns");
  }

  /** Texts of a column in the order in which it is sorted. */
  valuesOf(at) {
    const cells = new Map(this.table.rows.map((row, number) => [this.texts[number][at], row[at]]));
    return [...cells].sort(([, first], [, second]) => compareCells(first, second, 1)).map(([text]) => text);
  }

  makeTable() {
    this.heads = this.table.columns.map(({ name, better }, at) => {
      const text = element("span", {}, ...breakable(name), better && "\u00a0", betterMark(better));
      return element("th", { scope: "col", class: this.isNumeric[at] ? "number" : null, },
        element("button", { type: "button", click: () => this.sortBy(at) }, text));
    });
    this.headRow = element("tr");
    this.showHeads();
    this.body = element("tbody");
    return scrollBox(`Table of ${this.name}`, element("table", {},
      element("caption", { class: "unseen" }, `${this.name}; column heads sort`),
      element("thead", {}, this.headRow), this.body));
  }

  showHeads() {
    this.headRow.replaceChildren(...this.heads.filter((_, at) => !this.isHidden(at)));
  }

  makePager() {
    const turn = (pages) => () => {
      this.page += pages;
      this.show();
      this.body.closest(".scroll").scrollTop = 0;
    };
    this.before = element("button", { type: "button", click: turn(-1) }, "← Before");
    this.after = element("button", { type: "button", click: turn(1) }, "After →");
    this.range = element("span");
    this.pager = element("p", { class: "pager" }, this.before, this.range, this.after);
    return this.pager;
  }

  isHidden(at) {
    return this.table.columns[at].extra && !this.hasSettings;
  }

  choose(at, menu) {
    if (menu.value) this.chosen.set(at, menu.value.slice(1));
    else this.chosen.delete(at);
  }

  /** Best first, where a side is better; a second time the other way round. */
  sortBy(at) {
    const first = this.table.columns[at].better === "higher" ? -1 : 1;
    this.sorted = { at, sign: this.sorted.at === at ? -this.sorted.sign : first };
    this.heads.forEach((head, place) => {
      if (place === at) head.setAttribute("aria-sort", this.sorted.sign > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    this.page = 0;
    this.show();
  }

  filter(change) {
    change();
    this.page = 0;
    this.show();
  }

  /** Rows of which `only.test` is true of their number, beside all other filters; `only.facts` is said of them. */
  showOnly(only) {
    this.filter(() => { this.only = only; });
    if (only === null) this.search.focus();
  }

  clearFilters() {
    this.search.value = "";
    this.menus.forEach((label) => { label.lastChild.value = ""; });
    this.chosen.clear();
    this.filter(() => { this.words = []; this.only = null; });
    this.search.focus();
  }

  /** Numbers of the rows that pass all filters, in the order shown. */
  rowNumbers() {
    const passes = (number) => this.words.every((word) => this.haystacks[number].includes(word))
      && [...this.chosen].every(([at, text]) => this.texts[number][at] === text)
      && (this.only === null || this.only.test(number));
    const numbers = [...this.table.rows.keys()].filter(passes);
    const { at, sign } = this.sorted;
    if (at === null) return numbers;
    return numbers.sort((a, b) => compareCells(this.table.rows[a][at], this.table.rows[b][at], sign));
  }

  show() {
    const numbers = this.rowNumbers(), total = this.table.rows.length;
    const first = this.page * ROWS_PER_PAGE, last = Math.min(first + ROWS_PER_PAGE, numbers.length);
    this.body.replaceChildren(...numbers.slice(first, last).map((number) => this.makeRow(number)));
    if (numbers.length === 0) {
      const cell = element("td", { colspan: this.heads.length, class: "nothing" }, "Nothing passes the filters.");
      this.body.append(element("tr", {}, cell));
    }
    this.count.textContent = `${numbers.length === total ? "" : `${numbers.length} of `}${total} ${this.name}`;
    this.chip.hidden = this.only === null;
    this.chip.replaceChildren(`only ${this.only?.name ?? ""}`, element("span", { "aria-hidden": "true" }, " ✕"));
    this.chip.setAttribute("aria-label", `Show not only ${this.only?.name ?? ""}`);
    this.about.hidden = !this.only?.facts;
    this.about.replaceChildren(...(this.only?.facts ? [factList(this.only.facts)] : []));
    this.clear.hidden = this.words.length === 0 && this.chosen.size === 0 && this.only === null;
    this.pager.hidden = numbers.length <= ROWS_PER_PAGE;
    this.range.textContent = `${first + 1}–${last} of ${numbers.length}`;
    this.before.disabled = first === 0;
    this.after.disabled = last === numbers.length;
    this.shown?.(numbers);
  }

  makeRow(number) {
    const best = new Set(this.table.best?.[number]);
    return element("tr", {}, ...this.texts[number].map((text, at) => {
      if (this.isHidden(at)) return null;
      if (at === 0) return element("th", { scope: "row" }, this.link ? this.link(number, text) : text);
      const kind = [this.isNumeric[at] ? "number" : "", best.has(at) ? "best" : ""].filter(Boolean).join(" ");
      const parts = this.isNumeric[at] ? spreadParts(text) : [text];
      return element("td", { class: kind || null }, ...(best.has(at) ? [element("strong", {}, ...parts)] : parts));
    }));
  }
}

/** A mean, and what is behind it, which goes below it where there is little room. */
function spreadParts(text) {
  const [mean, ...spread] = text.split(" ");
  return spread.length ? [mean, element("span", { class: "spread" }, ` ${spread.join(" ")}`)] : [mean];
}

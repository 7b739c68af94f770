const FEW_PICTURES = 14;

/** A picture of each setting, of its first run that has one, in the order of the table of settings. */
class Gallery {
  /** @param pictures by setting: {run, stills: {kind: [number among the run's pictures, src or null]}} or null */
  constructor(place, pictures, { names, hrefOf, load }) {
    Object.assign(this, { pictures, names, hrefOf, load, numbers: [], isWhole: false });
    const kinds = [...new Set(pictures.flatMap((picture) => Object.keys(picture?.stills ?? {})))];
    this.menu = element("select", { change: () => this.draw() },
      ...kinds.map((kind) => element("option", { value: kind }, kind)));
    this.grid = element("div", { class: "gallery" });
    this.more = element("button", { type: "button", click: () => this.drawAll() });
    place.append(element("form", { class: "controls", submit: (event) => event.preventDefault() },
      element("label", { class: "check" }, "Show ", this.menu)), this.grid, element("p", { class: "pager" }, this.more));
  }

  show(numbers) {
    this.numbers = numbers;
    this.draw();
  }

  drawAll() {
    this.isWhole = true;
    this.draw();
  }

  draw() {
    const drawn = this.numbers.filter((number) => this.pictures[number]?.stills[this.menu.value]);
    const few = this.isWhole ? drawn : drawn.slice(0, FEW_PICTURES);
    this.grid.replaceChildren(...few.map((number) => this.figure(number)));
    if (few.length === 0) this.grid.append(element("p", { class: "quiet" }, "No setting in the table has such a picture."));
    this.more.parentNode.hidden = few.length === drawn.length;
    this.more.textContent = `Show all ${drawn.length}`;
  }

  figure(number) {
    const { run, stills } = this.pictures[number], [at, src] = stills[this.menu.value], name = this.names[number];
    const image = element("img", { alt: `${this.menu.value} of ${name}`, decoding: "async",
      error: () => figure.classList.add("missing") });
    const figure = element("figure", {},
      element("button", { type: "button", class: "picture", "aria-label": `Enlarge: ${image.alt}` }, image),
      element("figcaption", {}, element("a", { href: this.hrefOf(run) }, name)));
    if (src) image.src = src;
    else this.load(run).then(({ pictures }) => { image.src = pictures[at].src; }, () => figure.classList.add("missing"));
    return figure;
  }
}

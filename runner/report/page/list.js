// The list of specs, by file and block, and what of it is shown.

const ROW_HEIGHT = 28, HEAD_HEIGHT = 32, NAME_HEIGHT = 20; // see page.css

function rowOf(spec) {
  const row = h("a", { class: `row s-${spec.status}`, href: linkTo(spec), tabindex: -1, title: [...spec.blocks, spec.title].join(" › ") },
    h("span", { class: "mark", "aria-hidden": "true" }, MARKS[spec.status]), h("span", { class: "hidden" }, WORDS[spec.status] + ": "),
    h("span", { class: "name" }, spec.title),
    spec.real_us ? h("time", {}, duration(spec.real_us / 1000)) : null);
  row.spec = spec;
  row.hidden = !spec.shown;
  return row;
}

// The specs of one block of a file, below its name.
function blockOf(spec) {
  const small = h("small", {}), name = spec.blocks.join(" › ");
  const section = h("section", { class: "block" }, h("h2", { title: spec.path },
    h("span", { class: "path" }, "\u200e" + spec.path), small, name ? h("b", {}, name) : null));
  return { specs: [], small, section, head: HEAD_HEIGHT + (name ? NAME_HEIGHT : 0) };
}

function build(block) {
  if (block.built) return;
  block.built = true;
  block.section.append(...block.specs.map((spec) => spec.row = rowOf(spec)));
}

// Rows are made when they come into view; the others when the browser has nothing else to do.
function buildWhenSeen(blocks, element) {
  const bySection = new Map(blocks.map((block) => [block.section, block]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) build(bySection.get(entry.target));
  }, { root: element, rootMargin: "600px" });
  for (const block of blocks) watcher.observe(block.section);
  let next = 0;
  const later = window.requestIdleCallback || ((fn) => setTimeout(() => fn({ timeRemaining: () => 5 }), 50));
  later(function some(deadline) {
    while (next < blocks.length && deadline.timeRemaining() > 2) build(blocks[next++]);
    if (next < blocks.length) later(some);
    else watcher.disconnect();
  });
}

// { element, show(words, choice) -> the specs that are shown, mark(spec), row(spec) }
function specList(specs, element) {
  const byName = new Map();
  for (const spec of specs) {
    const key = [spec.path, ...spec.blocks].join("::");
    if (!byName.has(key)) byName.set(key, blockOf(spec));
    spec.block = byName.get(key);
    spec.block.specs.push(spec);
  }
  const blocks = [...byName.values()];
  const nothing = h("p", { class: "nothing", hidden: "" }, specs.length > 0 ? "No spec fits the filter." : "No spec was run.");
  element.append(...blocks.map((block) => block.section), nothing);
  let marked = null, reached = null;

  function show(words, choice) {
    const shown = [];
    for (const block of blocks) {
      let n = 0;
      for (const spec of block.specs) {
        spec.shown = (!choice.of || choice.of.includes(spec.status)) && words.every((word) => spec.text.includes(word));
        if (spec.row && spec.row.hidden === spec.shown) spec.row.hidden = !spec.shown;
        if (spec.shown) shown.push(spec);
        n += spec.shown ? 1 : 0;
      }
      block.section.hidden = n === 0;
      block.small.textContent = n === block.specs.length ? count(n) : `${count(n)} of ${count(block.specs.length)}`;
      block.section.style.minHeight = `${block.head + n * ROW_HEIGHT}px`;
    }
    nothing.hidden = shown.length > 0;
    return shown;
  }

  function row(spec) {
    build(spec.block);
    return spec.row;
  }

  // One row can be reached by Tab: the chosen one, or else the first of those that are shown.
  function mark(spec, shown) {
    if (marked) marked.removeAttribute("aria-current");
    if (reached) reached.tabIndex = -1;
    marked = spec ? row(spec) : null;
    reached = marked && spec.shown ? marked : shown.length ? row(shown[0]) : null;
    if (marked) marked.setAttribute("aria-current", "true");
    if (reached) reached.tabIndex = 0;
  }

  buildWhenSeen(blocks, element);
  return { element, show, mark, row };
}

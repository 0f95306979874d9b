// Brings the parts together: reads the events, fills the page, follows the address, the filter and the keyboard.

const WIDEST = 1060;

function verdictOf(run) {
  const n = tally(run.specs);
  if (!run.end) return ["warn", `cut off: the run did not come to its end; ${plural(n.all, "spec")} had`];
  const passed = [`${count(n.pass)} passed`, n.flaky ? `${count(n.flaky)} flaky` : null,
    n.xfail ? `${count(n.xfail)} failed as expected` : null, n.cut ? `${count(n.cut)} cut short` : null,
    n.skip ? `${count(n.skip)} skipped` : null].filter(Boolean).join(", ");
  if (run.end.interrupted) return ["warn", `interrupted: ${count(n.fail)} failed, ${passed}`];
  if (n.fail) return ["fail", `${count(n.fail)} failed, ${passed}`];
  if (run.end.exit !== 0) return ["warn", `exit status ${run.end.exit}: ${passed}`];
  return ["pass", n.pass === n.all ? `all ${passed}` : passed];
}

function runFacts({ start, end }) {
  return [start.target, start.clock && `${start.clock} clock`, start.seed !== undefined && `seed ${start.seed}`,
    start.sabotage && `sabotage ${start.sabotage}`, end && duration(end.real_us / 1000), start.version && `smcrun ${start.version}`]
    .filter(Boolean).join(" · ");
}

function page() {
  const byId = (id) => document.getElementById(id);
  const run = readRun(byId("events").textContent);
  const list = specList(run.specs, byId("list")), detail = byId("detail"), filter = byId("filter");
  const specById = new Map(run.specs.map((spec) => [spec.id, spec]));
  let choice = CHOICES[0], shown = run.specs, current, redrawn;

  const [kind, words] = verdictOf(run);
  byId("verdict").className = `verdict ${kind}`;
  byId("verdict").textContent = words;
  byId("facts").textContent = runFacts(run);
  document.title = `${words} - smcrun`;

  // ---- what is shown ----

  function draw() {
    const style = getComputedStyle(detail);
    const width = Math.min(WIDEST, detail.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
    const filtered = shown.length !== run.specs.length;
    const inner = h("div", { class: "inner" }, current ? specView(current, width, search) : overview(shown, run, filtered, width));
    detail.replaceChildren(inner);
  }

  function follow() {
    let id = "";
    try {
      id = decodeURIComponent(location.hash.slice(1));
    } catch (_) { /* not an address of ours */ }
    current = specById.get(id);
    list.mark(current, shown);
    draw();
    detail.scrollTop = 0;
    if (current) list.row(current).scrollIntoView({ block: "nearest" });
  }

  function go(spec) {
    history.replaceState(null, "", spec ? linkTo(spec) : "#");
    follow();
  }

  // ---- the filter ----

  function refilter() {
    shown = list.show(filter.value.toLowerCase().split(/\s+/).filter(Boolean), choice);
    list.mark(current, shown);
    clearTimeout(redrawn);
    if (!current) redrawn = setTimeout(draw, 100); // people go on typing
  }

  function search(text) {
    filter.value = text;
    go(null);
    refilter();
  }

  const counts = tally(run.specs);
  const chips = CHOICES.filter(({ key }) => key === "all" || key === "fail" || counts[key]).map((each) =>
    h("button", { type: "button", class: `s-${each.key}`, "aria-pressed": String(each === choice), onclick: () => {
      choice = each;
      for (const chip of chips) chip.setAttribute("aria-pressed", String(chip.choice === choice));
      refilter();
    } }, h("b", {}, count(counts[each.key])), each.word));
  chips.forEach((chip, i) => { chip.choice = CHOICES.filter(({ key }) => key === "all" || key === "fail" || counts[key])[i]; });
  byId("chips").append(...chips);
  filter.addEventListener("input", refilter);

  // ---- the keyboard ----

  function move(step) {
    const at = shown.indexOf(document.activeElement.spec);
    const spec = shown[Math.max(0, Math.min(shown.length - 1, at < 0 ? 0 : at + step))];
    if (!spec) return;
    go(spec);
    list.row(spec).focus({ preventScroll: true });
  }

  const STEPS_OF = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -Infinity, End: Infinity };
  list.element.addEventListener("keydown", (event) => {
    if (!(event.key in STEPS_OF) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move(STEPS_OF[event.key]);
  });
  filter.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      move(0);
    } else if (event.key === "Escape" && filter.value) {
      event.preventDefault();
      search("");
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea");
    if (event.key !== "/" || typing || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    filter.focus();
    filter.select();
  });

  let resized;
  addEventListener("resize", () => {
    cancelAnimationFrame(resized);
    resized = requestAnimationFrame(draw);
  });
  addEventListener("hashchange", follow);
  followPointer(byId("tip"));
  shown = list.show([], choice);
  follow();
  document.documentElement.dataset.ready = String(run.specs.length); // for those who wait for it
}

document.addEventListener("DOMContentLoaded", page);

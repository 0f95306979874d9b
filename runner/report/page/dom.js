"use strict";
// What the other parts are made of: elements, words for numbers.

// h("p", { class: "note" }, "text", child, ...): an HTML element.  Texts become text, never markup.
function h(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

// The same in SVG.
function s(name, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "tip") tips.set(element, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// What the pointer shows over an element: a text.
const tips = new WeakMap();

function followPointer(tip) {
  document.addEventListener("pointermove", (event) => {
    let at = event.target;
    while (at && !tips.has(at)) at = at.parentNode;
    tip.hidden = !at;
    if (!at) return;
    tip.textContent = tips.get(at);
    const left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
    const below = event.clientY + 16 + tip.offsetHeight < innerHeight;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = (below ? event.clientY + 16 : event.clientY - tip.offsetHeight - 10) + "px";
  });
  document.addEventListener("scroll", () => { tip.hidden = true; }, true);
}

// ---- words ---------------------------------------------------------------------------------

function count(n) { return String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f"); }

function plural(n, one, many) { return `${count(n)} ${n === 1 ? one : many || one + "s"}`; }

function short(n) { return String(Number(n.toPrecision(3))); }

function duration(ms) {
  if (ms === 0) return "0 ms";
  if (ms < 0.9995) return short(ms * 1000) + " µs";
  if (ms < 999.5) return short(ms) + " ms";
  if (ms < 59995) return short(ms / 1000) + " s";
  const seconds = Math.round(ms / 1000), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  const pair = (high, unit, low, name) => `${high} ${unit}` + (low ? ` ${low} ${name}` : "");
  return hours ? pair(hours, "h", minutes % 60, "min") : pair(minutes, "min", seconds % 60, "s");
}

function percent(part, whole) {
  const share = 100 * part / whole;
  return (share > 0 && share < 1 ? "<1" : Math.round(share)) + "\u202f%";
}

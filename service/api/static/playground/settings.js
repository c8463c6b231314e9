// The sliders and what they stand for.

const byId = (id) => document.getElementById(id);

const SECONDS = [0.5, 1, 2, 3, 5, 8, 13, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600];
const SLIDERS = {
  strength: (value) => Number(value).toFixed(2),
  size: (value) => `${value} px`,
  budget: () => (budget() === null ? free : `${budget()} s`),
  style_scale: (value) => `× ${Number(value).toFixed(1)}`,
};

let notches = []; // seconds; behind the last of them the slider says that there is no budget
let free = "as long as it takes";

/** Seconds, or null: as long as it takes. */
function budget() {
  return notches[Number(byId("budget").value)] ?? null;
}

/** Show values as sliders move. `changed` is called after each change of any setting. */
export function start(changed) {
  for (const name of Object.keys(SLIDERS)) byId(name).addEventListener("input", () => show(name));
  for (const name of [...Object.keys(SLIDERS), "color", "seed", "pooling", "format"]) byId(name).addEventListener("input", changed);
  Object.keys(SLIDERS).forEach(show);
}

/** Put the bounds of the service on the sliders; `limits` is what GET /version has. */
export function bound(limits) {
  const size = byId("size");
  size.min = Math.min(64, limits.max_size);
  size.max = limits.max_size;
  size.value = limits.default_size;
  notches = SECONDS.filter((seconds) => seconds <= limits.max_budget);
  free = limits.default_budget === null ? "as long as it takes" : `the usual ${limits.default_budget} s`;
  byId("budget").max = notches.length;
  byId("budget").value = notches.length;
  Object.keys(SLIDERS).forEach(show);
}

function show(name) {
  const input = byId(name);
  const text = SLIDERS[name](input.value);
  document.querySelector(`output[for=${name}]`).textContent = text;
  input.setAttribute("aria-valuetext", text);
}

/** Longest side in pixels that is of use of the photo and of an artwork. */
export function useful() {
  const size = Number(byId("size").value);
  return { photo: 2 * size, artwork: 2 * size * Math.max(1, Number(byId("style_scale").value)) };
}

/** [name, value] of each option: what was moved from its default, and always size, strength and format. */
export function options() {
  const value = (name) => byId(name).value;
  const chosen = [
    ["size", value("size")],
    ["strength", value("strength")],
    ["format", value("format")],
  ];
  if (budget() !== null) chosen.push(["budget", String(budget())]);
  if (value("color") !== "style") chosen.push(["color", value("color")]);
  if (Number(value("style_scale")) !== 1) chosen.push(["style_scale", value("style_scale")]);
  if (value("seed") !== "" && value("seed") !== "0") chosen.push(["seed", value("seed")]);
  if (value("pooling") !== "average") chosen.push(["pooling", value("pooling")]);
  return chosen;
}

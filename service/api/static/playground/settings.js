// The settings, and what a size costs here in seconds.

const byId = (id) => document.getElementById(id);

const BUDGETS = [1, 2, 3, 5, 8, 13, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600]; // seconds
const WORDS = { 128: "Tiny", 256: "Quick", 384: "Good", 512: "Fine", 768: "Large", 1024: "Very large" };
const PATIENCE = 10; // seconds that a first picture may take
const WORTHWHILE = 1 / 4; // of the time that a size needs: with less there is only a blur
const SLIDERS = {
  strength: (value) => Number(value).toFixed(2),
  style_scale: (value) => `× ${Number(value).toFixed(1)}`,
};
const NAMES = ["strength", "size", "budget", "color", "style_scale", "seed", "pooling", "format"];

let limits = { default_size: 256, max_size: 1024, default_budget: null, max_budget: Infinity };
let costs = new Map(); // size -> seconds
let wanted = {}; // values to take over once there are options for them
const settled = new Set(); // names of those that somebody has chosen: they stay when other options are offered

/** Show values as they change. `changed` is called after each change of any setting. */
export function start(changed) {
  for (const name of Object.keys(SLIDERS)) byId(name).addEventListener("input", () => show(name));
  byId("size").addEventListener("input", offerTimes);
  for (const name of NAMES) byId(name).addEventListener("input", () => settled.add(name));
  for (const name of NAMES) byId(name).addEventListener("input", changed);
  offerSizes();
  Object.keys(SLIDERS).forEach(show);
}

/** Offer what the service allows; `about` is what GET /version says. */
export function bound(about) {
  limits = about.limits;
  costs = new Map((about.sizes ?? []).map(({ size, seconds }) => [size, seconds]));
  offerSizes();
}

function offerSizes() {
  const sizes = [...new Set([...costs.keys(), limits.default_size, limits.max_size])].sort((one, other) => one - other);
  const affordable = sizes.filter((size) => costs.get(size) <= PATIENCE && size <= 1024);
  offer(byId("size"), sizes.map((size) => [String(size), sizeText(size)]), String(affordable.at(-1) ?? limits.default_size));
  offerTimes();
}

function sizeText(size) {
  const parts = [`${size} px`];
  if (WORDS[size]) parts.unshift(WORDS[size]);
  const seconds = costs.get(size);
  if (seconds > limits.max_budget) parts.push(`stops after ${limits.max_budget} s`);
  else if (seconds !== undefined) parts.push(about(seconds));
  return parts.join(", ");
}

function offerTimes() {
  const least = WORTHWHILE * (costs.get(size()) ?? 0);
  const { default_budget: usual, max_budget: most } = limits;
  const longest = Number.isFinite(most) ? `As long as it needs, up to ${most} s` : "As long as it needs";
  const budgets = BUDGETS.filter((seconds) => seconds >= least && seconds <= most);
  offer(byId("budget"), [["", usual === null ? longest : `The usual ${usual} s`], ...budgets.map((each) => [String(each), `${each} s`])], "");
}

/** Put options into a select, and keep what is chosen where it is still one of them. */
function offer(select, options, usual) {
  const chosen = [wanted[select.id], settled.has(select.id) ? select.value : undefined, usual];
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  select.value = chosen.find((value) => options.some(([each]) => each === value)) ?? options[0][0];
  if (select.value === wanted[select.id]) {
    settled.add(select.id);
    delete wanted[select.id];
  }
}

function show(name) {
  const input = byId(name);
  const text = SLIDERS[name](input.value);
  document.querySelector(`output[for=${name}]`).textContent = text;
  input.setAttribute("aria-valuetext", text);
}

/** Longest side of the result, in pixels. */
export function size() {
  return Number(byId("size").value);
}

/** A sentence about how long it will take; empty where nobody knows. */
export function estimate() {
  const budget = byId("budget").value || limits.default_budget;
  const seconds = Math.min(costs.get(size()) ?? NaN, limits.max_budget);
  if (budget) return `This takes ${budget} s at most.`;
  return Number.isNaN(seconds) ? "" : `This takes ${about(seconds)}.`;
}

function about(seconds) {
  return seconds < 1 ? "about a second" : `about ${Math.round(seconds)} s`;
}

/** Longest side in pixels that is of use of the photo and of an artwork. */
export function useful() {
  return { photo: 2 * size(), artwork: 2 * size() * Math.max(1, Number(byId("style_scale").value)) };
}

/** What is wrong with a setting: [{field, message}]. */
export function complaints() {
  const seed = byId("seed");
  return seed.validity.valid ? [] : [{ field: "seed", message: `Give a whole number from ${seed.min} to ${seed.max}.` }];
}

/** All values by name. */
export function values() {
  return Object.fromEntries(NAMES.map((name) => [name, byId(name).value]));
}

/** Set values that `values` gave. */
export function restore(given) {
  wanted = { size: given.size, budget: given.budget };
  for (const [name, value] of Object.entries(given)) if (NAMES.includes(name) && !(name in wanted)) byId(name).value = value;
  offerSizes();
  Object.keys(SLIDERS).forEach(show);
}

/** Set one value, as if somebody had moved it there. */
export function set(name, value) {
  byId(name).value = String(value);
  byId(name).dispatchEvent(new Event("input"));
}

/** [name, value] of each option: what was moved from its default, and always size, strength and format. */
export function options() {
  const value = (name) => byId(name).value;
  const chosen = [
    ["size", value("size")],
    ["strength", value("strength")],
    ["format", value("format")],
  ];
  if (value("budget")) chosen.push(["budget", value("budget")]);
  if (value("color") !== "style") chosen.push(["color", value("color")]);
  if (Number(value("style_scale")) !== 1) chosen.push(["style_scale", value("style_scale")]);
  if (value("seed") !== "" && value("seed") !== "0") chosen.push(["seed", value("seed")]);
  if (value("pooling") !== "average") chosen.push(["pooling", value("pooling")]);
  return chosen;
}

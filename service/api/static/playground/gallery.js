// The paintings to choose from: those of the service's catalogue, and the visitor's own.

import { description, forget, look } from "./pictures.js";
import * as store from "./store.js";

const byId = (id) => document.getElementById(id);
const own = new Map(); // value of its input -> picture
const shapes = new Map(); // the same of the catalogue -> {title, width, height}
const EVEN = 5; // of 1..10: as much of a painting as of the others
const weights = new Map(); // value of its input -> 1..10

let tell = () => {};
let count = 0;
let wanted = []; // values to choose once they are there

export function start(onChange) {
  tell = onChange;
  byId("gallery").addEventListener("change", changed);
  byId("gallery-more").addEventListener("click", () => {
    byId("gallery").classList.add("all");
    inputs().find((input) => input.checked)?.focus();
  });
  byId("blend").addEventListener("change", () => {
    blend();
    changed();
  });
}

/** Let several be chosen, or only one. */
function blend() {
  const [first] = checked();
  const many = byId("blend").checked;
  for (const input of inputs()) {
    if (!many) input.checked = input === first; // before it is a radio, which would undo others
    input.type = many ? "checkbox" : "radio";
  }
}

/** Show the catalogue; `styles` is what GET /styles has. The first one is chosen, unless something is already. */
export function fill(styles) {
  byId("gallery-said").hidden = true;
  for (const style of styles) {
    const value = `name:${style.name}`;
    const added = tile(value, `styles/${encodeURIComponent(style.name)}/thumbnail`, style.title);
    shapes.set(value, style);
    added.querySelector("input").dataset.credit = [style.title, style.artist, style.year, style.licence].filter(Boolean).join(", ");
    byId("gallery").append(added);
  }
  choose();
}

/** Choose what was chosen before the page was loaded again, as far as it is there, and something in any case. */
function choose() {
  for (const input of inputs()) if (wanted.includes(input.value)) input.checked = true;
  wanted = wanted.filter((value) => !inputs().some((input) => input.value === value));
  const [first] = inputs();
  if (first && checked().length === 0) first.checked = true;
  changed();
}

/** Add pictures of pictures.js as paintings of the visitor's own, and choose them. */
export function add(pictures, longest) {
  for (const picture of pictures) {
    const id = ++count;
    insert(id, picture, longest).querySelector("input").checked = true;
    store.keep("painting", id, picture.file);
  }
  changed();
}

function insert(id, picture, longest) {
  const value = `own:${id}`;
  const { file } = picture;
  own.set(value, picture);
  const added = tile(value, picture.url, file.name);
  const remove = document.createElement("button");
  remove.type = "button";
  remove.className = "remove";
  remove.textContent = "×";
  remove.setAttribute("aria-label", `Remove ${file.name}`);
  remove.addEventListener("click", () => {
    added.remove();
    forget(picture);
    own.delete(value);
    store.drop("painting", id);
    (inputs()[0] ?? byId("painting-file")).focus();
    choose();
  });
  added.append(remove);
  added.querySelector("input").dataset.credit = `${file.name}, ${description(picture, longest)}`;
  byId("gallery").prepend(added);
  return added;
}

/** What to restore: which are chosen. */
export function values() {
  return { blend: byId("blend").checked, chosen: [...wanted, ...checked().map((input) => input.value)] };
}

/** Bring back what this tab had before the page was loaded again. */
export async function restore(given, longest) {
  wanted = given?.chosen ?? [];
  byId("blend").checked = given?.blend ?? false;
  for (const { id, value: file } of await store.kept("painting")) {
    count = Math.max(count, id);
    insert(id, await look(file), longest);
  }
  blend();
  for (const input of inputs()) if (wanted.includes(input.value)) input.checked = true;
  wanted = wanted.filter((value) => !own.has(value));
  changed();
}

/** What is chosen, in the order that the service blends it: {pictures, names, weights}; weights null: all alike. */
export function chosen() {
  const found = artworks();
  const given = found.map(({ value }) => weights.get(value) ?? EVEN);
  return {
    pictures: found.filter(({ value }) => own.has(value)).map(({ value }) => own.get(value)),
    names: found.filter(({ value }) => !own.has(value)).map(({ value }) => value.slice("name:".length)),
    weights: new Set(given).size > 1 ? given : null,
  };
}

/** The same in one list: {value, title, width, height} of each. */
export function artworks() {
  const found = checked().map(({ value }) => {
    const { file, title, width, height } = own.get(value) ?? shapes.get(value);
    return { value, title: title ?? file.name, width, height };
  });
  return [...found.filter(({ value }) => own.has(value)), ...found.filter(({ value }) => !own.has(value))];
}

function changed() {
  byId("credit").textContent = checked().map((input) => input.dataset.credit).join("; ");
  const blended = artworks();
  byId("weights").hidden = blended.length < 2;
  byId("weights").replaceChildren(...(blended.length < 2 ? [] : blended.map(weight)));
  tell();
}

/** A slider: how much of this painting. */
function weight({ value, title }) {
  const label = document.createElement("label");
  label.textContent = title;
  const slider = document.createElement("input");
  [slider.type, slider.min, slider.max, slider.value] = ["range", "1", "10", String(weights.get(value) ?? EVEN)];
  slider.addEventListener("input", () => {
    weights.set(value, Number(slider.value));
    tell();
  });
  label.append(slider);
  return label;
}

function inputs() {
  return [...byId("gallery").querySelectorAll("input")];
}

function checked() {
  return inputs().filter((input) => input.checked);
}

function tile(value, source, title) {
  const box = document.createElement("div");
  box.className = "tile";
  const label = document.createElement("label");
  const input = document.createElement("input");
  input.type = byId("blend").checked ? "checkbox" : "radio";
  input.name = "painting";
  input.value = value;
  const face = document.createElement("span");
  face.className = "face";
  const image = document.createElement("img");
  image.src = source;
  image.alt = "";
  const name = document.createElement("span");
  name.className = "title";
  name.textContent = title;
  face.append(image, name);
  label.append(input, face);
  box.append(label);
  return box;
}

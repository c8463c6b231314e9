// The paintings to choose from: those of the service's catalogue, and the visitor's own.

import { description, forget, look } from "./pictures.js";

const byId = (id) => document.getElementById(id);
const own = new Map(); // value of its input -> picture
const shapes = new Map(); // the same of the catalogue -> {title, width, height}

let tell = () => {};
let count = 0;

export function start(onChange) {
  tell = onChange;
  byId("gallery").addEventListener("change", changed);
  byId("blend").addEventListener("change", () => {
    const [first] = checked();
    for (const input of inputs()) {
      if (!byId("blend").checked) input.checked = input === first; // before it is a radio, which would undo others
      input.type = byId("blend").checked ? "checkbox" : "radio";
    }
    changed();
  });
}

/** Show the catalogue; `styles` is what GET /styles has. The first one is chosen, unless something is already. */
export function fill(styles) {
  for (const style of styles) {
    const credit = [style.artist, style.year].filter(Boolean).join(", ");
    const thumbnail = `styles/${encodeURIComponent(style.name)}/thumbnail`;
    const added = tile(`name:${style.name}`, thumbnail, style.title, credit);
    shapes.set(`name:${style.name}`, style);
    added.querySelector("input").dataset.credit = [style.title, credit, style.licence].filter(Boolean).join(", ");
    byId("gallery").append(added);
  }
  const [first] = inputs();
  if (first && checked().length === 0) first.checked = true;
  changed();
}

/** Add paintings of the visitor's own, and choose them. */
export async function add(files, longest) {
  for (const file of files) {
    const picture = await look(file);
    const value = `own:${++count}`;
    own.set(value, picture);
    const added = tile(value, picture.url, file.name, description(picture, longest));
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "remove";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.addEventListener("click", () => {
      added.remove();
      forget(picture);
      own.delete(value);
      const [first] = inputs();
      if (first && checked().length === 0) first.checked = true;
      (first ?? byId("painting-file")).focus();
      changed();
    });
    added.append(remove);
    added.querySelector("input").dataset.credit = `${file.name}, ${description(picture, longest)}`;
    byId("gallery").prepend(added);
    added.querySelector("input").checked = true;
    added.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  changed();
}

/** What is chosen, in the order that the service blends it: {pictures, names}. */
export function chosen() {
  const values = checked().map((input) => input.value);
  return {
    pictures: values.filter((value) => own.has(value)).map((value) => own.get(value)),
    names: values.filter((value) => value.startsWith("name:")).map((value) => value.slice("name:".length)),
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
  tell();
}

function inputs() {
  return [...byId("gallery").querySelectorAll("input")];
}

function checked() {
  return inputs().filter((input) => input.checked);
}

function tile(value, source, title, credit) {
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
  face.append(image, text("title", title), text("credit", credit));
  label.append(input, face);
  box.append(label);
  return box;
}

function text(name, content) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = content;
  return span;
}

// Which part of the photo is painted like which painting: a mask file, or what was brushed on the photo.

import { brush } from "./brush.js";
import { Labels, png } from "./labels.js";
import { fitting } from "./pictures.js";

const byId = (id) => document.getElementById(id);
const LONGEST = 512; // cells of what is brushed
const [REST, LEFT, FIRST] = [0, 1, 2]; // labels: what was not brushed, what stays the photo, the first painting
const PALETTE = [
  [0, 0, 0], // stays the photo
  [255, 255, 255], // the rest
  ...[[230, 60, 60], [50, 120, 255], [255, 205, 0], [20, 170, 80], [190, 70, 220], [255, 135, 20], [0, 190, 200], [240, 110, 175]],
];
const MOST = PALETTE.length - FIRST; // paintings that the service takes

let labels = null; // what was brushed
let owners = []; // which painting the labels from FIRST on stand for
let file = null; // a mask of the visitor's own, instead
let repaint = () => {};

/** Wire it up. `changed` is called after each change. */
export function start(changed) {
  const board = brush(byId("board-canvas"), byId("board-brush"), {
    labels: () => labels,
    label: () => Number(document.querySelector("input[name=brush]:checked").value),
    radius: () => (Number(byId("brush-size").value) / 200) * Math.max(labels.width, labels.height),
    veil,
    done() {
      file = null;
      changed();
    },
  });
  repaint = board.draw;
  byId("brush-size").addEventListener("input", board.point);
  byId("brush-undo").addEventListener("click", () => {
    labels.undo();
    board.draw();
    changed();
  });
  byId("brush-clear").addEventListener("click", () => {
    labels.keep();
    labels.map(() => REST);
    board.draw();
    changed();
  });
  byId("regions-file").addEventListener("change", ({ target }) => {
    if (target.files.length) [file, labels] = [target.files[0], null];
    target.value = "";
    changed();
  });
  byId("regions-remove").addEventListener("click", () => {
    reset();
    changed();
    byId("regions-brush").focus();
  });
}

/** Stripes for what is not painted, which are to be seen on what is dark and on what is light. */
function veil(label) {
  if (label === LEFT) return [[0, 0, 0, 190], [70, 70, 70, 190]];
  const flat = label === REST ? [0, 0, 0, 0] : [...PALETTE[label], 150];
  return [flat, flat];
}

/** No regions any more. */
export function reset() {
  [labels, owners, file] = [null, [], null];
}

/** Let the visitor brush on a photo of pictures.js; `artworks` are those of the gallery that are chosen. */
export function open(photo, artworks) {
  const kept = owners.map((value) => artworks.findIndex((artwork) => artwork.value === value));
  labels ??= new Labels(...fitting(photo.width, photo.height, LONGEST));
  labels.map((label) => (label < FIRST ? label : kept[label - FIRST] < 0 ? REST : FIRST + kept[label - FIRST]));
  labels.before = [];
  owners = artworks.map(({ value }) => value);
  const brushes = [choice(LEFT, "Not painted")];
  if (artworks.length > 1) brushes.push(...artworks.slice(0, MOST).map(({ title }, at) => choice(FIRST + at, title)));
  brushes.push(choice(REST, "Eraser"));
  byId("brushes").replaceChildren(byId("brushes").querySelector("legend"), ...brushes);
  brushes[0].querySelector("input").checked = true;
  byId("board-photo").src = photo.url;
  byId("board").style.setProperty("--ratio", String(photo.width / photo.height));
  byId("regions-dialog").showModal();
  repaint();
  brushes[0].querySelector("input").focus();
}

function choice(label, title) {
  const box = document.createElement("label");
  box.className = "check";
  const input = document.createElement("input");
  [input.type, input.name, input.value] = ["radio", "brush", String(label)];
  const swatch = document.createElement("span");
  swatch.className = label === REST ? "swatch none" : "swatch";
  if (label !== REST) swatch.style.setProperty("--label", `rgb(${PALETTE[label === LEFT ? 0 : label]})`);
  box.append(input, swatch, title);
  return box;
}

/**
 * What was brushed, for these artworks, in indices of the palette: {of, used}. `of` has the index of each label, `used`
 * says of each artwork whether something was brushed for it. Null: nothing was brushed.
 *
 * What was not brushed is for the artworks that have no place of their own; where all have one, it is the first one's.
 */
function meaning(artworks) {
  const there = labels?.shares() ?? [];
  if (!there.some((share, label) => share > 0 && label !== REST)) return null;
  const place = (label) => artworks.findIndex(({ value }) => value === owners[label - FIRST]);
  const used = artworks.map(() => false);
  for (let label = FIRST; label < there.length; label++) if (there[label] && place(label) >= 0) used[place(label)] = true;
  const rest = artworks.length && used.every(Boolean) ? FIRST : 1;
  const of = there.map((_, label) => (label === REST ? rest : label === LEFT ? 0 : place(label) < 0 ? rest : FIRST + place(label)));
  of[REST] = rest;
  return { of, used };
}

/** [field, name] of each file that `files` makes. */
export function names(artworks) {
  if (file) return [["content_mask", file.name]];
  const found = meaning(artworks);
  if (!found) return [];
  const styles = found.used.some(Boolean) ? artworks.map((_, at) => ["style_mask", `regions-${at + 1}.png`]) : [];
  return [["content_mask", "regions.png"], ...styles];
}

/** [field, File] of each mask; `size` is [width, height] of the photo that goes with them, whose shape the first has. */
export async function files(artworks, size) {
  if (file) return [["content_mask", file]];
  const found = meaning(artworks);
  if (!found) return [];
  const useful = fitting(...size, 4 * LONGEST); // more would only be more bytes
  const painted = labels.resized(...useful).map((label) => found.of[label]);
  const masks = [png(...useful, PALETTE, painted)];
  if (found.used.some(Boolean)) masks.push(...artworks.map((artwork, at) => flat(artwork, found.used[at] ? FIRST + at : 1)));
  const blobs = await Promise.all(masks);
  return names(artworks).map(([field, name], at) => [field, new File([blobs[at]], name, { type: "image/png" })]);
}

/** The mask of an artwork, all of which is for one region. */
function flat({ width, height }, index) {
  const size = fitting(width ?? 1, height ?? 1, LONGEST);
  return png(...size, PALETTE, new Uint8Array(size[0] * size[1]).fill(index));
}

/** Say which regions there are, and offer the files that were made here: the command needs them. */
export function show(photo, artworks) {
  const found = meaning(artworks);
  const about = file ? file.name : found ? description(found, artworks) : "All of the photo is painted.";
  for (const id of ["regions-about", "regions-said"]) byId(id).textContent = about;
  byId("regions-remove").hidden = !file && !found;
  const buttons = (file ? [] : names(artworks)).map(([, name]) => {
    const button = document.createElement("button");
    [button.type, button.className, button.textContent] = ["button", "link", name];
    button.addEventListener("click", () => save(name, photo, artworks));
    return button;
  });
  byId("mask-files").hidden = buttons.length === 0;
  byId("mask-files").querySelector("span").replaceChildren(...buttons);
}

async function save(name, { width, height }, artworks) {
  const made = await files(artworks, [width, height]);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(made.find(([, each]) => each.name === name)[1]);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function description({ of, used }, artworks) {
  const shares = PALETTE.map(() => 0);
  labels.shares().forEach((share, label) => (shares[of[label]] += share));
  const percent = (index) => `${Math.max(1, Math.round(100 * shares[index]))} %`;
  const said = shares[0] ? [`${percent(0)} stays the photo`] : [];
  if (!used.some(Boolean)) return `${said.join(", ")}.`;
  artworks.forEach(({ title }, at) => used[at] && said.push(`${percent(FIRST + at)} like ${title}`));
  const others = artworks.filter((_, at) => !used[at]).map(({ title }) => title);
  if (shares[1]) said.push(`the rest like ${others.join(" and ")}`);
  return `${said.join(", ")}.`;
}

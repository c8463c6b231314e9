// The frame: an example at first, what is being painted, and the pictures of this session.

import { slider } from "./compare.js";
import * as store from "./store.js";

const byId = (id) => document.getElementById(id);
const TITLE = document.title;
const OURS = "Your picture";
const EXAMPLE = {
  title: byId("stage-title").textContent,
  before: byId("before").src,
  after: byId("after").src,
  facts: byId("facts").textContent,
  ratio: 640 / 426,
  width: 640,
};
const MOST = 2; // a picture is never shown larger than this many times its own size

const moveSlider = slider(byId("compare"), byId("handle"));
const records = new Map(); // id -> {id, url, photoUrl, ...what `add` takes}
let shown = null; // id of the record in the frame; null: the example
let waiting = null; // object URL of the photo that is being painted

/** The record in the frame, or null. */
export function current() {
  return records.get(shown) ?? null;
}

/** Wire it up, and bring back what this tab had before the page was loaded again. */
export async function start() {
  byId("pictures-clear").addEventListener("click", clear);
  byId("strip").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) show(Number(button.value));
  });
  byId("enlarge").addEventListener("click", enlarge);
  for (const [id, factor] of [["viewer-in", 1.5], ["viewer-out", 1 / 1.5]])
    byId(id).addEventListener("click", () => zoom(Number(byId("viewer-image").dataset.scale) * factor));
  byId("viewer-fit").addEventListener("click", () => zoom(fitting()));
  addEventListener("visibilitychange", () => document.hidden || painting() || title(""));
  store.sweep();
  place(EXAMPLE);
  moveSlider(0);
  for (const { id, value } of await store.kept("picture")) remember(id, value);
  if (records.size) show(Math.max(...records.keys()));
}

// ---- While it is painted

export function painting() {
  return !byId("working").hidden;
}

/** Show the photo, faintly, in place of what was there. `size` is the longest side of the result. */
export function begin(photo, { width, height }, size) {
  waiting = URL.createObjectURL(photo);
  const preview = byId("preview");
  preview.hidden = width === null;
  byId("compare").inert = width !== null; // one covers the other
  if (width !== null) {
    preview.src = waiting;
    place({ ratio: width / height, width: width > height ? size : (size * width) / height });
  }
  preview.classList.add("waiting");
  byId("stage-title").textContent = OURS;
  byId("done").hidden = byId("notice").hidden = byId("facts").hidden = true;
  byId("working").hidden = false;
  byId("paint").disabled = true;
  byId("progress").removeAttribute("value");
  byId("stage").scrollIntoView({ block: "nearest" });
  byId("cancel").focus({ preventScroll: true });
}

/** Say how far it is, on the page and in the tab's title; `fraction` null: nobody knows. */
export function progress(fraction, text) {
  if (fraction === null) byId("progress").removeAttribute("value");
  else byId("progress").value = fraction;
  byId("said").textContent = text;
  title(fraction === null ? "Waiting" : `${Math.floor(100 * fraction)} %`);
}

export function preview(source) {
  const image = byId("preview");
  image.src = source;
  image.hidden = false;
  byId("compare").inert = true;
  image.classList.remove("waiting");
}

/** Nothing is painted any more: the last picture is there again, or the example. */
export function rest(notice = "") {
  URL.revokeObjectURL(waiting);
  byId("working").hidden = byId("preview").hidden = true;
  byId("compare").inert = byId("facts").hidden = byId("paint").disabled = false;
  byId("stage-title").textContent = shown === null ? EXAMPLE.title : OURS;
  byId("done").hidden = shown === null;
  byId("notice").textContent = notice;
  byId("notice").hidden = notice === "";
  place(current() ?? EXAMPLE);
  title("");
}

/** What the tab's title begins with. */
function title(text) {
  document.title = text ? `${text} · ${TITLE}` : TITLE;
}

// ---- The pictures of this session

/**
 * Show a picture that has been painted, and keep it.
 *
 * @param made {picture, photo, facts, values, width, height}: picture and photo are Files; photo is null where this browser
 *   cannot show it; values are those of settings.js.
 */
export async function add(made) {
  const id = Math.max(0, ...records.keys()) + 1;
  remember(id, made);
  show(id);
  if (document.hidden) title("Done");
  await store.keep("picture", id, made);
}

function remember(id, made) {
  const { picture, photo, width, height } = made;
  records.set(id, {
    ...made,
    id,
    url: URL.createObjectURL(picture),
    photoUrl: photo && URL.createObjectURL(photo),
    ratio: width / height,
  });
  const image = document.createElement("img");
  image.src = records.get(id).url;
  image.alt = "";
  const button = document.createElement("button");
  [button.type, button.value] = ["button", String(id)];
  button.setAttribute("aria-label", `Picture ${id}: ${picture.name}`);
  button.append(image);
  const item = document.createElement("li");
  item.append(button);
  byId("strip").prepend(item);
  byId("pictures").hidden = false;
}

function show(id) {
  shown = id;
  const { url, photoUrl, picture, facts } = current();
  byId("stage-title").textContent = OURS;
  byId("after").src = byId("viewer-image").src = url;
  byId("before").hidden = byId("handle").hidden = photoUrl === null;
  if (photoUrl) byId("before").src = photoUrl;
  moveSlider(0);
  byId("download").href = url;
  byId("download").download = picture.name;
  byId("share").hidden = !navigator.canShare?.({ files: [picture] });
  byId("facts").textContent = facts;
  for (const button of byId("strip").querySelectorAll("button")) button.setAttribute("aria-current", String(button.value === String(id)));
  if (painting()) return;
  place(current());
  byId("done").hidden = false;
}

function clear() {
  for (const { url, photoUrl } of records.values()) for (const each of [url, photoUrl]) if (each) URL.revokeObjectURL(each);
  records.clear();
  store.clear("picture");
  shown = null;
  byId("strip").replaceChildren();
  byId("pictures").hidden = byId("done").hidden = true;
  byId("stage-title").textContent = EXAMPLE.title;
  byId("before").hidden = byId("handle").hidden = false;
  [byId("before").src, byId("after").src, byId("facts").textContent] = [EXAMPLE.before, EXAMPLE.after, EXAMPLE.facts];
  moveSlider(0);
  if (!painting()) place(EXAMPLE);
  byId("stage-title").focus({ preventScroll: true });
}

function place({ ratio, width }) {
  byId("frame").style.setProperty("--ratio", String(ratio));
  byId("frame").style.setProperty("--most", `${MOST * width}px`);
}

// ---- Enlarged

function enlarge() {
  byId("viewer").showModal();
  zoom(fitting());
}

/** The scale at which all of the picture is in sight, and not too soft. */
function fitting() {
  const { naturalWidth: width, naturalHeight: height } = byId("viewer-image");
  const { clientWidth, clientHeight } = byId("viewer-view");
  return Math.min(MOST, clientWidth / width, clientHeight / height);
}

function zoom(scale) {
  const image = byId("viewer-image");
  const bounded = Math.min(8, Math.max(Math.min(1, fitting()), scale));
  image.dataset.scale = String(bounded);
  image.style.width = `${Math.floor(image.naturalWidth * bounded)}px`;
  byId("viewer-scale").textContent = `${Math.round(100 * bounded)} %`;
}

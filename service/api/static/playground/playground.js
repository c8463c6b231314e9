// The playground: what the visitor chooses goes to POST /stylize, and what comes back is shown.

import { ask, chosen, dropped } from "./files.js";
import * as gallery from "./gallery.js";
import * as keys from "./key.js";
import { complaint, description, forget, look, packed, smaller } from "./pictures.js";
import * as regions from "./regions.js";
import { Refused, curl, get, stylize } from "./service.js";
import * as settings from "./settings.js";
import * as stage from "./stage.js";
import * as start from "./start.js";
import * as store from "./store.js";
import * as trouble from "./trouble.js";

const byId = (id) => document.getElementById(id);
const VERSION_SECONDS = 2;
const STOPPED = {
  budget: "The time was up before it was done: for a better picture allow more time, or choose a smaller size.",
  "budget-too-small": "The time was too short for this size, so this is a smaller picture, enlarged.",
};
const EXTENSIONS = { jpeg: "jpg" };
const STEP = 0.15; // of strength: a clear difference
const SAMPLES = [
  ["chelsea.jpg", "A cat"],
  ["astronaut.jpg", "A portrait"],
  ["coffee.jpg", "A cup of coffee"],
  ["rocket.jpg", "A rocket at dusk"],
];
const SAMPLE_PAINTINGS = ["stained-glass.jpg", "starfield-strokes.jpg", "indigo-waves.jpg"];

let photo = null;
let limits = null;
let painting = null; // the AbortController of the request that is under way

/** Say a sentence to those who listen instead of looking. */
function say(sentence) {
  byId("status").textContent = sentence;
}

// ---- What is chosen

/** The pictures among these files; what is wrong with the others is said at the field. */
async function readable(files, field) {
  trouble.clear();
  const pictures = await Promise.all(files.map(look));
  const errors = pictures.map(complaint).filter(Boolean);
  pictures.filter(complaint).forEach(forget);
  trouble.mark(errors.map((message) => ({ field, message })));
  if (errors.length) say(errors.join(" "));
  return pictures.filter((picture) => !complaint(picture));
}

async function takePhoto(file) {
  const [picture] = await readable([file], "content");
  if (!picture) return;
  usePhoto(picture);
  store.keep("photo", 0, file);
  say(`Photo: ${file.name}`);
}

function usePhoto(picture) {
  forget(photo);
  photo = picture;
  regions.reset();
  refresh();
}

async function takePaintings(files) {
  const pictures = await readable(files, "style");
  if (pictures.length === 0) return;
  gallery.add(pictures, settings.useful().artwork);
  say(pictures.length === 1 ? `Painting: ${pictures[0].file.name}` : `${pictures.length} paintings added`);
}

/** Files that could be either: the photo first where there is none yet, else whatever the visitor says. */
async function takeEither(files) {
  if (document.querySelector("dialog[open]")) return;
  const [first, ...others] = files;
  const what = photo === null ? "photo" : await ask(files);
  if (what === "painting") await takePaintings(files);
  if (what === "photo") {
    await takePhoto(first);
    if (others.length) await takePaintings(others);
  }
}

function removePhoto() {
  usePhoto(null);
  store.drop("photo", 0);
  byId("photo-file").focus();
}

/** A picture of the page's own, as a file. */
async function sample(name) {
  const answer = await fetch(`playground/${name}`);
  return new File([await answer.blob()], name, { type: "image/jpeg" });
}

function offerSamples() {
  const buttons = SAMPLES.map(([name, title]) => {
    const button = document.createElement("button");
    button.type = "button";
    const image = document.createElement("img");
    [image.src, image.alt] = [`playground/${name}`, title];
    button.append(image);
    button.addEventListener("click", async () => takePhoto(await sample(name)));
    return button;
  });
  byId("samples").querySelector(".samples").replaceChildren(...buttons);
}

/** Show what is chosen, and keep it for when the page is loaded again. */
function refresh() {
  const box = byId("photo-chosen");
  byId("photo-drop").classList.toggle("small", photo !== null);
  byId("samples").hidden = photo !== null;
  box.hidden = photo === null;
  if (photo !== null) {
    if (box.dataset.url !== photo.url) box.replaceChildren(...photoTile());
    box.dataset.url = photo.url;
    box.querySelector(".about").textContent = description(photo, settings.useful().photo);
  }
  regions.show(photo, gallery.artworks());
  byId("command").textContent = command();
  byId("estimate").textContent = settings.estimate();
  store.keepSettings({ values: settings.values(), gallery: gallery.values() });
}

/** Let the visitor brush on the photo; without one that can be shown, say so. */
function brushOn() {
  trouble.clear();
  if (photo === null) trouble.mark([{ field: "content", message: "Choose a photo first." }]);
  else if (photo.width === null)
    trouble.mark([{ field: "content_mask", message: "This browser cannot show the photo, so use a mask file instead." }]);
  else regions.open(photo, gallery.artworks());
}

function photoTile() {
  const image = document.createElement("img");
  image.src = photo.url;
  image.alt = photo.width === null ? "" : "The photo";
  image.hidden = photo.width === null;
  const text = document.createElement("p");
  const name = document.createElement("strong");
  name.textContent = photo.file.name;
  const about = document.createElement("span");
  about.className = "about";
  text.append(name, about);
  const remove = document.createElement("button");
  remove.type = "button";
  remove.textContent = "Remove";
  remove.setAttribute("aria-label", `Remove ${photo.file.name}`);
  remove.addEventListener("click", removePhoto);
  return [image, text, remove];
}

function extension() {
  const format = byId("format").value;
  return EXTENSIONS[format] ?? format;
}

/** "holiday-stained-glass.png" for holiday.jpg painted like stained-glass. */
function resultName() {
  const { pictures, names } = gallery.chosen();
  const parts = [photo?.file.name ?? "photo", ...pictures.map(({ file }) => file.name), ...names];
  return `${parts.map((part) => part.replace(/\.\w+$/, "").slice(0, 40)).join("-")}.${extension()}`;
}

function fields() {
  const { names, weights } = gallery.chosen();
  const blend = weights ? [["style_weights", weights.join(",")]] : [];
  return [...names.map((name) => ["style_name", name]), ...blend, ...settings.options()];
}

function command() {
  const { pictures, names } = gallery.chosen();
  const files = [["content", photo?.file.name ?? "photo.jpg"]];
  for (const picture of pictures) files.push(["style", picture.file.name]);
  if (pictures.length + names.length === 0) files.push(["style", "painting.jpg"]);
  files.push(...regions.names(gallery.artworks()));
  if (start.current()) files.push(["init_image", start.current().file.name]);
  return curl(files, fields(), extension(), keys.current() !== null);
}

// ---- Painting

async function body() {
  const { pictures } = gallery.chosen();
  const useful = settings.useful();
  const form = new FormData();
  const content = await packed(photo, useful.photo);
  form.append("content", content, photo.file.name);
  for (const picture of pictures) form.append("style", await packed(picture, useful.artwork), picture.file.name);
  const size = smaller(photo, useful.photo) ?? [photo.width, photo.height];
  for (const [name, mask] of await regions.files(gallery.artworks(), size)) form.append(name, mask, mask.name);
  const first = start.current();
  if (first) form.append("init_image", await packed(first, useful.photo), first.file.name);
  const bytes = [...form.values()].reduce((sum, part) => sum + part.size, 0);
  // The service would hang up while such a body is still on its way.
  if (limits && bytes > limits.max_upload_bytes - 10_000) {
    const detail = `Together the pictures have ${megabytes(bytes)}, and ${megabytes(limits.max_upload_bytes)} can be sent. Choose smaller ones.`;
    throw new Refused({ title: "The pictures are too large", detail, errors: [{ field: "content", message: detail }] });
  }
  for (const [name, value] of fields()) form.append(name, value);
  return { form, content };
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Whether something is missing or wrong, so that the service would only refuse. */
function missing() {
  const { pictures, names } = gallery.chosen();
  const errors = settings.complaints();
  if (pictures.length + names.length === 0) errors.unshift({ field: "style", message: "Choose a painting first." });
  if (photo === null) errors.unshift({ field: "content", message: "Choose a photo first." });
  trouble.mark(errors);
  if (errors.length) say(errors.map((error) => error.message).join(" "));
  return errors.length > 0;
}

async function paint() {
  if (painting !== null) return;
  trouble.clear();
  if (missing()) return;
  painting = new AbortController();
  const { signal } = painting;
  try {
    const { form, content } = await body();
    stage.begin(content, photo, settings.size());
    stage.progress(null, "Sending the pictures…");
    const asked = { name: resultName(), values: settings.values(), photo: photo.width === null ? null : content };
    const events = watcher(asked);
    for await (const { name, data } of stylize(form, keys.current(), signal)) events[name]?.(data);
  } catch (error) {
    stage.rest();
    if (signal.aborted) stopped("Cancelled.");
    else if (error instanceof Refused && error.problem.status === 401) keys.ask(error.problem.detail);
    else if (error instanceof Refused) trouble.show(error, say);
    else throw error;
  } finally {
    painting = null;
  }
}

/** Nothing came of it, and the visitor knows why. */
function stopped(why) {
  stage.rest(why);
  say(why);
  byId("paint").focus();
}

/** What each event of a stream does. */
function watcher(asked) {
  let quarter = 0;
  return {
    queued({ position, seconds }) {
      const wait = seconds >= 1 ? `, about ${Math.ceil(seconds)} s` : "";
      const text = position > 0 ? `Waiting for ${counted(position, "other picture")}${wait}` : "Starting…";
      stage.progress(null, text);
      say(text);
    },
    progress({ fraction, evaluations, seconds_left: left, width, height }) {
      const parts = [remaining(left), counted(evaluations, "step"), `${width}\u00a0×\u00a0${height}`];
      stage.progress(fraction, parts.filter(Boolean).join(" · "));
      const now = Math.floor(fraction * 4);
      if (now > quarter && now < 4) say(`${now * 25} %. ${remaining(left)}`);
      quarter = Math.max(quarter, now);
    },
    preview: ({ image, media_type: type }) => stage.preview(`data:${type};base64,${image}`),
    result: (report) => finish(report, asked),
  };
}

function remaining(seconds) {
  if (seconds === null) return "";
  return seconds < 1 ? "almost done" : `about ${Math.ceil(seconds)} s left`;
}

function finish(report, { name, values, photo: before }) {
  const watched = document.activeElement === byId("cancel");
  const { width, height } = report;
  const facts =
    `${width} × ${height}, ${counted(report.evaluations, "step")} in ${report.timings.optimise.toFixed(1)} s, strength ` +
    `${values.strength}, seed ${report.seed}. ${STOPPED[report.stopped] ?? ""}`;
  const picture = new File([bytesOf(report.image)], name, { type: report.media_type });
  stage.rest();
  stage.add({ picture, photo: before, facts: facts.trim(), values, width, height });
  if (watched) byId("stage-title").focus({ preventScroll: true });
  say("Your picture is done.");
}

function counted(number, thing) {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

function networkName(name) {
  return name.replace(/^vgg(\d+)$/, "VGG-$1");
}

// ---- Once more

/** Start the next picture from the one that is shown. */
async function onwards() {
  await start.take(stage.current().picture);
  byId("advanced").open = true;
  byId("init_image").focus();
  say("The next picture starts from this one.");
}

/** Paint again with more or less strength than the picture that is shown, within 0..1. */
function paintWith(difference) {
  settings.set("strength", Math.min(1, Math.max(0, Number(stage.current().values.strength) + difference)));
  paint();
}

function paintAnother() {
  settings.set("seed", 1 + Math.floor(Math.random() * 9999));
  paint();
}

function reuse() {
  settings.restore(stage.current().values);
  refresh();
  say("The settings are those of this picture.");
}

async function share() {
  try {
    await navigator.share({ files: [stage.current().picture] });
  } catch {
    // the visitor has changed their mind
  }
}

// ---- The page

async function copyCommand() {
  const text = byId("command");
  let copied = false;
  try {
    await navigator.clipboard.writeText(text.textContent);
    copied = true;
  } catch {
    getSelection().selectAllChildren(text); // without TLS there is no clipboard; what is selected can be copied
  }
  byId("copy").textContent = copied ? "Copied" : "Press Ctrl+C";
  say(copied ? "Copied." : "The command is selected: copy it.");
  setTimeout(() => (byId("copy").textContent = "Copy as curl"), 2000);
}

/** Ask what paints, again until it is loaded. */
async function introduce() {
  let about = null;
  try {
    about = await get("version");
  } catch {
    byId("backbone").textContent = "The service does not answer at the moment.";
  }
  if (!about?.limits) {
    if (about) byId("backbone").textContent = "The network is still loading.";
    setTimeout(introduce, 1000 * VERSION_SECONDS);
    return;
  }
  limits = about.limits;
  settings.bound(about);
  const device = about.device === "cuda" ? "a GPU" : "the CPU";
  byId("backbone").textContent = `It runs here with the network ${networkName(about.backbone.name)} on ${device}.`;
  if (about.state === "warming") setTimeout(introduce, 1000 * VERSION_SECONDS); // sizes are still being measured
  refresh();
}

/** Ask for the catalogue, again until it has been read. */
async function furnish() {
  try {
    const { styles } = await get("styles");
    gallery.fill(styles);
    if (styles.length === 0) takeSamplePaintings();
  } catch {
    setTimeout(furnish, 1000 * VERSION_SECONDS);
  }
}

/** Where the service has no paintings, offer some of the page's own; those that the tab has kept come first. */
async function takeSamplePaintings() {
  if (gallery.artworks().length) return;
  const files = await Promise.all(SAMPLE_PAINTINGS.map(sample));
  gallery.add(await Promise.all(files.toReversed().map(look)), settings.useful().artwork);
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  paint();
});
byId("cancel").addEventListener("click", () => painting?.abort());
byId("again").addEventListener("click", () => trouble.patient() && paint());
byId("copy").addEventListener("click", copyCommand);
byId("regions-brush").addEventListener("click", brushOn);
byId("onwards").addEventListener("click", onwards);
byId("another").addEventListener("click", paintAnother);
byId("gentler").addEventListener("click", () => paintWith(-STEP));
byId("stronger").addEventListener("click", () => paintWith(STEP));
byId("reuse").addEventListener("click", reuse);
byId("share").addEventListener("click", share);

chosen(byId("photo-file"), ([file]) => takePhoto(file));
chosen(byId("photo-camera"), ([file]) => takePhoto(file));
chosen(byId("painting-file"), takePaintings);
dropped(
  [
    [document.querySelector("[data-field=content]"), ([file, ...others]) => takePhoto(file).then(() => others.length && takePaintings(others))],
    [document.querySelector("[data-field=style]"), takePaintings],
  ],
  takeEither,
);

async function begin() {
  const before = store.keptSettings();
  settings.start(refresh);
  if (before) settings.restore(before.values);
  regions.start(refresh);
  start.start(refresh, readable);
  gallery.start(refresh);
  keys.start(paint, () => stopped("This service paints only for people who have a key."), refresh);
  offerSamples();
  await gallery.restore(before?.gallery, settings.useful().artwork);
  const [kept] = await store.kept("photo");
  if (kept && photo === null) usePhoto(await look(kept.value));
  await stage.start();
  refresh();
  introduce();
  furnish();
}

begin();

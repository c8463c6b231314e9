// The playground: what the visitor chooses goes to POST /stylize, and what comes back is shown.

import { slider } from "./compare.js";
import * as gallery from "./gallery.js";
import * as keys from "./key.js";
import { description, forget, look, packed, smaller } from "./pictures.js";
import * as regions from "./regions.js";
import { Refused, curl, get, stylize } from "./service.js";
import * as settings from "./settings.js";
import * as start from "./start.js";
import * as trouble from "./trouble.js";

const byId = (id) => document.getElementById(id);
const VERSION_SECONDS = 2;
const STOPPED = {
  converged: "it would hardly have become better",
  iterations: "all its iterations are done",
  budget: "its time was up",
  "budget-too-small": "the time did not suffice for this size, so it is a smaller picture, enlarged",
};
const HINT = byId("hint").textContent;
const EXTENSIONS = { jpeg: "jpg" };

let photo = null;
let limits = null;
let painting = null; // the AbortController of the request that is under way
let painted = null; // the File of the last picture
let shown = []; // object URLs of it and its photo

const moveSlider = slider(byId("compare"), byId("handle"));

/** Say a sentence to those who listen instead of looking. */
function say(sentence) {
  byId("status").textContent = sentence;
}

// ---- What is chosen

async function takePhoto(file) {
  const picture = await look(file);
  forget(photo);
  photo = picture;
  regions.reset();
  trouble.clear();
  say(`Photo: ${file.name}`);
  refresh();
}

async function takePaintings(files) {
  trouble.clear();
  await gallery.add(files, settings.useful().artwork);
  say(files.length === 1 ? `Painting: ${files[0].name}` : `${files.length} paintings added`);
}

function removePhoto() {
  forget(photo);
  photo = null;
  regions.reset();
  refresh();
  byId("photo-file").focus();
}

/** Show what is chosen. */
function refresh() {
  const box = byId("photo-chosen");
  byId("photo-drop").classList.toggle("small", photo !== null);
  box.hidden = photo === null;
  if (photo !== null) {
    if (box.dataset.url !== photo.url) box.replaceChildren(...photoTile());
    box.dataset.url = photo.url;
    box.querySelector(".about").textContent = description(photo, settings.useful().photo);
  }
  regions.show(photo, gallery.artworks());
  byId("command").textContent = command();
}

/** Let the visitor brush on the photo; without one that can be shown, say so. */
function brushOn() {
  trouble.clear();
  if (photo === null) trouble.mark([{ field: "content", message: "Choose a photo first." }]);
  else if (photo.width === null)
    trouble.mark([{ field: "content_mask", message: "This browser cannot show the photo: use a mask file." }]);
  else regions.open(photo, gallery.artworks());
}

/** Start the next picture from the one that was painted last. */
async function onwards() {
  await start.take(painted);
  byId("advanced").open = true;
  byId("init_image").focus();
  say("The next picture starts from this one.");
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

function command() {
  const { pictures, names } = gallery.chosen();
  const files = [["content", photo?.file.name ?? "photo.jpg"]];
  for (const picture of pictures) files.push(["style", picture.file.name]);
  if (pictures.length + names.length === 0) files.push(["style", "painting.jpg"]);
  files.push(...regions.names(gallery.artworks()));
  if (start.current()) files.push(["init_image", start.current().file.name]);
  const fields = [...names.map((name) => ["style_name", name]), ...settings.options()];
  return curl(files, fields, extension(), keys.current() !== null);
}

// ---- Painting

async function body() {
  const { pictures, names } = gallery.chosen();
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
    const detail = `The pictures have ${megabytes(bytes)} together: choose smaller ones, ${megabytes(limits.max_upload_bytes)} at most.`;
    throw new Refused({ title: "Too many bytes", detail, errors: [{ field: "content", message: detail }] });
  }
  for (const [name, value] of [...names.map((name) => ["style_name", name]), ...settings.options()]) form.append(name, value);
  return { form, content };
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Whether something is missing that the service would only refuse to go without. */
function missing() {
  const { pictures, names } = gallery.chosen();
  const errors = [];
  if (photo === null) errors.push({ field: "content", message: "Choose a photo first." });
  if (pictures.length + names.length === 0) errors.push({ field: "style", message: "Choose a painting first." });
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
  const events = watcher();
  try {
    const { form, content } = await body();
    begin(content);
    for await (const { name, data } of stylize(form, keys.current(), signal)) events[name]?.(data);
  } catch (error) {
    rest();
    if (signal.aborted) without("Cancelled. Nothing is painted any more.");
    else if (error instanceof Refused && error.problem.status === 401) keys.ask(error.problem.detail);
    else if (error instanceof Refused) trouble.show(error, say);
    else throw error;
  } finally {
    painting = null;
  }
}

/** The page while it paints. */
function begin(content) {
  shown.forEach((url) => URL.revokeObjectURL(url));
  shown = [URL.createObjectURL(content)];
  for (const id of ["hint", "compare", "done"]) byId(id).hidden = true;
  byId("hint").textContent = HINT;
  const preview = byId("preview");
  if (photo.width !== null) {
    preview.src = shown[0];
    byId("frame").style.setProperty("--ratio", String(photo.width / photo.height));
  }
  preview.hidden = photo.width === null;
  preview.classList.add("waiting");
  byId("working").hidden = false;
  byId("paint").disabled = true;
  byId("progress").removeAttribute("value");
  byId("said").textContent = "Sending the pictures…";
  byId("stage").scrollIntoView({ block: "nearest" });
  byId("cancel").focus({ preventScroll: true });
}

/** The page when nothing is painted any more. */
function rest() {
  byId("working").hidden = true;
  byId("preview").hidden = true;
  byId("paint").disabled = false;
  if (byId("compare").hidden) byId("hint").hidden = false;
}

/** Nothing came of it, and the visitor knows why. */
function without(why) {
  byId("hint").textContent = why;
  say(why);
  byId("paint").focus();
}

/** What each event of a stream does. */
function watcher() {
  let quarter = 0;
  return {
    queued({ position }) {
      const text = position > 0 ? `Waiting: ${position} before you` : "Starting…";
      byId("said").textContent = text;
      say(text);
    },
    progress({ fraction, evaluations, seconds_left: left, width, height }) {
      byId("progress").value = fraction;
      const parts = [remaining(left), counted(evaluations, "evaluation"), `${width}\u00a0×\u00a0${height}`];
      byId("said").textContent = parts.filter(Boolean).join(" · ");
      const now = Math.floor(fraction * 4);
      if (now > quarter && now < 4) say(`${now * 25} %. ${remaining(left)}`);
      quarter = Math.max(quarter, now);
    },
    preview({ image, media_type: type }) {
      const preview = byId("preview");
      preview.src = `data:${type};base64,${image}`;
      preview.hidden = false;
      preview.classList.remove("waiting");
    },
    result: finish,
  };
}

function remaining(seconds) {
  if (seconds === null) return "";
  return seconds < 1 ? "almost done" : `about ${Math.ceil(seconds)} s left`;
}

function finish(report) {
  const watched = document.activeElement === byId("cancel");
  painted = new File([bytesOf(report.image)], `painted.${extension()}`, { type: report.media_type });
  const url = URL.createObjectURL(painted);
  shown.push(url);
  byId("frame").style.setProperty("--ratio", String(report.width / report.height));
  byId("after").src = url;
  byId("before").src = shown[0];
  byId("before").hidden = byId("handle").hidden = photo?.width === null;
  moveSlider(50);
  byId("download").href = url;
  byId("download").download = painted.name;
  byId("facts").textContent =
    `${report.width} × ${report.height}, ${counted(report.evaluations, "evaluation")} in ${report.timings.optimise.toFixed(1)} s by ` +
    `${networkName(report.backbone.name)}, seed ${report.seed}. It stopped because ${STOPPED[report.stopped]}.`;
  byId("compare").hidden = byId("done").hidden = false;
  rest();
  if (watched) byId("stage-title").focus({ preventScroll: true });
  say("Your picture is there.");
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

// ---- The page

/** Files that were dropped or pasted: the photo first, then paintings. */
function takeWherever(files) {
  const [first, ...others] = files;
  if (photo !== null) return takePaintings(files);
  return others.length ? takePhoto(first).then(() => takePaintings(others)) : takePhoto(first);
}

function dropZone(zone, take) {
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, () => zone.classList.add("over"));
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const files = [...event.dataTransfer.files];
    if (files.length) take(files);
  });
}

function onFiles(input, take) {
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    if (files.length) take(files);
  });
}

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
  settings.bound(limits);
  const device = about.device === "cuda" ? "a GPU" : "the CPU";
  byId("backbone").textContent = `It runs here with the network ${networkName(about.backbone.name)} on ${device}.`;
  refresh();
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

onFiles(byId("photo-file"), ([file]) => takePhoto(file));
onFiles(byId("photo-camera"), ([file]) => takePhoto(file));
onFiles(byId("painting-file"), takePaintings);
dropZone(document.querySelector("[data-field=content]"), ([file, ...others]) => {
  takePhoto(file);
  if (others.length) takePaintings(others);
});
dropZone(document.querySelector("[data-field=style]"), takePaintings);
dropZone(document.body, takeWherever);
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) takeWherever(files);
});

settings.start(refresh);
regions.start(refresh);
start.start(refresh);
gallery.start(refresh);
keys.start(paint, () => without("This service paints for those who have a key."), refresh);
refresh();
introduce();
get("styles").then(
  ({ styles }) => gallery.fill(styles),
  () => gallery.fill([]),
);

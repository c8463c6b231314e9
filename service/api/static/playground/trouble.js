// What went wrong: said next to the field that it is about, or in the panel of the picture.

const byId = (id) => document.getElementById(id);
const PLACES = { style_name: "style", style_weights: "style", style_mask: "content_mask" };
const CONTROLS = { content: "photo-file", style: "painting-file", content_mask: "regions-file" };

let timer = null;

/** Take everything back. */
export function clear() {
  clearInterval(timer);
  byId("trouble").hidden = true;
  for (const place of document.querySelectorAll("p.error")) place.textContent = "";
  for (const control of document.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
}

/** Say what is wrong with fields: [{field, message}]. Returns those that the page has no place for. */
export function mark(errors) {
  const others = [];
  const controls = [];
  for (const error of errors) {
    const field = PLACES[error.field] ?? error.field;
    const place = byId(`error-${field}`);
    if (!place) {
      others.push(error);
      continue;
    }
    const control = byId(CONTROLS[field] ?? field);
    place.textContent = [place.textContent, plain(error.message)].filter(Boolean).join(" ");
    control.setAttribute("aria-invalid", "true");
    controls.push(control);
    const folded = control.closest("details");
    if (folded) folded.open = true;
  }
  controls[0]?.focus();
  return others;
}

/** A sentence of the service without the name of the field that it begins with: the page has names of its own. */
function plain(sentence) {
  return sentence.replace(/^[a-z_]+(?: \d+)?: (.)/, (_, first) => first.toUpperCase());
}

/**
 * Show a refusal.
 *
 * @param refused of service.js.
 * @param say announces a sentence.
 */
export function show({ problem, retryAfter }, say) {
  const errors = problem.errors ?? [];
  const marked = mark(errors).length < errors.length;
  byId("trouble-title").textContent = problem.title;
  byId("trouble-detail").textContent = plain(problem.detail);
  byId("trouble").hidden = false;
  byId("again").hidden = retryAfter === null;
  if (retryAfter !== null) countDown(retryAfter, say);
  if (!marked) byId("trouble").focus();
  say(`${problem.title}. ${plain(problem.detail)}`);
}

/** Whether it is time to try again. */
export function patient() {
  return byId("again").getAttribute("aria-disabled") !== "true";
}

function countDown(seconds, say) {
  const until = performance.now() + 1000 * seconds;
  const button = byId("again");
  function show() {
    const left = Math.ceil((until - performance.now()) / 1000);
    button.setAttribute("aria-disabled", String(left > 0));
    button.textContent = left > 0 ? `Try again in ${left} s` : "Try again";
    return left > 0;
  }
  clearInterval(timer);
  if (!show()) return;
  timer = setInterval(() => {
    if (show()) return;
    clearInterval(timer);
    say("You can try again now.");
  }, 250);
}

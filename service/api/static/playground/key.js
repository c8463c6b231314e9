// The key, where the service asks for one: kept in this tab, and never in an address.

const byId = (id) => document.getElementById(id);
const NAME = "stylize-key";

let key = null;
try {
  key = sessionStorage.getItem(NAME);
} catch {
  // no storage for this page: it lives as long as the page does
}

export function current() {
  return key;
}

/** Wire the dialog up. `given` is called once there is a key, `changed` whenever it comes or goes. */
export function start(given, refused, changed) {
  const dialog = byId("key-dialog");
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    keep(byId("key").value.trim());
    dialog.close("given");
    changed();
    given();
  });
  byId("key-cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    byId("key").value = "";
    if (dialog.returnValue !== "given") refused();
  });
  byId("forget").addEventListener("click", () => {
    keep(null);
    changed();
    byId("paint").focus();
  });
  byId("forget").hidden = key === null;
}

/** Ask for one. `why` is what the service said. */
export function ask(why) {
  byId("key-detail").textContent = key === null ? "This service paints only for people who have a key." : why;
  const dialog = byId("key-dialog");
  dialog.returnValue = "";
  dialog.showModal();
  byId("key").focus();
}

function keep(value) {
  key = value;
  byId("forget").hidden = key === null;
  try {
    if (key === null) sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, key);
  } catch {
    // as above
  }
}

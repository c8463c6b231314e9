// Files that are chosen, dropped or pasted.

const byId = (id) => document.getElementById(id);

/** Call `take` with the files of an input, each time some are chosen. */
export function chosen(input, take) {
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    if (files.length) take(files);
  });
}

/**
 * Take what is dropped anywhere, or pasted.
 *
 * @param zones [element, take(files)]: the innermost one that a file is over stands out, and gets it.
 * @param elsewhere called with files that are pasted, or dropped beside the zones.
 */
export function dropped(zones, elsewhere) {
  const zoneAt = (event) => zones.find(([element]) => element.contains(event.target));
  const light = (zone) => {
    for (const [element] of zones) element.classList.toggle("over", element === zone?.[0]);
    document.body.classList.toggle("over", zone === undefined);
  };
  const dark = () => {
    for (const element of [document.body, ...zones.map(([each]) => each)]) element.classList.remove("over");
  };
  addEventListener("dragover", (event) => {
    event.preventDefault();
    light(zoneAt(event));
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && dark());
  addEventListener("drop", (event) => {
    event.preventDefault();
    dark();
    const files = [...event.dataTransfer.files];
    const [, take] = zoneAt(event) ?? [null, elsewhere];
    if (files.length) take(files);
  });
  addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) elsewhere(files);
  });
}

/** Ask what files are for: "photo", "painting", or "" where they are for nothing. */
export function ask(files) {
  const dialog = byId("ask-dialog");
  byId("ask-title").textContent = files.length === 1 ? `What is ${files[0].name}?` : `What are these ${files.length} pictures?`;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

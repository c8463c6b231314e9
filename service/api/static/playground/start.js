// The picture to start from, instead of the photo.

import { forget, look } from "./pictures.js";

const byId = (id) => document.getElementById(id);

let picture = null;
let tell = () => {};

/** A picture of pictures.js, or null: the photo. */
export function current() {
  return picture;
}

/** Wire it up. `changed` is called when there is another one. */
export function start(changed) {
  tell = changed;
  byId("init_image").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file) await take(file);
  });
  byId("start-remove").addEventListener("click", () => {
    use(null);
    byId("init_image").focus();
  });
}

export async function take(file) {
  use(await look(file));
}

function use(other) {
  forget(picture);
  picture = other;
  byId("start-about").textContent = picture?.file.name ?? "The photo.";
  byId("start-remove").hidden = picture === null;
  tell();
}

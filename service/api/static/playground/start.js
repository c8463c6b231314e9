// The picture to start from, instead of the photo.

import { forget, look } from "./pictures.js";

const byId = (id) => document.getElementById(id);

let picture = null;
let tell = () => {};

/** A picture of pictures.js, or null: the photo. */
export function current() {
  return picture;
}

/** Wire it up. `changed` is called when there is another one; `readable` gives the pictures among files. */
export function start(changed, readable) {
  tell = changed;
  byId("init_image").addEventListener("change", async ({ target }) => {
    const files = [...target.files];
    target.value = "";
    const [other] = await readable(files, "init_image");
    if (other) use(other);
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

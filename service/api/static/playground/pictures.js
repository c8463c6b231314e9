// Pictures that the visitor has chosen: looked at, and made smaller before they travel.

const READ_BY_THE_SERVICE = new Set(["image/jpeg", "image/png", "image/webp", "image/avif"]);

/**
 * A file with what is needed to show it: {file, url, width, height}. `url` is an object URL; `forget` frees it.
 * Width and height are those with the orientation applied, or null where this browser cannot read the file: the
 * service has the last word on that.
 */
export async function look(file) {
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
    return { file, url, width: image.naturalWidth, height: image.naturalHeight };
  } catch {
    return { file, url, width: null, height: null };
  }
}

/** What is wrong with a picture that was looked at, as far as the browser can tell; null: nothing. */
export function complaint({ file, width }) {
  if (width !== null) return null;
  if (file.size === 0) return `${file.name} is empty.`;
  if (/^image\/(hei[cf]|avif)/.test(file.type) || /\.(hei[cf]|avif)$/i.test(file.name)) return null; // the service may read it
  return `${file.name} is not a picture, or it is damaged. Choose a JPEG, PNG, WebP or AVIF file.`;
}

export function forget(picture) {
  if (picture) URL.revokeObjectURL(picture.url);
}

/** [width, height] to send where at most `longest` pixels are of use; null: the file is fine as it is. */
export function smaller(picture, longest) {
  const { width, height } = picture;
  return width === null || Math.max(width, height) <= longest ? null : fitting(width, height, longest);
}

/** [width, height], reduced so that neither is more than `longest`. */
export function fitting(width, height, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** The bytes to send: the file, or a copy of it, upright: smaller, or in a format that the service reads. */
export async function packed(picture, longest) {
  const { file, width, height } = picture;
  const size = smaller(picture, longest);
  if (width === null || (size === null && READ_BY_THE_SERVICE.has(file.type))) return file;
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = size ?? [width, height];
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    // WebP keeps transparency; a browser that cannot write it makes a PNG instead.
    const type = file.type === "image/jpeg" ? "image/jpeg" : "image/webp";
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, 0.95));
    return blob ?? file;
  } catch {
    return file; // the service has the last word
  }
}

/** What to tell about a chosen picture. */
export function description(picture, longest) {
  const bytes = picture.file.size;
  const weight = bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  if (picture.width === null) return `${weight}. This browser cannot show it, but the service may be able to read it.`;
  const size = smaller(picture, longest);
  const whole = `${picture.width} × ${picture.height}, ${weight}`;
  return size ? `${whole}; sent as ${size[0]} × ${size[1]}, which is enough for this size` : whole;
}

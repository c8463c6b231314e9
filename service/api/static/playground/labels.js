// A label image: which region each pixel belongs to, brushed with hard edges, and written as a PNG.

/** Cells of a picture, each with a number; 0 at first. */
export class Labels {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.cells = new Uint8Array(width * height);
    this.before = [];
  }

  /** Remember what is there, for `undo`. */
  keep() {
    this.before.push(this.cells.slice());
    if (this.before.length > 30) this.before.shift();
  }

  undo() {
    this.cells = this.before.pop() ?? this.cells;
  }

  /** Give `label` to every cell that is at most `radius` away from the line from one point to another, each [x, y]. */
  stroke([fromX, fromY], [toX, toY], radius, label) {
    const [dx, dy] = [toX - fromX, toY - fromY];
    const length = dx * dx + dy * dy;
    const last = (side, at) => Math.min(side - 1, Math.ceil(at + radius));
    for (let y = Math.max(0, Math.floor(Math.min(fromY, toY) - radius)); y <= last(this.height, Math.max(fromY, toY)); y++) {
      for (let x = Math.max(0, Math.floor(Math.min(fromX, toX) - radius)); x <= last(this.width, Math.max(fromX, toX)); x++) {
        const [px, py] = [x + 0.5 - fromX, y + 0.5 - fromY];
        const along = length === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length));
        if (Math.hypot(px - along * dx, py - along * dy) <= radius) this.cells[y * this.width + x] = label;
      }
    }
  }

  /** Give every cell the label that `relabel` makes of its own. */
  map(relabel) {
    this.cells = this.cells.map(relabel);
  }

  /** How much of the picture has each label: 0..1, by label. */
  shares() {
    const counts = [];
    for (const label of this.cells) counts[label] = (counts[label] ?? 0) + 1;
    return counts.map((count) => count / this.cells.length);
  }

  /** The labels at another size, each that of the nearest cell. */
  resized(width, height) {
    const found = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      const row = Math.floor(((y + 0.5) * this.height) / height) * this.width;
      for (let x = 0; x < width; x++) found[y * width + x] = this.cells[row + Math.floor(((x + 0.5) * this.width) / width)];
    }
    return found;
  }
}

/**
 * A PNG with a palette. Not by way of a canvas: browsers that guard against fingerprinting (Brave, Firefox) change some
 * of the pixels that are read from one, and labels have to be exact.
 *
 * @param palette [red, green, blue] of each index, 0..255.
 * @param indices Uint8Array, row by row.
 */
export async function png(width, height, palette, indices) {
  const rows = new Uint8Array((width + 1) * height); // a 0 before each row: it is not filtered
  for (let y = 0; y < height; y++) rows.set(indices.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const zlib = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint16(8, 0x0803); // 8 bits, of a palette
  return new Blob(
    [
      new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk("IHDR", new Uint8Array(header.buffer)),
      chunk("PLTE", new Uint8Array(palette.flat())),
      chunk("IDAT", new Uint8Array(await new Response(zlib).arrayBuffer())),
      chunk("IEND", new Uint8Array()),
    ],
    { type: "image/png" },
  );
}

function chunk(name, data) {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let at = 0; at < 4; at++) bytes[4 + at] = name.charCodeAt(at);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** CRC-32 as PNG has it (ISO 3309). */
function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

// A board to brush labels on, with mouse, finger, pen or keys.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STRIPE = 8; // cells; a power of 2

/**
 * Makes `canvas` such a board. `ring` shows where the brush is.
 *
 * @param model {labels, label, radius, veil, done}: functions that give the Labels to change, the label of the brush and
 *   its radius in cells, the two stripes that show a label, each [red, green, blue, alpha], 0..255; done() is called after each stroke.
 * @returns {draw, point}: show the labels; show the brush.
 */
export function brush(canvas, ring, model) {
  let at = null; // where the brush is, in cells

  function draw() {
    const { width, height, cells } = model.labels();
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height, at] = [width, height, null];
    const veils = [...Array(Math.max(...new Set(cells)) + 1).keys()].map((label) => model.veil(label).map(word));
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    cells.forEach((label, cell) => (pixels[cell] = veils[label][((cell % width) + Math.floor(cell / width)) & STRIPE ? 1 : 0]));
    canvas.getContext("2d").putImageData(image, 0, 0);
    at ??= [width / 2, height / 2];
    point();
  }

  function point() {
    const { width, height } = model.labels();
    ring.style.setProperty("--x", `${(100 * at[0]) / width}%`);
    ring.style.setProperty("--y", `${(100 * at[1]) / height}%`);
    ring.style.setProperty("--wide", `${(200 * model.radius()) / width}%`);
  }

  function paint(to) {
    model.labels().stroke(at, to, model.radius(), model.label());
    at = to;
    draw();
  }

  function under(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    canvas.setPointerCapture(event.pointerId);
    model.labels().keep();
    at = under(event);
    paint(at);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) return paint(under(event));
    if (event.pointerType === "mouse") {
      at = under(event);
      point();
    }
  });
  canvas.addEventListener("lostpointercapture", () => model.done());

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = STEPS[event.key];
    if (!step && event.key !== " ") return;
    event.preventDefault();
    const far = Math.max(1, Math.round(model.radius() / 2));
    const clamped = (value, side) => Math.min(side, Math.max(0, value));
    const to = step ? [clamped(at[0] + far * step[0], canvas.width), clamped(at[1] + far * step[1], canvas.height)] : at;
    if (step && !event.shiftKey) {
      at = to;
      point();
      return;
    }
    model.labels().keep();
    paint(to);
    model.done();
  });
  return { draw, point };
}

/** Four bytes as one number, in the order of this machine: a pixel of ImageData, written at once. */
function word(bytes) {
  return new Uint32Array(new Uint8Array(bytes).buffer)[0];
}

// The slider between the photo and the picture: dragged anywhere on it, or moved with the keys (WAI-ARIA, slider).

const STEPS = {
  ArrowRight: 2,
  ArrowUp: 2,
  ArrowLeft: -2,
  ArrowDown: -2,
  PageUp: 10,
  PageDown: -10,
  Home: -100,
  End: 100,
};

/** Makes `frame` one; `handle` is its role=slider. Returns a function that moves it to so many percent of photo. */
export function slider(frame, handle) {
  let at = 0;

  function move(percent) {
    at = Math.min(100, Math.max(0, percent));
    const shown = Math.round(at);
    frame.style.setProperty("--at", `${at}%`);
    frame.classList.toggle("whole", at === 0 || at === 100);
    handle.setAttribute("aria-valuenow", String(shown));
    handle.setAttribute("aria-valuetext", `${shown} % photo`);
  }

  function follow(event) {
    const box = frame.getBoundingClientRect();
    move((100 * (event.clientX - box.left)) / box.width);
  }

  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    frame.setPointerCapture(event.pointerId);
    follow(event);
  });
  frame.addEventListener("pointermove", (event) => {
    if (frame.hasPointerCapture(event.pointerId)) follow(event);
  });
  handle.addEventListener("keydown", (event) => {
    if (!(event.key in STEPS) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    move(at + STEPS[event.key]);
  });
  return move;
}

// A reader of server-sent events (WHATWG HTML, section 9.2.6) for answers of fetch: EventSource can only GET.

/**
 * The events of a stream of bytes, each as {name, data}. What is incomplete at the end is dropped, as the standard
 * has it, and so are the fields `id` and `retry`: nobody reconnects to a POST.
 */
export async function* readEvents(stream) {
  const decoder = new TextDecoder(); // drops a byte order mark
  const reader = stream.getReader();
  let partial = ""; // the line that is not complete yet
  let heldBack = ""; // a CR at the end of a piece: it may be half of a CRLF
  let name = "";
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      let text = heldBack + decoder.decode(value, { stream: true });
      heldBack = text.endsWith("\r") ? "\r" : "";
      if (heldBack) text = text.slice(0, -1);
      const lines = text.split(/\r\n|\n|\r/);
      lines[0] = partial + lines[0];
      partial = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (data.length) yield { name: name || "message", data: data.join("\n") };
          name = "";
          data = [];
          continue;
        }
        const colon = line.indexOf(":");
        if (colon === 0) continue; // a comment
        const field = colon < 0 ? line : line.slice(0, colon);
        const rest = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (field === "event") name = rest;
        else if (field === "data") data.push(rest);
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // whoever stops listening hangs up
  }
}

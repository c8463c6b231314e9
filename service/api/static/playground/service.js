// What goes to the service and what comes back, without anything of the page.

import { readEvents } from "./sse.js";

/** The service has refused, or failed. `problem` is as RFC 9457 has it; `retryAfter` in seconds, or null. */
export class Refused extends Error {
  constructor(problem, retryAfter = null) {
    super(problem.detail);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** JSON of an address of the service. */
export async function get(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/**
 * POST /stylize, with the events of its answer as {name, data}; data is parsed. Breaking off, or the signal, closes
 * the connection, and the service stops painting.
 *
 * @throws {Refused} also for an event `error`, and where the stream ends before its result.
 */
export async function* stylize(form, key, signal) {
  const headers = { Accept: "text/event-stream" };
  if (key) headers.Authorization = `Bearer ${key}`;
  let answer;
  try {
    answer = await fetch("stylize", { method: "POST", body: form, headers, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Refused({ title: "The service cannot be reached", detail: "Check your connection, then try again." }, 0);
  }
  if (!answer.ok) throw new Refused(await problemOf(answer), secondsOf(answer));
  try {
    for await (const { name, data } of readEvents(answer.body)) {
      const said = JSON.parse(data);
      if (name === "error") throw new Refused(said, 0);
      yield { name, data: said };
      if (name === "result") return;
    }
  } catch (error) {
    if (signal.aborted || error instanceof Refused) throw error;
  }
  throw new Refused(
    { title: "The connection was lost", detail: "The picture was not finished. You can try again." },
    0,
  );
}

async function problemOf(answer) {
  try {
    return { ...(await answer.json()), status: answer.status };
  } catch {
    return { title: `The service answered ${answer.status}`, detail: "It gave no reason.", status: answer.status };
  }
}

function secondsOf(answer) {
  const seconds = Number.parseInt(answer.headers.get("Retry-After") ?? "", 10);
  return Number.isNaN(seconds) ? null : seconds;
}

/**
 * The same request for a shell.
 *
 * @param files [field, file name] of each picture that is sent.
 * @param fields [name, value] of everything else.
 * @param extension of the result.
 */
export function curl(files, fields, extension, withKey) {
  const parts = [];
  if (withKey) parts.push('-H "Authorization: Bearer $KEY"');
  for (const [field, name] of files) parts.push(`-F ${quoted(`${field}=@${part(name)}`)}`);
  for (const [name, value] of fields) parts.push(`-F ${quoted(`${name}=${value}`)}`);
  parts.push(quoted(new URL("stylize", document.baseURI).href), `-o painted.${extension}`);
  return `curl ${parts.join(" \\\n  ")}`;
}

/** A file name as curl -F reads it. */
function part(name) {
  return /[",;\\]/.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : name;
}

/** A word for the shell. */
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

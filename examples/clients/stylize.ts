// Paint a photograph like an artwork, with fetch: `stylize` runs in Node 18 or newer, Deno, Bun and browsers.
//
//     node examples/clients/stylize.ts PHOTO ARTWORK OUT [OPTION=VALUE...]
//
// (Node runs TypeScript itself since 22.18; `npx tsx` does for older ones.) ARTWORK is a file, or a name of GET /styles.
// API_URL says where the service is, API_KEY is a key if it asks for one.

const ATTEMPTS = 5;

/** What the service says when it refuses (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  request_id: string;
  errors?: { field: string; message: string }[];
}

export class StylizeError extends Error {
  readonly status: number;
  readonly problem: Problem | undefined;

  constructor(status: number, problem: Problem | undefined) {
    super(`${status}: ${problem?.detail ?? "no explanation"}`);
    this.status = status;
    this.problem = problem;
  }
}

export interface Painted {
  picture: Blob;
  report: Record<string, string>;
}

export interface Call {
  url?: string;
  key?: string | undefined;
  /** Milliseconds without an answer. */
  timeout?: number;
  /** size, strength, budget, ... as the API has them. */
  options?: Record<string, string | number>;
}

/** Paint, and try again while the service is busy. The artwork is a file, or a name from the service's catalogue. */
export async function stylize(photo: Blob, artwork: Blob | string, call: Call = {}): Promise<Painted> {
  const { url = "http://127.0.0.1:8080", key, timeout = 130_000, options = {} } = call;
  const form = new FormData();
  form.append("content", photo, "content");
  if (typeof artwork === "string") form.append("style_name", artwork);
  else form.append("style", artwork, "style");
  for (const [name, value] of Object.entries(options)) form.append(name, String(value));

  for (let attempt = 1; ; attempt++) {
    const answer = await fetch(`${url}/stylize`, {
      method: "POST",
      body: form,
      headers: key ? { Authorization: `Bearer ${key}` } : {},
      signal: AbortSignal.timeout(timeout),
    });
    if (answer.ok) return { picture: await answer.blob(), report: reportOf(answer.headers) };
    const busy = answer.status === 429 || answer.status === 503;
    if (!busy || attempt === ATTEMPTS) throw new StylizeError(answer.status, await problemOf(answer));
    await answer.body?.cancel();
    const given = Number(answer.headers.get("Retry-After") ?? NaN);
    const seconds = given >= 0 ? given : 2 ** attempt;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

function reportOf(headers: Headers): Record<string, string> {
  const ours = /^(x-stylize-|x-request-id$|server-timing$)/;
  return Object.fromEntries([...headers].filter(([name]) => ours.test(name)));
}

async function problemOf(answer: Response): Promise<Problem | undefined> {
  // Something on the way may have answered in the service's place.
  const ours = answer.headers.get("Content-Type")?.startsWith("application/problem+json");
  return ours ? ((await answer.json()) as Problem) : undefined;
}

/** The command line, in Node. */
async function main(): Promise<void> {
  const { access, readFile, writeFile } = await import("node:fs/promises");
  const [photo, artwork, out, ...given] = process.argv.slice(2);
  if (!photo || !artwork || !out) throw new Error("give PHOTO ARTWORK OUT [OPTION=VALUE...]");
  const isFile = await access(artwork).then(() => true, () => false);
  const { picture, report } = await stylize(
    new Blob([await readFile(photo)]),
    isFile ? new Blob([await readFile(artwork)]) : artwork,
    {
      ...(process.env["API_URL"] && { url: process.env["API_URL"] }),
      key: process.env["API_KEY"],
      options: Object.fromEntries(given.map((option) => option.split(/=(.*)/s, 2) as [string, string])),
    },
  );
  await writeFile(out, Buffer.from(await picture.arrayBuffer()));
  console.log(JSON.stringify(report, null, 2));
}

if (typeof process !== "undefined" && /stylize\.[jt]s$/.test(process.argv[1] ?? "")) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}

// What this tab keeps over a reload: pictures in IndexedDB, settings in sessionStorage. Nothing of it leaves the browser.

const DAY = 24 * 60 * 60 * 1000; // milliseconds after which what closed tabs have left is thrown away
const TAB = "stylize-tab";
const SETTINGS = "stylize-settings";

let tab = String(Math.random()).slice(2);
try {
  tab = sessionStorage.getItem(TAB) ?? tab;
  sessionStorage.setItem(TAB, tab);
} catch {
  // no storage for this page: nothing outlives it
}

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("stylize", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("kept", { keyPath: ["tab", "kind", "id"] });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** Run `act` on the store; null where this browser lets the page keep nothing. */
async function within(mode, act) {
  try {
    const database = await open();
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction("kept", mode);
      const request = act(transaction.objectStore("kept"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  } catch {
    return null;
  }
}

const all = (kind) => IDBKeyRange.bound([tab, kind], [tab, kind, []]);

/** Keep a value; `id` is a number, and one of the same kind and id is replaced. */
export function keep(kind, id, value) {
  return within("readwrite", (store) => store.put({ tab, kind, id, value, saved: Date.now() }));
}

export function drop(kind, id) {
  return within("readwrite", (store) => store.delete([tab, kind, id]));
}

export function clear(kind) {
  return within("readwrite", (store) => store.delete(all(kind)));
}

/** [{id, value}] of a kind, in the order of their ids. */
export async function kept(kind) {
  return (await within("readonly", (store) => store.getAll(all(kind)))) ?? [];
}

/** Throw away what tabs that are closed have left. */
export async function sweep() {
  const everything = (await within("readonly", (store) => store.getAll())) ?? [];
  for (const { tab: whose, kind, id, saved } of everything)
    if (whose !== tab && saved < Date.now() - DAY) within("readwrite", (store) => store.delete([whose, kind, id]));
}

export function keepSettings(settings) {
  try {
    sessionStorage.setItem(SETTINGS, JSON.stringify(settings));
  } catch {
    // as above
  }
}

/** What `keepSettings` was given before the page was loaded again; null: nothing. */
export function keptSettings() {
  try {
    return JSON.parse(sessionStorage.getItem(SETTINGS));
  } catch {
    return null;
  }
}

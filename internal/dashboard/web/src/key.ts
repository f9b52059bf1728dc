// The function key. It may come in the address (?code=); it leaves the address
// at once and stays in this tab's session storage.

const root = document.documentElement;

// Where the page came from: the addresses in it are relative to that, and the
// address bar may change.
const pageURL = location.href;

/** Address of an operation of the API. */
export function apiURL(path: string): URL {
  return new URL((root.dataset.api ?? './') + path, pageURL);
}

const slot = 'durable.key:' + apiURL('').pathname;
let memory = '';

/** Takes the key out of the address. To be called before anything else. */
export function takeKey(): void {
  const here = new URL(location.href);
  const code = here.searchParams.get('code');
  if (code === null) return;
  if (code) saveKey(code);
  here.searchParams.delete('code');
  const keyless = root.dataset.keyless;
  const path = keyless ? new URL(keyless, pageURL).pathname : here.pathname;
  history.replaceState(null, '', path + here.search + here.hash);
}

/** The key of this tab, empty where there is none. */
export function savedKey(): string {
  try {
    return sessionStorage.getItem(slot) ?? memory;
  } catch {
    return memory;
  }
}

export function saveKey(key: string): void {
  memory = key;
  try {
    if (key) sessionStorage.setItem(slot, key);
    else sessionStorage.removeItem(slot);
  } catch {
    // Storage is off: the key lives as long as the page.
  }
}

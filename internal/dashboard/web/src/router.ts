// What is shown is in the address behind #: the path, and what was chosen
// there. Every change of it is a step that Back undoes, unless it replaces.
import { useEffect, useState } from 'preact/hooks';

export interface Route { path: string[]; query: URLSearchParams }

function parse(hash: string): Route {
  const [path, query] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  return { path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query ?? '') };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Address of a view. */
export function link(path: string[], query: Record<string, string | string[] | undefined> | URLSearchParams = {}): string {
  const q = query instanceof URLSearchParams ? query : new URLSearchParams();
  if (!(query instanceof URLSearchParams)) {
    for (const [name, value] of Object.entries(query)) {
      for (const one of [value ?? []].flat()) if (one) q.append(name, one);
    }
  }
  const tail = q.toString();
  return '#/' + path.map(encodeURIComponent).join('/') + (tail ? '?' + tail : '');
}

export const instanceLink = (id: string, query: Record<string, string | undefined> = {}) => link(['instance', id], query);

export const entityLink = (name: string, key: string) => link(['entity', name, key || '$']);

/** The view of an instance id, which may be that of an entity: @name@key. */
export function targetLink(id: string): string {
  const [, name, key] = /^@([^@]+)@(.*)$/s.exec(id) ?? [];
  return name === undefined ? instanceLink(id) : entityLink(name, key);
}

export function go(hash: string, replace = false): void {
  if (replace) {
    history.replaceState(null, '', hash);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    location.hash = hash;
  }
}

/** The route, which follows the address. */
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);
  return parse(hash);
}

/** Changes one choice of the present view. */
export function choose(route: Route, change: Record<string, string | undefined>, replace = false): void {
  const q = new URLSearchParams(route.query);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined || value === '') q.delete(name);
    else q.set(name, value);
  }
  go(link(route.path, q), replace);
}

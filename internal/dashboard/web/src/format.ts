// Times, durations, sizes and payloads for people.

export function ms(time?: string): number | undefined {
  if (!time) return undefined;
  const n = Date.parse(time);
  return Number.isNaN(n) ? undefined : n;
}

/** A duration, with the two largest units that matter. */
export function duration(milliseconds: number): string {
  const sign = milliseconds < 0 ? '-' : '';
  const t = Math.abs(milliseconds);
  if (t < 1000) return `${sign}${Math.round(t)} ms`;
  if (t < 10_000) return `${sign}${(Math.floor(t / 100) / 10).toFixed(1)} s`;
  const s = Math.floor(t / 1000);
  const units: [number, string][] = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const at = units.findIndex(([size]) => s >= size);
  const [size, unit] = units[at];
  const rest = Math.floor((s % size) / (units[at + 1]?.[0] ?? 1));
  return `${sign}${Math.floor(s / size)} ${unit}` + (at < 3 && rest ? ` ${rest} ${units[at + 1][1]}` : '');
}

/** How long ago, or in how long. */
export function relative(at: number, now: number): string {
  const away = at - now;
  if (Math.abs(away) < 1000) return 'now';
  const text = calm(Math.abs(away));
  return away > 0 ? `in ${text}` : `${text} ago`;
}

/** A duration that does not change with every second. */
function calm(t: number): string {
  if (t < 60_000) return `${Math.floor(t / 1000)} s`;
  return t < 3_600_000 ? `${Math.floor(t / 60_000)} min` : duration(t);
}

const two = (n: number) => String(n).padStart(2, '0');

export function local(at: number): string {
  const d = new Date(at);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

export const clock = (at: number, fine = false) => {
  const d = new Date(at);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}` + (fine ? '.' + String(d.getMilliseconds()).padStart(3, '0') : '');
};

export const utc = (at: number) => new Date(at).toISOString().replace('T', ' ').replace('Z', ' UTC');

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(1)} kB`;
  return `${(n / 1024 / 1024).toFixed(1)} MB`;
}

/** A count, of which there may be more. */
export const count = (n: number, more = false) => n.toLocaleString('en') + (more ? '+' : '');

/** JSON with lines and indents. The text of every number and string stays as it
 * is: numbers that JavaScript would round are exact. undefined: it is no JSON. */
export function pretty(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  let out = '';
  let indent = 0;
  const line = () => '\n' + '  '.repeat(Math.min(indent, 60));
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;
  for (let m = token.exec(text), last = ''; m; m = token.exec(text)) {
    const t = m[0];
    if (t === '}' || t === ']') {
      indent--;
      out += (last === '{' || last === '[' ? '' : line()) + t;
    } else {
      if (last === '{' || last === '[' || last === ',') out += line();
      out += t === ':' ? ': ' : t;
      if (t === '{' || t === '[') indent++;
    }
    last = t;
  }
  return out;
}

/** What a JSON string holds in base64, or undefined. */
export function fromBase64(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'string' || value.length < 4 || value.length % 4 || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return undefined;
    const raw = Uint8Array.from(atob(value), c => c.charCodeAt(0));
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(raw);
    } catch {
      return hex(raw);
    }
  } catch {
    return undefined;
  }
}

function hex(raw: Uint8Array): string {
  const lines: string[] = [];
  for (let i = 0; i < raw.length && lines.length < 4096; i += 16) {
    lines.push(i.toString(16).padStart(8, '0') + '  ' + [...raw.slice(i, i + 16)].map(b => b.toString(16).padStart(2, '0')).join(' '));
  }
  return lines.join('\n');
}

/** Checks JSON that a person typed: what is wrong, or undefined. */
export function jsonProblem(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch (e) {
    return (e as Error).message;
  }
}

export const plural = (n: number, one: string, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;

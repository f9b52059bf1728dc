// JSON schemas of inputs, as far as the app knows them.
import type { Schema } from './api';

/** A value of the schema. */
export function example(s: Schema): unknown {
  switch (s.type) {
    case 'string': return s.format === 'date-time' ? new Date().toISOString() : '';
    case 'integer': case 'number': return 0;
    case 'boolean': return false;
    case 'array': return s.items ? [example(s.items)] : [];
    case 'object': return Object.fromEntries(Object.entries(s.properties ?? {}).map(([k, v]) => [k, example(v)]));
    default: return null;
  }
}

/** What values of the schema look like. */
export function outline(s: Schema, indent = ''): string {
  if (s.type === 'object' && s.properties) return '{\n' + Object.entries(s.properties).map(([k, v]) => `${indent}  ${k}: ${outline(v, indent + '  ')}\n`).join('') + indent + '}';
  if (s.type === 'object') return `{ [name]: ${outline(s.additionalProperties ?? {}, indent)} }`;
  if (s.type === 'array') return `[ ${outline(s.items ?? {}, indent)} ... ]`;
  return s.format ?? (s.contentEncoding ? 'base64' : s.type ?? 'anything');
}

/** What of a value does not fit the schema, or undefined. A warning: the app
 * decides. */
export function mismatch(v: unknown, s: Schema, at: string): string | undefined {
  if (v === null || !s.type) return undefined;
  const is = Array.isArray(v) ? 'array' : typeof v;
  const fits = s.type === 'integer' ? is === 'number' : s.type === is;
  if (!fits) return `${at} is ${is === 'object' ? 'an object' : `a ${is}`}, and ${s.type} is expected.`;
  if (Array.isArray(v)) return s.items && v.map((x, i) => mismatch(x, s.items!, `${at}[${i}]`)).find(Boolean);
  if (is !== 'object' || !s.properties) return undefined;
  const names = new Map(Object.keys(s.properties).map(k => [k.toLowerCase(), k]));
  for (const [k, x] of Object.entries(v as object)) {
    const name = names.get(k.toLowerCase());
    if (!name) return `${at} has no field ${k}; its fields are ${Object.keys(s.properties).join(', ')}.`;
    const inner = mismatch(x, s.properties[name], `${at}.${k}`);
    if (inner) return inner;
  }
  return undefined;
}

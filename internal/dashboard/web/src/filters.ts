// The filters of the list: in the address, in requests, as chips, and as flags
// of commands.
import { local, ms } from './format';
import type { Route } from './router';

export interface Filters {
  prefix: string;
  name: string;
  version: string;
  status: string[];
  tag: string[];
  since: string;
  from: string;
  to: string;
  roots: boolean;
}

export const statuses = ['Running', 'Pending', 'Suspended', 'Failed', 'Terminated', 'Completed'];

/** Times that end now, in milliseconds. */
export const spans: [string, string, number][] = [['15m', 'last 15 minutes', 900e3], ['1h', 'last hour', 3600e3], ['24h', 'last day', 864e5], ['7d', 'last week', 7 * 864e5], ['30d', 'last 30 days', 30 * 864e5]];

export function filtersOf(route: Route): Filters {
  const q = route.query;
  const text = (name: string) => q.get(name) ?? '';
  return {
    prefix: text('prefix'), name: text('name'), version: text('version'), status: q.getAll('status'), tag: q.getAll('tag'),
    since: text('since'), from: text('from'), to: text('to'), roots: text('roots') !== '0',
  };
}

/** The filters as parameters of the API. */
export function parameters(f: Filters, now: number): [string, string][] {
  const out: [string, string][] = [];
  const add = (name: string, value: string) => value && out.push([name, value]);
  add('instanceIdPrefix', f.prefix);
  add('name', f.name);
  add('version', f.version);
  f.status.forEach(s => add('runtimeStatus', s));
  f.tag.forEach(t => add('tag', t));
  const span = spans.find(([key]) => key === f.since);
  if (span) add('createdTimeFrom', new Date(now - span[2]).toISOString());
  else if (ms(f.from) !== undefined) add('createdTimeFrom', new Date(ms(f.from)!).toISOString());
  if (ms(f.to) !== undefined) add('createdTimeTo', new Date(ms(f.to)!).toISOString());
  if (f.roots) add('rootsOnly', 'true');
  return out;
}

/** The filters as flags of the command line. */
export function flags(f: Filters): [string, string][] {
  const out: [string, string][] = [];
  if (f.prefix) out.push(['prefix', f.prefix]);
  if (f.name) out.push(['name', f.name]);
  if (f.version) out.push(['version', f.version]);
  if (f.status.length) out.push(['status', f.status.join(',')]);
  f.tag.forEach(t => out.push(['tag', t]));
  if (f.since) out.push(['since', f.since]);
  if (f.from) out.push(['from', f.from]);
  if (f.to) out.push(['to', f.to]);
  if (f.roots) out.push(['roots', 'true']);
  return out;
}

export interface Chip { key: string; label: string; value: string; without: Partial<Filters> }

export function chips(f: Filters): Chip[] {
  const out: Chip[] = [];
  const add = (key: string, label: string, value: string, without: Partial<Filters>) => out.push({ key, label, value, without });
  if (f.prefix) add('prefix', 'id begins with', f.prefix, { prefix: '' });
  if (f.name) add('name', 'name', f.name, { name: '' });
  if (f.version) add('version', 'version', f.version, { version: '' });
  f.status.forEach(s => add('status' + s, 'status', s, { status: f.status.filter(x => x !== s) }));
  f.tag.forEach(t => add('tag' + t, 'tag', t, { tag: f.tag.filter(x => x !== t) }));
  if (f.since) add('since', 'created in the', spans.find(([k]) => k === f.since)?.[1] ?? f.since, { since: '' });
  if (f.from) add('from', 'created from', shown(f.from), { from: '' });
  if (f.to) add('to', 'created until', shown(f.to), { to: '' });
  return out;
}

const shown = (time: string) => (ms(time) === undefined ? time : local(ms(time)!));

/** The address of the list with filters; sort and the like stay. */
export function toQuery(f: Filters, route: Route): URLSearchParams {
  const q = new URLSearchParams();
  for (const name of ['prefix', 'name', 'version', 'since', 'from', 'to'] as const) if (f[name]) q.set(name, f[name]);
  f.status.forEach(s => q.append('status', s));
  f.tag.forEach(t => q.append('tag', t));
  if (!f.roots) q.set('roots', '0');
  for (const kept of ['sort', 'why']) {
    const value = route.query.get(kept);
    if (value) q.set(kept, value);
  }
  return q;
}

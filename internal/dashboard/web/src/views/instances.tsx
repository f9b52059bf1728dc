// The list of instances: filters, a histogram, and a table that stays up to
// date.
import { useMemo, useRef, useState } from 'preact/hooks';
import { get, type Found, type Row } from '../api';
import { isFinished, type ActionName } from '../commands';
import { chips, filtersOf, flags, parameters, statuses, toQuery, type Filters } from '../filters';
import { count, duration, local, ms, plural } from '../format';
import { clockOffset, serverNow, setServerTime, useNow, usePolling } from '../live';
import { Copy, Empty, Icon, Problem, Status, Time, useWindow } from '../parts';
import { choose, go, instanceLink, link, type Route } from '../router';
import { useKeys } from '../keys';
import { BatchDialog } from './dialogs';
import { Histogram } from './histogram';
import { Search } from './search';
import { useReasons, Why } from './why';

const pageSize = 200;
const rowHeight = 36;

/** Rows of the list with what was counted, as they were found and changed since. */
interface Listing { key: string; found: Found; rows: Map<string, Row>; older: boolean }

function merge(list: Listing, changed: Row[]): { list: Listing; news: boolean } {
  let news = false;
  const rows = new Map(list.rows);
  const found = { ...list.found, byStatus: { ...list.found.byStatus } };
  for (const row of changed) {
    const had = rows.get(row.instanceId);
    if (had && had.lastUpdatedTime === row.lastUpdatedTime && had.runtimeStatus === row.runtimeStatus && had.executionId === row.executionId) continue;
    news = true;
    if (had) found.byStatus[had.runtimeStatus] = Math.max(0, (found.byStatus[had.runtimeStatus] ?? 1) - 1);
    else if (list.older && (ms(row.createdTime) ?? 0) < oldest(list.rows)) continue; // on a page that was not loaded
    else found.total++;
    found.byStatus[row.runtimeStatus] = (found.byStatus[row.runtimeStatus] ?? 0) + 1;
    rows.set(row.instanceId, row);
  }
  return { list: news ? { ...list, found, rows } : list, news };
}

function oldest(rows: Map<string, Row>): number {
  let least = Infinity;
  for (const row of rows.values()) least = Math.min(least, ms(row.createdTime) ?? Infinity);
  return least;
}

/** Loads the rows that match and keeps them up to date. */
function useListing(f: Filters) {
  const [list, setList] = useState<Listing>();
  const [error, setError] = useState('');
  const [again, setAgain] = useState(0);
  const [busy, setBusy] = useState(false);
  const key = JSON.stringify(f) + again;
  const current = useRef<Listing | undefined>(undefined);
  current.current = list;
  const since = useRef('');
  usePolling(async signal => {
    setError('');
    try {
      const found = await get<Found>('search', { query: [...parameters(f, serverNow()), ['top', String(pageSize)]], signal });
      setServerTime(ms(found.now) ?? NaN);
      since.current = found.now;
      setList({ key, found, rows: new Map(found.instances.map(r => [r.instanceId, r])), older: found.more });
      return undefined;
    } catch (e) {
      if (!signal.aborted && current.current?.key !== key) setError((e as Error).message);
      throw e;
    }
  }, [key]);
  const pause = useRef(2000);
  usePolling(async signal => {
    if (current.current?.key !== key) return 500;
    // Clocks of several processes differ a little.
    const from = new Date(Date.parse(since.current) - 10_000).toISOString();
    const found = await get<Found>('search', { query: [...parameters({ ...f, status: [] }, serverNow()), ['updatedTimeFrom', from], ['top', '1000']], signal });
    if (current.current?.key !== key) return 500;
    const wanted = found.instances.filter(r => !f.status.length || f.status.includes(r.runtimeStatus) || current.current?.rows.has(r.instanceId));
    const merged = merge(current.current, wanted);
    setServerTime(ms(found.now) ?? NaN);
    since.current = found.now;
    if (merged.news) setList(merged.list);
    // A look at a large hub takes several requests to storage: an idle page makes four a minute.
    pause.current = merged.news ? 2000 : Math.min(pause.current * 2, 15_000 * Math.max(1, found.requests));
    return Math.max(pause.current, 1000 * found.requests);
  }, [key]);
  const more = async () => {
    if (!list) return;
    setBusy(true);
    try {
      const to = new Date(oldest(list.rows)).toISOString();
      const found = await get<Found>('search', { query: [...parameters({ ...f, to }, serverNow()), ['top', String(pageSize)]] });
      const rows = new Map(list.rows);
      for (const row of found.instances) rows.set(row.instanceId, row);
      setList({ key, found: { ...list.found, more: found.more }, rows, older: rows.size > list.rows.size && found.more });
    } catch (e) {
      setError((e as Error).message);
    }
    setBusy(false);
  };
  // What was found for another filter stays until the new is there.
  return { list, stale: list !== undefined && list.key !== key, error, more, busy, reload: () => setAgain(n => n + 1) };
}

type Sort = 'created' | 'name' | 'status' | 'duration' | 'updated' | 'id';

function sorted(rows: Row[], sort: string, now: number): Row[] {
  const [by, descending] = [sort.replace('-', '') as Sort, sort.startsWith('-')];
  const value: Record<Sort, (r: Row) => string | number> = {
    created: r => ms(r.createdTime) ?? 0, name: r => r.name.toLowerCase(), status: r => statuses.indexOf(r.runtimeStatus),
    duration: r => lasted(r, now) ?? 0, updated: r => ms(r.lastUpdatedTime) ?? 0, id: r => r.instanceId,
  };
  const of = value[by] ?? value.created;
  const sign = descending ? -1 : 1;
  return rows.sort((a, b) => {
    const [x, y] = [of(a), of(b)];
    return x < y ? -sign : x > y ? sign : a.instanceId < b.instanceId ? -1 : 1;
  });
}

export function lasted(r: Row, now: number): number | undefined {
  const begin = ms(r.createdTime);
  if (begin === undefined) return undefined;
  return (isFinished(r.runtimeStatus) ? ms(r.completedTime) ?? begin : now) - begin;
}

export function Instances({ route, actions }: { route: Route; actions: boolean }) {
  const f = filtersOf(route);
  const { list, stale, error, more, busy, reload } = useListing(f);
  const sort = route.query.get('sort') ?? '-created';
  const why = route.query.get('why') !== '0';
  const unfinished = (list?.found.byStatus.Running ?? 0) + (list?.found.byStatus.Pending ?? 0) > 0;
  const now = useNow(unfinished || !!list);
  const rows = useMemo(() => sorted([...(list?.rows.values() ?? [])].filter(r => !f.status.length || f.status.includes(r.runtimeStatus)), sort, serverNow()), [list, sort, f.status.join()]);
  const [batch, setBatch] = useState<ActionName>();
  const [at, setAt] = useState(0);
  const win = useWindow(rows.length, rowHeight);
  const reasons = useReasons(why ? rows.slice(win.first, win.last) : []);
  const cursor = Math.min(at, Math.max(0, rows.length - 1));
  const place = useRef(cursor);
  place.current = cursor;
  // Keys may come faster than pictures: the next one starts from this line, and Enter opens it.
  const move = (by: number) => {
    const to = Math.max(0, Math.min(rows.length - 1, place.current + by));
    const focus = () => document.getElementById('row-' + place.current)?.querySelector('a')?.focus({ preventScroll: true });
    place.current = to;
    setAt(to);
    win.show(to);
    focus();
    requestAnimationFrame(focus);
  };
  useKeys({ j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), r: reload });
  const set = (change: Partial<Filters>) => go(link(['instances'], toQuery({ ...f, ...change }, route)));
  const found = list?.found;
  const suspicious = found && Math.abs(clockOffset()) > 60_000;
  return (
    <main id="main">
      <h1 class="sr">Instances</h1>
      <section class="filterbar" aria-label="Filters">
        <Search found={found} f={f} onChange={set} />
        <div class="chips">
          {statuses.map(s => {
            const n = found?.byStatus[s] ?? 0;
            const on = f.status.includes(s);
            return <button type="button" key={s} class={`chip s-${s}`} aria-pressed={on} disabled={!n && !on && !!found && !f.status.length} onClick={() => set({ status: on ? f.status.filter(x => x !== s) : [...f.status, s] })}><i aria-hidden="true" />{s}{found && (!f.status.length || on) ? <b>{count(n, found.partial)}</b> : null}</button>;
          })}
          <button type="button" class="chip" aria-pressed={f.roots} title="Hide what orchestrations have started" onClick={() => set({ roots: !f.roots })}>Roots only</button>
          <button type="button" class="chip" aria-pressed={why} title="Reads what each instance in sight waits for, or why it failed: one or two storage requests a row" onClick={() => choose(route, { why: why ? '0' : undefined }, true)}>Why</button>
          {chips(f).filter(c => !c.key.startsWith('status')).map(c => (
            <button type="button" class="chip set" key={c.key} onClick={() => set(c.without)} aria-label={`Remove the filter ${c.label} ${c.value}`}>{c.label} <b>{c.value}</b><Icon name="close" /></button>
          ))}
          {chips(f).length > 1 && <button type="button" class="link" onClick={() => go(link(['instances']))}>Clear all</button>}
        </div>
      </section>
      {error && <Problem retry={reload}>{error}</Problem>}
      {suspicious && <Problem>The clock of this computer is {duration(Math.abs(clockOffset()))} {clockOffset() > 0 ? 'behind' : 'ahead of'} the app's; ages are by the app's.</Problem>}
      {found?.histogram && rows.length > 1 && <Histogram h={found.histogram} onRange={(from, to) => set({ since: '', from, to })} />}
      <div class="listhead">
        <p role="status">{found && !stale ? <Scope found={found} shown={rows.length} /> : error ? '' : 'Loading…'}</p>
        {actions && found && found.total > 0 && <BatchMenu onPick={setBatch} />}
      </div>
      {list && !stale && rows.length === 0 && <Nothing f={f} />}
      {rows.length > 0 && (
        <div class={`scroll list${stale ? ' stale' : ''}`} aria-busy={stale} ref={win.ref} tabIndex={-1}>
          <table class="grid" aria-rowcount={rows.length + 1}>
            <thead><tr><Head by="status" route={route} sort={sort}>Status</Head><Head by="name" route={route} sort={sort}>Name</Head><Head by="id" route={route} sort={sort}>Instance</Head><Head by="created" route={route} sort={sort} down>Created</Head><Head by="duration" route={route} sort={sort} down>Duration</Head><Head by="updated" route={route} sort={sort} down>Last moved</Head><th scope="col" class="why">Waits for / error</th><th scope="col">Tags</th></tr></thead>
            <tbody>
              {win.above > 0 && <tr aria-hidden="true" style={{ height: win.above + 'px' }} />}
              {rows.slice(win.first, win.last).map((r, i) => <Line key={r.instanceId} r={r} i={win.first + i} now={now} here={win.first + i === cursor} why={why ? reasons.get(r.instanceId) : undefined} onTag={t => set({ tag: [...new Set([...f.tag, t])] })} onName={name => set({ name })} onVersion={version => set({ version })} />)}
              {win.below > 0 && <tr aria-hidden="true" style={{ height: win.below + 'px' }} />}
            </tbody>
          </table>
          {list?.older && <p class="more"><button type="button" disabled={busy} onClick={more}>{busy ? 'Loading…' : 'Load older'}</button></p>}
        </div>
      )}
      {batch && <BatchDialog name={batch} query={parameters(f, serverNow())} flags={flags(f)} onClose={changed => { setBatch(undefined); if (changed) reload(); }} />}
    </main>
  );
}

function Scope({ found, shown }: { found: Found; shown: number }) {
  const failed = found.byStatus.Failed ?? 0;
  return <>
    <b>{count(found.total, found.partial)}</b> {found.total === 1 ? 'instance' : 'instances'}
    {found.since && !found.partial ? ` created since ${local(ms(found.since)!)}` : ''}
    {shown < found.total ? `, the newest ${count(shown)} shown` : ''}
    {found.total > 0 && failed > 0 ? ` · ${((failed / found.total) * 100).toFixed(failed / found.total < 0.1 ? 1 : 0)}% failed` : ''}
    {found.parked > 0 ? ` · ${plural(found.parked, 'parked', 'parked')}` : ''}
    {found.partial ? ' · more than is read at once: narrow the filter to see the newest for sure' : ''}
    <span class="faint"> · {plural(found.requests, 'storage request')}</span>
  </>;
}

function Head({ by, sort, route, down, children }: { by: Sort; sort: string; route: Route; down?: boolean; children: string }) {
  const on = sort.replace('-', '') === by;
  const descending = sort.startsWith('-');
  const next = on ? (descending ? by : '-' + by) : (down ? '-' : '') + by;
  return <th scope="col" aria-sort={on ? (descending ? 'descending' : 'ascending') : 'none'}><button type="button" class="head" onClick={() => choose(route, { sort: next === '-created' ? undefined : next }, true)}>{children}{on && <span aria-hidden="true">{descending ? ' ↓' : ' ↑'}</span>}</button></th>;
}

function Line({ r, i, now, here, why, onTag, onName, onVersion }: { r: Row; i: number; now: number; here: boolean; why?: Why; onTag: (t: string) => void; onName: (n: string) => void; onVersion: (v: string) => void }) {
  const took = lasted(r, now);
  return (
    <tr id={'row-' + i} class={`s-${r.runtimeStatus}${here ? ' here' : ''}`} aria-rowindex={i + 2} onClick={e => { if (!(e.target as HTMLElement).closest('a,button') && !getSelection()?.toString()) go(instanceLink(r.instanceId)); }}>
      <td><Status status={r.runtimeStatus} parked={!!r.parked} /></td>
      <td><button type="button" class="cell" title={`Only ${r.name}`} onClick={() => onName(r.name)}>{r.name || '–'}</button>{r.version && <button type="button" class="tag" title="Only this version" onClick={() => onVersion(r.version!)}>v{r.version}</button>}</td>
      <td class="id"><a href={instanceLink(r.instanceId)} class="mono" title={r.instanceId}>{r.instanceId}</a><Copy text={r.instanceId} what="the id" /></td>
      <td><Time at={r.createdTime} now={now} /></td>
      <td class="num">{took === undefined ? '–' : duration(Math.max(0, took))}</td>
      <td><Time at={r.lastUpdatedTime} now={now} /></td>
      <td class="why">{r.error ? <span class="bad">{r.error}</span> : why ? <Why why={why} now={now} /> : ''}</td>
      <td class="tags">{Object.entries(r.tags ?? {}).map(([k, v]) => <button type="button" class="tag" key={k} title={`Only ${k}=${v}`} onClick={() => onTag(`${k}=${v}`)}>{k}={v}</button>)}</td>
    </tr>
  );
}

function BatchMenu({ onPick }: { onPick: (a: ActionName) => void }) {
  return (
    <select aria-label="Do something to all that match" value="" onChange={e => { onPick(e.currentTarget.value as ActionName); e.currentTarget.value = ''; }}>
      <option value="" disabled hidden>All that match…</option>
      <option value="suspend">Suspend</option><option value="resume">Resume</option><option value="terminate">Terminate</option>
      <option value="rewind">Rewind</option><option value="restart">Restart</option><option value="purge">Purge</option>
    </select>
  );
}

function Nothing({ f }: { f: Filters }) {
  if (chips(f).length) return <Empty title="No instance matches."><button type="button" onClick={() => go(link(['instances']))}>Clear the filters</button>{f.roots && <> or <a href={link(['instances'], { roots: '0' })}>show children, too</a></>}</Empty>;
  return <Empty title="There are no instances yet."><a href={link(['start'])}>Start an orchestrator</a> here, or call the app's HTTP starter.</Empty>;
}

// The list of entities: their states, backlogs and locks, and what cleans them.
import { useState } from 'preact/hooks';
import { ask, get, type EntityRow } from '../api';
import { plural } from '../format';
import { useNow, usePolling } from '../live';
import { Command, Copy, Dialog, Draft, Empty, Field, Problem, Time } from '../parts';
import { choose, entityLink, go, targetLink, type Route } from '../router';
import { useKeys } from '../keys';
import { cleanCommand } from '../commands';

const pageSize = 100;
// Each page of the API is a request to storage: at most four a minute are made.
const pace = (pages: number) => Math.max(20_000, 15_000 * pages);

/** Rows, how many pages of the API they took, and where to go on. */
interface Page { rows: EntityRow[]; pages: number; token: string }

async function read(name: string, prefix: string, deleted: boolean, token: string, signal?: AbortSignal): Promise<Page> {
  const query: [string, string][] = [['details', 'true'], ['fetchState', 'true'], ['top', String(pageSize)]];
  if (name && prefix) query.push(['keyPrefix', prefix]);
  if (deleted) query.push(['includeDeleted', 'true']);
  let rows: EntityRow[] = [];
  // A page may be empty and have a next one: a few are tried.
  for (let pages = 1; ; pages++) {
    const answer = await ask(name ? `entities/${encodeURIComponent(name)}` : 'entities', { query, headers: token ? { 'x-ms-continuation-token': token } : {}, signal });
    rows = [...rows, ...((await answer.json()) as EntityRow[])];
    token = answer.headers.get('x-ms-continuation-token') ?? '';
    if (!token || rows.length || pages === 6) return { rows, pages, token };
  }
}

export function Entities({ route, actions }: { route: Route; actions: boolean }) {
  const name = route.query.get('name') ?? '';
  const prefix = route.query.get('key') ?? '';
  const deleted = route.query.get('deleted') === '1';
  const [page, setPage] = useState<Page & { key: string }>();
  const [error, setError] = useState('');
  const [again, setAgain] = useState(0);
  const [busy, setBusy] = useState(false);
  const [at, setAt] = useState(0);
  const [cleaning, setCleaning] = useState(false);
  const key = [name, prefix, deleted].join('\n');
  const many = (page?.rows.length ?? 0) > pageSize;
  usePolling(async signal => {
    try {
      const first = await read(name, prefix, deleted, '', signal);
      const again = many ? undefined : pace(first.pages);
      // What was loaded behind the first page stays.
      setPage(was => (was?.key === key && was.rows.length > pageSize ? { ...was, rows: [...first.rows, ...was.rows.slice(first.rows.length)] } : { ...first, key }));
      setError('');
      return again;
    } catch (e) {
      if (!signal.aborted) setError((e as Error).message);
      throw e;
    }
  }, [key, again, many]);
  const more = async () => {
    if (!page) return;
    setBusy(true);
    try {
      const next = await read(name, prefix, deleted, page.token);
      setPage({ ...next, key, rows: [...page.rows, ...next.rows] });
    } catch (e) {
      setError((e as Error).message);
    }
    setBusy(false);
  };
  const now = useNow(true);
  const rows = page?.rows ?? [];
  const here = Math.min(at, Math.max(0, rows.length - 1));
  const move = (by: number) => {
    const to = Math.max(0, Math.min(rows.length - 1, here + by));
    setAt(to);
    requestAnimationFrame(() => document.querySelector<HTMLElement>('tr.here a')?.focus());
  };
  useKeys({ j: () => move(1), k: () => move(-1), r: () => setAgain(again + 1) });
  const names = [...new Set(rows.map(r => r.entityId.name))];
  return (
    <main id="main">
      <div class="title"><h1>Entities</h1><span class="spring" />{actions && <button type="button" onClick={() => setCleaning(true)}>Clean…</button>}</div>
      <section class="filterbar" aria-label="Filters">
        <div class="chips">
          <Draft id="search" hint="Kind, such as counter" label="Kind of entity" value={name} list="kinds" onDone={text => choose(route, { name: text.trim().toLowerCase() || undefined, key: undefined })} />
          <datalist id="kinds">{names.map(n => <option key={n} value={n} />)}</datalist>
          {name && <Draft hint="Key begins with" label="Key begins with" value={prefix} onDone={text => choose(route, { key: text || undefined })} />}
          <button type="button" class="chip" aria-pressed={deleted} title="Show those that do not exist (any more), of which something is kept" onClick={() => choose(route, { deleted: deleted ? undefined : '1' })}>Deleted, too</button>
        </div>
      </section>
      {error && <Problem retry={() => setAgain(again + 1)}>{error}</Problem>}
      <p role="status">{page ? `${plural(rows.length, 'entity', 'entities')}${page.token ? ', and maybe more' : ''}` : error ? '' : 'Loading…'}</p>
      {page && rows.length === 0 && !page.token && <Empty title={name ? 'No entity matches.' : 'There are no entities.'}>{name ? <button type="button" onClick={() => choose(route, { name: undefined, key: undefined })}>Show all kinds</button> : 'An entity is there once an operation has given it a state.'}</Empty>}
      {rows.length > 0 && (
        <div class="scroll list">
          <table class="grid entities">
            <thead><tr><th scope="col">Kind</th><th scope="col">Key</th><th scope="col">Last operation</th><th scope="col" class="num">Waiting</th><th scope="col">Locked by</th><th scope="col" class="why">State</th></tr></thead>
            <tbody>{rows.map((r, i) => <Line key={r.entityId.name + '@' + r.entityId.key} r={r} now={now} here={i === here} onKind={() => choose(route, { name: r.entityId.name })} />)}</tbody>
          </table>
        </div>
      )}
      {page?.token && <p class="more"><button type="button" disabled={busy} onClick={more}>{busy ? 'Loading…' : 'Load more'}</button></p>}
      {cleaning && <Clean onClose={changed => { setCleaning(false); if (changed) setAgain(again + 1); }} />}
    </main>
  );
}

function Line({ r, now, here, onKind }: { r: EntityRow; now: number; here: boolean; onKind: () => void }) {
  const { name, key } = r.entityId;
  return (
    <tr class={here ? 'here' : ''} onClick={e => { if (!(e.target as HTMLElement).closest('a,button') && !getSelection()?.toString()) go(entityLink(name, key)); }}>
      <td><button type="button" class="cell" title={`Only ${name}`} onClick={onKind}>{name}</button></td>
      <td class="id"><a class="mono" href={entityLink(name, key)} title={key}>{key || '(empty)'}</a><Copy text={`@${name}@${key}`} what="the id" /></td>
      <td><Time at={r.lastOperationTime} now={now} /></td>
      <td class="num">{r.waiting ?? 0}</td>
      <td class="id">{r.lockedBy ? <a class="mono" href={targetLink(r.lockedBy)}>{r.lockedBy}</a> : ''}</td>
      <td class="why mono">{r.error ? <span class="bad">{r.error}</span> : !r.exists ? <span class="faint">does not exist</span> : r.state?.text ?? `${r.state?.bytes ?? 0} bytes`}</td>
    </tr>
  );
}

interface Cleaned { emptyEntitiesRemoved: number; orphanedLocksReleased: number; token?: string }

function Clean({ onClose }: { onClose: (changed: boolean) => void }) {
  const [empty, setEmpty] = useState(true);
  const [locks, setLocks] = useState(true);
  const [hours, setHours] = useState('1');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const [done, setDone] = useState<Cleaned>();
  const [stop] = useState(() => new AbortController());
  const seconds = Math.round(Number(hours) * 3600);
  const wrong = !(seconds >= 0) || (!empty && !locks);
  const query: [string, string][] = [];
  if (empty) query.push(['removeEmpty', 'true'], ['emptyFor', String(seconds)]);
  if (locks) query.push(['releaseOrphanedLocks', 'true']);
  const run = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    setError('');
    const sum: Cleaned = { emptyEntitiesRemoved: 0, orphanedLocksReleased: 0 };
    try {
      for (let token = ''; ; ) {
        const part = await get<Cleaned>('entities/clean', { method: 'POST', query: token ? [...query, ['token', token]] : query, signal: stop.signal });
        sum.emptyEntitiesRemoved += part.emptyEntitiesRemoved;
        sum.orphanedLocksReleased += part.orphanedLocksReleased;
        token = part.token ?? '';
        setDone({ ...sum, token });
        if (!token) break;
      }
    } catch (e) {
      if (!stop.signal.aborted) setError((e as Error).message);
    }
    setBusy(false);
  };
  return (
    <Dialog title="Clean entities" onClose={() => { stop.abort(); onClose(done !== undefined); }}>
      <form onSubmit={run}>
        <p>Goes through all entities and removes what is of no use. Entities that exist are not touched, and nothing that waits is lost.</p>
        <p><label class="check"><input type="checkbox" checked={empty} onChange={e => setEmpty(e.currentTarget.checked)} /> what is kept of entities without a state</label></p>
        {empty && <Field label="Without an operation for this many hours" error={seconds >= 0 ? undefined : 'A number of hours.'}><input inputMode="decimal" value={hours} onInput={e => setHours(e.currentTarget.value)} /></Field>}
        <p><label class="check"><input type="checkbox" checked={locks} onChange={e => setLocks(e.currentTarget.checked)} /> locks of orchestrations that do not run any more</label></p>
        <Command line={cleanCommand(empty && seconds >= 0 ? seconds : undefined, locks)} />
        {done && <p role="status">{plural(done.emptyEntitiesRemoved, 'empty entity', 'empty entities')} removed, {plural(done.orphanedLocksReleased, 'lock')} released{busy ? '…' : done.token ? '. Stopped.' : '. That was all.'}</p>}
        {error && <Problem>{error}</Problem>}
        <footer><button type="button" onClick={() => { stop.abort(); onClose(done !== undefined); }}>{done ? 'Close' : 'Cancel'}</button><button type="submit" class="solid" disabled={busy || wrong}>{busy ? 'Cleaning…' : 'Clean'}</button></footer>
      </form>
    </Dialog>
  );
}

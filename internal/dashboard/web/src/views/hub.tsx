// The hub: its queues, what is stuck, the process that answers, its settings.
import { useState } from 'preact/hooks';
import { get, type Found, type Hub } from '../api';
import { bytes, count, duration, ms } from '../format';
import { useNow, usePolling } from '../live';
import { Problem, Time } from '../parts';
import { link } from '../router';

// The page asks for all of this in about seven requests to storage.
const pace = 120_000;

export function HubPage() {
  const [hub, setHub] = useState<Hub>();
  const [found, setFound] = useState<Found>();
  const [error, setError] = useState('');
  const [again, setAgain] = useState(0);
  usePolling(async signal => {
    try {
      setHub(await get<Hub>('hub', { signal }));
      setFound(await get<Found>('search', { query: [['rootsOnly', 'true'], ['top', '1']], signal }));
      setError('');
    } catch (e) {
      if (!signal.aborted) setError((e as Error).message);
      throw e;
    }
    return pace;
  }, [again]);
  const now = useNow(true);
  if (!hub) return <main id="main">{error ? <Problem retry={() => setAgain(again + 1)}>{error}</Problem> : <p class="boot" role="status">Loading…</p>}</main>;
  const p = hub.process;
  return (
    <main id="main">
      <div class="title"><h1>Task hub {hub.hub}</h1><span class="spring" /><button type="button" onClick={() => setAgain(again + 1)}>Refresh</button></div>
      <p class="faint">{hub.storage} · as of <Time at={hub.now} now={now} /></p>
      {error && <Problem>{error}</Problem>}
      <div class="cards">
        {found && <section class="card"><h2>Instances</h2>
          <p class="big">{count(found.total, found.partial)}</p>
          <p class="small faint">{found.since ? <>created since <Time at={found.since} now={now} /></> : 'in all'}, without children</p>
          <ul class="plain">{Object.entries(found.byStatus).map(([s, n]) => <li key={s}><a href={link(['instances'], { status: s })}><span class={`status s-${s}`}><i aria-hidden="true" />{s}</span> {count(n)}</a></li>)}</ul>
          {found.parked > 0 && <p><a href={link(['instances'], { status: 'Suspended' })} class="bad">{found.parked} parked: the code no longer fits their history</a></p>}
        </section>}
        {found && found.byName.length > 0 && <section class="card"><h2>Orchestrators</h2>
          <table class="plain"><thead><tr><th scope="col">Name</th><th scope="col" class="num">Instances</th><th scope="col" class="num">Failed</th></tr></thead>
            <tbody>{found.byName.slice(0, 12).map(n => <tr key={n.name}><td><a href={link(['instances'], { name: n.name })}>{n.name || '–'}</a></td><td class="num">{count(n.total)}</td><td class={`num ${n.failed ? 'bad' : ''}`}>{n.failed ? `${count(n.failed)} (${Math.round((100 * n.failed) / n.total)}%)` : '0'}</td></tr>)}</tbody></table>
        </section>}
        {hub.queues && <section class="card"><h2>Queues</h2>
          <table class="plain"><thead><tr><th scope="col">Queue</th><th scope="col" class="num">Messages</th><th scope="col">Oldest visible</th></tr></thead>
            <tbody>{hub.queues.map(q => <tr key={q.name}><td class="mono">{q.name}{q.poison && q.messages > 0 && <span class="tag bad">poison</span>}</td><td class="num">{q.error ? <span class="bad">{q.error}</span> : q.missing ? <span class="bad">missing</span> : count(q.messages)}</td><td>{q.oldest ? <Age at={q.oldest} now={now} /> : <span class="faint">none</span>}</td></tr>)}</tbody></table>
          <p class="small faint">Messages include those that a process holds. An old visible message says that no process takes it.</p>
        </section>}
        {hub.latency && <section class="card"><h2>Storage</h2>
          <table class="plain"><tbody>{hub.latency.map(l => <tr key={l.request}><td>{l.request}</td><td class="num">{l.error ? <span class="bad">{l.error}</span> : `${l.milliseconds.toFixed(1)} ms`}</td></tr>)}</tbody></table>
        </section>}
        <section class="card"><h2>The process that answered</h2>
          <table class="plain"><tbody>
            <tr><td>Host, process</td><td>{p.host}, {p.id}</td></tr><tr><td>Runs for</td><td>{duration(now - (ms(p.started) ?? now))}</td></tr>
            <tr><td>Module, Go</td><td>{p.module}, {p.go}</td></tr><tr><td>Heap</td><td>{bytes(p.heapBytes)}</td></tr><tr><td>Goroutines</td><td>{count(p.goroutines)}</td></tr>
          </tbody></table>
        </section>
        {hub.settings && <section class="card"><h2>Settings in force</h2>
          <table class="plain"><tbody>{hub.settings.map(s => <tr key={s.name}><td class="mono small">{s.name}</td><td class="mono small">{s.value || <span class="faint">none</span>}</td></tr>)}<tr><td class="mono small">dashboardActions</td><td class="mono small">{String(hub.actions)}</td></tr></tbody></table>
        </section>}
      </div>
    </main>
  );
}

function Age({ at, now }: { at: string; now: number }) {
  const old = now - (ms(at) ?? now);
  return <span class={old > 60_000 ? 'bad' : ''}><Time at={at} now={now} /></span>;
}

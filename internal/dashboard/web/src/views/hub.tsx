// The hub: its queues, what is stuck, the processes that work on it, its settings, and
// what a check says.
import { useState } from 'preact/hooks';
import { get, type Found, type Hub, type Report } from '../api';
import { bytes, count, duration, ms } from '../format';
import { useNow, usePolling } from '../live';
import { Command, Problem, Time } from '../parts';
import { link, targetLink } from '../router';

// The page is asked for again so that it takes at most four requests to storage a minute.
const pace = (requests: number) => Math.max(120_000, 15_000 * requests);

export function HubPage() {
  const [hub, setHub] = useState<Hub>();
  const [found, setFound] = useState<Found>();
  const [error, setError] = useState('');
  const [again, setAgain] = useState(0);
  usePolling(async signal => {
    try {
      const h = await get<Hub>('hub', { signal });
      setHub(h);
      const f = await get<Found>('search', { query: [['rootsOnly', 'true'], ['top', '1']], signal });
      setFound(f);
      setError('');
      return pace(h.requests + f.requests);
    } catch (e) {
      if (!signal.aborted) setError((e as Error).message);
      throw e;
    }
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
          {hub.requestsPerMinute && <Traffic minutes={hub.requestsPerMinute} />}
        </section>}
        <Processes hub={hub} now={now} />
        <section class="card"><h2>The process that answered</h2>
          <table class="plain"><tbody>
            <tr><td>Host, process</td><td>{p.host}, {p.id}</td></tr>
            {p.about && <tr><td>Slots</td><td>{p.about.turnSlots} turns, {p.about.activitySlots} activities</td></tr>}
            {p.about && <tr><td>Version</td><td>{p.about.version || <span class="faint">none</span>}{p.about.app && <span class="faint"> of {p.about.app}</span>}</td></tr>}<tr><td>Runs for</td><td>{duration(now - (ms(p.started) ?? now))}</td></tr>
            <tr><td>Module, Go</td><td>{p.module}, {p.go}</td></tr><tr><td>Heap</td><td>{bytes(p.heapBytes)}</td></tr><tr><td>Goroutines</td><td>{count(p.goroutines)}</td></tr>
          </tbody></table>
        </section>
        {hub.canCheck && <Check />}
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

/** Requests of the process to storage in each of the last minutes. */
function Traffic({ minutes }: { minutes: number[] }) {
  const most = Math.max(1, ...minutes);
  const last = minutes[minutes.length - 1] ?? 0;
  const text = `Requests a minute, the last ${minutes.length} minutes: ${minutes.join(', ')}`;
  return (
    <>
      <p class="small"><b>{count(last)}</b> {last === 1 ? 'request' : 'requests'} of the process that answered in the last full minute <span class="faint">(most: {count(Math.max(0, ...minutes))})</span></p>
      <svg class="traffic" viewBox={`0 0 ${minutes.length * 8} 32`} preserveAspectRatio="none" role="img" aria-label={text}><title>{text}</title>{minutes.map((n, i) => <rect key={i} x={i * 8 + 1} width="6" y={32 - 32 * (n / most)} height={32 * (n / most)} />)}</svg>
    </>
  );
}

function Processes({ hub, now }: { hub: Hub; now: number }) {
  const list = hub.processes;
  if (!list && !hub.processesError) return null;
  return (
    <section class="card wide"><h2>Processes seen lately</h2>
      {hub.processesError && <p class="bad">{hub.processesError}</p>}
      {list && list.length > 0 && <table class="plain"><thead><tr><th scope="col">Process</th><th scope="col">Worked last</th><th scope="col" class="num">Instances then</th><th scope="col">Version</th><th scope="col">Slots</th><th scope="col">Runs since</th></tr></thead>
        <tbody>{list.map(p => (
          <tr key={p.name}><td>{p.host ?? <span class="mono small">{p.name}</span>}{p.id ? `, ${p.id}` : ''} {p.name === hub.process.name && <span class="tag">answered</span>}</td><td><Time at={p.seen} now={now} /></td><td class="num">{count(p.instances)}</td>
            <td>{p.version || <span class="faint">none</span>}{p.app && <span class="faint small"> of {p.app}</span>}{p.module && <span class="faint small">, module {p.module}</span>}</td><td>{p.turnSlots ? `${p.turnSlots} turns, ${p.activitySlots} activities` : '–'}</td><td><Time at={p.started} now={now} /></td></tr>
        ))}</tbody></table>}
      <p class="small faint">{list?.length === 0 ? 'None has worked on anything lately. ' : ''}A process notes what it works on every five seconds while it works, and nothing otherwise: one without work is not here, and one that has ended stays for about twenty minutes. Times are by their own clocks.</p>
    </section>
  );
}

/** What "durable hub check" says, on demand. */
function Check() {
  const [report, setReport] = useState<Report>();
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    setError('');
    try {
      setReport(await get<Report>('hub/check'));
    } catch (e) {
      setError((e as Error).message);
    }
    setBusy(false);
  };
  return (
    <section class="card wide" aria-label="Check"><h2>Check</h2>
      <p class="small">Reads the whole hub, about one request for each 1,000 rows, and says what is inconsistent. It changes nothing.</p>
      <p><button type="button" disabled={busy} onClick={run}>{busy ? 'Checking…' : report ? 'Check again' : 'Check the hub'}</button></p>
      {error && <Problem retry={run}>{error}</Problem>}
      {report && <p role="status">{report.findings.length === 0 ? <><b>Nothing is wrong</b> in {count(report.instances)} instances and entities.</> : <><b>{count(report.findings.length + (report.more ?? 0))} findings</b> in {count(report.instances)} instances and entities{report.more ? `, the first ${count(report.findings.length)} shown` : ''}.</>}</p>}
      {report && report.findings.length > 0 && <>
        <table class="plain"><thead><tr><th scope="col">Severity</th><th scope="col">Finding</th><th scope="col">Where</th><th scope="col">What is wrong</th></tr></thead>
          <tbody>{report.findings.map((f, i) => <tr key={i}><td class={f.severity === 'damage' ? 'bad' : ''}>{f.severity}</td><td class="mono small">{f.kind}</td><td>{f.instance && <a class="mono small" href={targetLink(f.instance)}>{f.instance}</a>} <span class="faint small">{f.place}</span></td><td>{f.what}{f.repair && <div class="small faint">Repair: {f.repair}</div>}</td></tr>)}</tbody></table>
        <Command line="durable hub check --repair" />
      </>}
    </section>
  );
}

// One instance: its facts, what it waits for, what went wrong, and its history
// in four pictures.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ask, get, instancePath, type Details, type Event, type EventPage, type Hub } from '../api';
import { isFinished } from '../commands';
import { duration, ms, plural } from '../format';
import { useNow, usePolling } from '../live';
import { build, type History } from '../model';
import { Copy, Empty, Icon, Problem, Status, Time } from '../parts';
import { choose, instanceLink, link, type Route } from '../router';
import { useKeys } from '../keys';
import { lasted } from './instances';
import { ActionBar } from './dialogs';
import { HistoryTable } from './history';
import { Inspector } from './inspector';
import { download, Payload } from './payload';
import { Sequence } from './sequence';
import { Timeline } from './timeline';
import { Tree } from './tree';
import { FailurePanel, WaitingPanel } from './waiting';

const tabs = ['timeline', 'sequence', 'tree', 'history'] as const;

/** How long a request for a change is held: the app looks once in 15 seconds. */
const hold = 180;

/** Loads an instance with its events, and follows it until it has finished. */
function useInstance(id: string) {
  const [details, setDetails] = useState<Details>();
  const [events, setEvents] = useState<Event[]>([]);
  const [missing, setMissing] = useState(false);
  const [error, setError] = useState('');
  const [again, setAgain] = useState(0);
  const state = useRef({ etag: '', execution: '', next: 0, events: [] as Event[], busy: 0 });
  const readEvents = async (signal: AbortSignal): Promise<boolean> => {
    const s = state.current;
    for (let news = false; ; ) {
      const page = await get<EventPage>(instancePath(id, '/events'), { query: [['from', String(s.next)], ['execution', s.execution]], signal });
      if (page.execution !== s.execution) {
        news ||= s.events.length > 0;
        s.events = [];
      }
      if (page.events.length) {
        news = true;
        s.events = [...s.events, ...page.events];
      }
      s.execution = page.execution;
      s.next = page.next;
      if (news) setEvents(s.events);
      if (!page.events.length || page.next >= page.stored) return news;
    }
  };
  usePolling(async signal => {
    const s = state.current;
    const early = s.etag || s.events.length ? undefined : readEvents(signal).catch(() => undefined);
    const answer = await ask(instancePath(id, '/details'), {
      query: [['waiting', 'true']], signal,
      headers: s.etag ? { 'If-None-Match': s.etag, Prefer: `wait=${hold}` } : {},
    }).catch(e => {
      if (signal.aborted) throw e;
      if (e.status === 404) setMissing(true);
      else setError(e.message);
      throw e;
    });
    setError('');
    setMissing(false);
    if (answer.status === 304) return 0;
    s.etag = answer.headers.get('ETag') ?? '';
    const d: Details = await answer.json();
    setDetails(d);
    if ((await early) === undefined) await readEvents(signal);
    s.busy = Date.now();
    return isFinished(d.runtimeStatus) ? undefined : 0;
  }, [id, again]);
  // While things happen the row may stand still: the history is looked at
  // until nothing has happened for a while.
  const unfinished = details !== undefined && !isFinished(details.runtimeStatus);
  usePolling(async signal => {
    const s = state.current;
    if (!unfinished) return undefined;
    if (Date.now() - s.busy > 30_000) return 5000;
    if (await readEvents(signal)) {
      s.busy = Date.now();
      const d = await get<Details>(instancePath(id, '/details'), { query: [['waiting', 'true']], signal });
      setDetails(d);
    }
    return Math.min(2000 + (Date.now() - s.busy) / 4, 10_000);
  }, [id, unfinished, again]);
  const reload = () => {
    state.current.etag = '';
    setAgain(n => n + 1);
  };
  return { details, events, execution: state.current.execution, missing, error, reload };
}

export function Instance({ route, hub }: { route: Route; hub?: Hub }) {
  const id = route.path[1] ?? '';
  const { details, events, execution, missing, error, reload } = useInstance(id);
  const [said, setSaid] = useState('');
  useEffect(() => {
    document.title = `${details?.name || id} · Durable Functions`;
    return () => void (document.title = 'Durable Functions');
  }, [details?.name, id]);
  const done = (what: string) => {
    setSaid(what);
    reload();
    for (const after of [700, 2000, 5000]) setTimeout(reload, after);
  };
  if (missing && !details) return <main id="main"><Empty whole title="There is no instance of this id.">It may have been purged, or it is in another task hub. <span class="mono wrap">{id}</span><br /><a href={link(['instances'], { prefix: id, roots: '0' })}>Look for ids that begin so</a></Empty></main>;
  if (!details) return <main id="main">{error ? <Problem retry={reload}>{error}</Problem> : <p class="boot" role="status">Loading…</p>}</main>;
  return (
    <main id="main">
      {missing && <Problem>The instance was purged meanwhile; this is what it was.</Problem>}
      {said && <p class="said" role="status">{said}<button type="button" class="icon" aria-label="Close" onClick={() => setSaid('')}><Icon name="close" /></button></p>}
      <InstanceBody route={route} d={details} events={events} execution={execution} hub={hub} onDone={done} />
    </main>
  );
}

/** All of an instance; also of one that came from a file, which offers no actions. */
export function InstanceBody({ route, d, events, execution, hub, onDone, offline }: { route: Route; d: Details; events: Event[]; execution?: string; hub?: Hub; onDone?: (what: string) => void; offline?: boolean }) {
  const h = useMemo(() => build(events), [events]);
  const open = !isFinished(d.runtimeStatus);
  const now = useNow(open && !offline);
  const tab = tabs.find(t => t === route.query.get('tab')) ?? 'timeline';
  const picked = route.query.get('event');
  const row = picked === null ? undefined : Number(picked);
  const pick = (r?: number) => choose(route, { event: r === undefined ? undefined : String(r) }, picked !== null);
  const show = (t: string) => choose(route, { tab: t === 'timeline' ? undefined : t }, true);
  useKeys({ '1': () => show('timeline'), '2': () => show('sequence'), '3': () => show('tree'), '4': () => show('history'), Escape: () => row !== undefined && pick() });
  const view = { h, d, events, execution, now: open && !offline ? now : h.end ?? ms(d.lastUpdatedTime) ?? now, picked: row, onPick: pick, offline };
  return (
    <>
      <Header d={d} h={h} now={now} hub={hub} />
      {onDone && <div class="bar"><ActionBar row={d} allowed={!!hub?.actions} onDone={onDone} /><button type="button" class="link" onClick={() => exportFile(d, events)}>Export</button></div>}
      {(d.waitingFor?.length ?? 0) > 0 && open && <WaitingPanel d={d} h={h} now={now} />}
      <FailurePanel d={d} h={h} onPick={pick} />
      <div class="payloads">
        <Payload title="Input" of="input" text={d.input} id={d.instanceId} version={d.executionId} />
        {!d.parked && (d.output || !open) && <Payload title={d.runtimeStatus === 'Completed' ? 'Output' : 'Output or reason'} of="output" text={d.output} id={d.instanceId} version={d.lastUpdatedTime} />}
        {d.customStatus && <Payload title="Custom status" of="customStatus" text={d.customStatus} id={d.instanceId} version={d.lastUpdatedTime} />}
      </div>
      <Tabs tab={tab} onShow={show} />
      <section role="tabpanel" id="panel" aria-labelledby={'tab-' + tab} class="panel">
        {events.length === 0 ? <Empty title="Nothing has happened yet.">{open ? 'The history begins when a process takes the instance up.' : 'The history has no events.'}</Empty>
          : tab === 'timeline' ? <Timeline {...view} /> : tab === 'sequence' ? <Sequence {...view} /> : tab === 'tree' ? <Tree {...view} /> : <HistoryTable {...view} route={route} />}
      </section>
      {row !== undefined && <Inspector {...view} />}
    </>
  );
}

export interface View { h: History; d: Details; events: Event[]; execution?: string; now: number; picked?: number; onPick: (row?: number) => void; offline?: boolean }

function Tabs({ tab, onShow }: { tab: string; onShow: (t: string) => void }) {
  const step = (e: KeyboardEvent) => {
    const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (!by) return;
    e.preventDefault();
    const next = tabs[(tabs.indexOf(tab as never) + by + tabs.length) % tabs.length];
    onShow(next);
    document.getElementById('tab-' + next)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Views of the history" onKeyDown={step}>
      {tabs.map(t => <button type="button" role="tab" id={'tab-' + t} key={t} aria-selected={t === tab} aria-controls="panel" tabIndex={t === tab ? 0 : -1} onClick={() => onShow(t)}>{t[0].toUpperCase() + t.slice(1)}</button>)}
    </div>
  );
}

function Header({ d, h, now, hub }: { d: Details; h: History; now: number; hub?: Hub }) {
  const took = lasted(d, now);
  const parent = h.started?.parent;
  const trace = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(h.started?.traceParent ?? '')?.[1];
  const queued = h.begin !== undefined && h.firstTurn !== undefined ? h.firstTurn - (ms(d.createdTime) ?? h.begin) : undefined;
  return (
    <header class="facts">
      <div class="title"><h1>{d.name || 'Instance'}</h1><Status status={d.runtimeStatus} parked={!!d.parked} />{d.version && <span class="tag">v{d.version}</span>}{d.isPurging && <span class="tag bad">being purged</span>}</div>
      <p class="mono wrap">{d.instanceId}<Copy text={d.instanceId} what="the id" /></p>
      <dl>
        <Fact name="Created"><Time at={d.createdTime} now={now} /></Fact>
        <Fact name={isFinished(d.runtimeStatus) ? 'Took' : 'Age'}>{took === undefined ? '–' : duration(took)}</Fact>
        {queued !== undefined && queued >= 0 && <Fact name="Began after">{duration(queued)}</Fact>}
        <Fact name="Last moved"><Time at={d.lastUpdatedTime} now={now} /></Fact>
        {d.completedTime && <Fact name="Finished"><Time at={d.completedTime} now={now} /></Fact>}
        {d.scheduledStartTime && <Fact name="Scheduled for"><Time at={d.scheduledStartTime} now={now} /></Fact>}
        {parent && <Fact name="Parent"><a href={instanceLink(parent.instanceId, { tab: 'tree' })}>{parent.name}</a></Fact>}
        {(d.generation ?? 0) > 0 && <Fact name="Starts under this id">{d.generation! + 1}</Fact>}
        <Fact name="Turns">{h.turns.toLocaleString('en')}</Fact>
        <Fact name="Calls">{h.spans.filter(s => s.kind === 'activity' || s.kind === 'child' || s.kind === 'entity').length.toLocaleString('en')}{h.spans.some(s => s.attempts.length > 1) ? `, ${plural(h.spans.reduce((n, s) => n + Math.max(0, s.attempts.length - 1), 0), 'retry', 'retries')}` : ''}</Fact>
        {d.executionId && <Fact name="Execution"><span class="mono short" title={d.executionId}>{d.executionId.slice(0, 8)}</span><Copy text={d.executionId} what="the execution id" /></Fact>}
        {trace && <Fact name="Trace">{hub?.traceUrl ? <a href={hub.traceUrl.replaceAll('{traceId}', trace)} target="_blank" rel="noreferrer">{trace.slice(0, 8)}<Icon name="out" /></a> : <><span class="mono">{trace.slice(0, 8)}</span><Copy text={trace} what="the trace id" /></>}</Fact>}
        {d.tags && <Fact name="Tags">{Object.entries(d.tags).map(([k, v]) => <a class="tag" key={k} href={link(['instances'], { tag: `${k}=${v}` })}>{k}={v}</a>)}</Fact>}
      </dl>
    </header>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

/** Saves the instance in the form that this page opens again. */
function exportFile(d: Details, events: Event[]): void {
  const name = d.instanceId.replace(/[^A-Za-z0-9_.-]+/g, '_').slice(0, 80) || 'instance';
  download(name + '.durable.json', JSON.stringify({ format: 'durable-dashboard', version: 1, instances: [{ details: d, events }] }, null, 1));
}

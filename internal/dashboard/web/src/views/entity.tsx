// One entity: its state, whose its lock is, what waits for it, what it has run.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, get, type Entity } from '../api';
import { entityCommand } from '../commands';
import { bytes, duration, jsonProblem, ms, plural } from '../format';
import { useNow, usePolling } from '../live';
import { Command, Copy, Dialog, Empty, Field, Icon, Problem, Time } from '../parts';
import { link, targetLink, type Route } from '../router';
import { Shown } from './payload';

// Each look takes two requests to storage, three where it is locked. It is looked at often
// while something happens, and at most four requests a minute are made when nothing does: a
// long backlog takes more of them.
const soon = 3000;
const calm = (waiting: number) => 45_000 * (1 + waiting / 200);

const pathOf = (name: string, key: string, rest = '') => `entities/${encodeURIComponent(name)}/${encodeURIComponent(key || '$')}${rest}`;

export function EntityPage({ route, actions }: { route: Route; actions: boolean }) {
  const name = route.path[1] ?? '';
  const key = route.path[2] === '$' ? '' : route.path[2] ?? '';
  const [entity, setEntity] = useState<Entity>();
  const [missing, setMissing] = useState(false);
  const [error, setError] = useState('');
  const [again, setAgain] = useState(0);
  const [said, setSaid] = useState('');
  const [open, setOpen] = useState<Verb>();
  const pause = useRef(soon);
  const seen = useRef('');
  usePolling(async signal => {
    try {
      const e = await get<Entity>(pathOf(name, key, '/details'), { signal });
      setEntity(e);
      const state = JSON.stringify({ ...e, now: '' });
      pause.current = state === seen.current ? Math.min(pause.current * 2, calm(e.waiting ?? 0)) : soon;
      seen.current = state;
      setMissing(false);
      setError('');
    } catch (e) {
      if (signal.aborted) throw e;
      if ((e as { status?: number }).status !== 404) {
        setError((e as Error).message);
        throw e;
      }
      setEntity(undefined);
      setMissing(true);
      pause.current = Math.min(pause.current * 2, calm(0));
    }
    return pause.current;
  }, [name, key, again]);
  useEffect(() => {
    document.title = `${name} ${key} · Durable Functions`;
    return () => void (document.title = 'Durable Functions');
  }, [name, key]);
  const now = useNow(true);
  const done = (what: string) => {
    setSaid(what);
    for (const after of [0, 700, 2500]) setTimeout(() => setAgain(n => n + 1), after);
  };
  const id = `@${name}@${key}`;
  return (
    <main id="main">
      <div class="title"><h1>{name} {key || <span class="faint">(empty key)</span>}</h1>{entity?.lock && <span class="tag">locked</span>}{entity && !entity.exists && <span class="tag bad">does not exist</span>}</div>
      <p class="mono wrap">{id}<Copy text={id} what="the id" /></p>
      {said && <p class="said" role="status">{said}<button type="button" class="icon" aria-label="Close" onClick={() => setSaid('')}><Icon name="close" /></button></p>}
      {error && <Problem retry={() => setAgain(again + 1)}>{error}</Problem>}
      {actions ? (
        <div class="bar"><div class="actions" role="group" aria-label="Actions">{verbs.map(v => <button type="button" key={v} class={v === 'delete' ? 'danger' : ''} onClick={() => setOpen(v)}>{titles[v]}</button>)}</div><a href={link(['entities'], { name })}>All of this kind</a></div>
      ) : <p class="faint small">This page only shows. <code>dashboardActions</code> in host.json lets it act.</p>}
      {missing && <Empty title="Nothing is stored of this entity.">It exists once an operation has given it a state. <a href={link(['entities'], { name })}>Look for others of its kind</a></Empty>}
      {!entity && !missing && !error && <p class="boot" role="status">Loading…</p>}
      {entity && <Body e={entity} now={now} name={name} entityKey={key} />}
      {open && <Act verb={open} name={name} entityKey={key} onClose={() => setOpen(undefined)} onDone={done} />}
    </main>
  );
}

function Body({ e, now, name, entityKey }: { e: Entity; now: number; name: string; entityKey: string }) {
  const lock = e.lock;
  return (
    <>
      {lock && (
        <section class={`callout ${lock.orphan ? 'bad' : 'wait'}`} aria-label="Lock">
          <h2>Locked by <a class="mono" href={targetLink(lock.owner)}>{lock.owner}</a></h2>
          <p>{ms(lock.since) !== undefined && <>for {duration(Math.max(0, now - ms(lock.since)!))}</>} <span class="faint">in the critical section {lock.section}</span></p>
          {lock.orphan ? <p class="small">This orchestration does not run any more. The lock is released when another request needs it, or by <em>Clean</em> on the page of all entities.</p>
            : <p class="small">What others ask for waits until the section ends.</p>}
        </section>
      )}
      <div class="cards">
        <section class="card"><State e={e} name={name} entityKey={entityKey} /><p class="small faint">Last operation <Time at={e.lastOperationTime} now={now} />.</p></section>
        <section class="card"><h2>Last operations</h2>
          {e.operations.length === 0 ? <p class="faint">None is kept.</p> : (
            <table class="plain"><thead><tr><th scope="col">Operation</th><th scope="col">When</th><th scope="col">Asked by</th></tr></thead>
              <tbody>{e.operations.map((o, i) => <tr key={i}><td class="wrap">{o.operation || '–'}{o.error && <div class="bad small wrap">{o.error}</div>}</td><td><Time at={o.at} now={now} /></td><td><By id={o.by} /></td></tr>)}</tbody></table>)}
        </section>
        <section class="card wide"><h2>Backlog <span class="faint">{plural(e.waiting ?? 0, 'request')}{e.more ? ' and more' : ''}</span></h2>
          {e.backlog.length === 0 ? <p class="faint">Nothing waits that may run now.{e.nextDue && <> The next signal is due <Time at={e.nextDue} now={now} />.</>}</p> : (
            <table class="plain"><thead><tr><th scope="col">Request</th><th scope="col">Since</th><th scope="col">Asked by</th><th scope="col">Input</th></tr></thead>
              <tbody>{e.backlog.map((b, i) => (
                <tr key={i}><td class="wrap">{b.kind === 'lock' ? 'the lock' : b.kind === 'release' ? 'end of a lock' : b.operation || b.kind} {b.kind === 'signal' && <span class="tag">signal</span>}{lock && b.section === lock.section && <span class="tag">in the section</span>}{b.error && <div class="bad small wrap">{b.error}</div>}</td>
                  <td><Time at={b.stored} now={now} /></td><td><By id={b.by} /></td><td class="mono small wrap">{b.input ? b.input.text ?? bytes(b.input.bytes) : ''}</td></tr>
              ))}</tbody></table>)}
        </section>
      </div>
    </>
  );
}

const By = ({ id }: { id?: string }) => (id ? <a class="mono wrap" href={targetLink(id)}>{id}</a> : <span class="faint">a client</span>);

function State({ e, name, entityKey }: { e: Entity; name: string; entityKey: string }) {
  const [whole, setWhole] = useState<{ of: string; text: string }>();
  const [error, setError] = useState('');
  if (!e.state) return <><h2>State</h2><p class="faint">none</p></>;
  const of = e.lastOperationTime ?? '';
  const text = e.state.text ?? (whole?.of === of ? whole.text : undefined);
  const load = async () => {
    try {
      setWhole({ of, text: await (await ask(pathOf(name, entityKey))).text() });
      setError('');
    } catch (e) {
      setError((e as Error).message);
    }
  };
  return <div class="payload" data-of="state">{text === undefined ? <><h2 class="ph">State</h2><button type="button" onClick={load}>Show {bytes(e.state.bytes)}</button></> : <Shown key={of} title="State" value={text} size={e.state.bytes} />}{error && <Problem>{error}</Problem>}</div>;
}

type Verb = 'signal' | 'call' | 'delete';
const verbs: Verb[] = ['signal', 'call', 'delete'];
const titles: Record<Verb, string> = { signal: 'Signal', call: 'Call', delete: 'Delete' };
const does: Record<Verb, string> = {
  signal: 'Asks for an operation, one way. It runs once, after what waits already.',
  call: 'Asks for an operation and waits up to 30 seconds for the answer. It runs once, also when the answer does not come in time.',
  delete: 'Signals the operation delete, by which most entities remove their state.',
};

interface Answer { requestId: string; result?: unknown; failure?: { type: string; message: string } }

function Act({ verb, name, entityKey, onClose, onDone }: { verb: Verb; name: string; entityKey: string; onClose: () => void; onDone: (what: string) => void }) {
  const [op, setOp] = useState('');
  const [input, setInput] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const [answer, setAnswer] = useState<{ text: string; bad: boolean }>();
  // A call that is repeated because its answer did not come is the same call.
  const [request, setRequest] = useState('');
  const problem = verb === 'delete' ? undefined : jsonProblem(input);
  const method = verb === 'delete' ? 'DELETE' : 'POST';
  const path = pathOf(name, entityKey, verb === 'call' ? '/call' : '');
  const query: [string, string][] = verb === 'delete' ? [] : [['op', op]];
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || problem) return;
    setBusy(true);
    setError('');
    setAnswer(undefined);
    try {
      const got = await ask(path, { method, query: request ? [...query, ['requestId', request]] : query, body: verb === 'delete' ? undefined : input.trim() || undefined, headers: { 'Content-Type': 'application/json' } });
      if (verb !== 'call') {
        onClose();
        onDone(verb === 'delete' ? 'It was asked to delete its state.' : `Signal ${op} is on its way.`);
        return;
      }
      const body = await got.text();
      const a: Answer = JSON.parse(body);
      setRequest(got.status === 202 ? a.requestId : '');
      if (got.status === 202) setAnswer({ text: 'No answer yet: the request waits. “Call” asks for its answer again.', bad: true });
      else if (a.failure) setAnswer({ text: `${a.failure.type}: ${a.failure.message}`, bad: true });
      // The text, not what was parsed: numbers stay exact.
      else setAnswer({ text: a.result === undefined ? 'It has no result.' : body.slice(body.indexOf('"result":') + 9, -1), bad: false });
      onDone(`${op} was called.`);
    } catch (e) {
      setError((e as Error).message);
    }
    setBusy(false);
  };
  const change = (f: (v: string) => void) => (e: { currentTarget: { value: string } }) => { f(e.currentTarget.value); setRequest(''); };
  return (
    <Dialog title={titles[verb]} onClose={onClose}>
      <form onSubmit={submit}>
        <p>{does[verb]}</p>
        <p class="mono wrap">@{name}@{entityKey}</p>
        {verb !== 'delete' && <>
          <Field label="Operation"><input required maxLength={1000} value={op} onInput={change(setOp)} autofocus /></Field>
          <Field label="Input (JSON)" error={problem}><textarea rows={4} class="mono" spellcheck={false} value={input} onInput={change(setInput)} placeholder="none" /></Field>
        </>}
        <Command line={entityCommand(verb, `@${name}@${entityKey}`, { op, input: verb === 'delete' ? '' : input.trim(), request })} />
        {answer && <div role="status" class={`callout ${answer.bad ? 'bad' : 'wait'}`}><pre class="code" tabIndex={0} aria-label="Answer">{answer.text}</pre></div>}
        {error && <Problem>{error}</Problem>}
        <footer><button type="button" onClick={onClose}>{answer ? 'Close' : 'Cancel'}</button><button type="submit" class={verb === 'delete' ? 'danger solid' : 'solid'} disabled={busy || !!problem || (verb !== 'delete' && !op)}>{busy ? 'Waiting…' : titles[verb]}</button></footer>
      </form>
    </Dialog>
  );
}

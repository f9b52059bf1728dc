// Dialogs that ask before something is done, and show the command that does
// the same.
import { useState } from 'preact/hooks';
import { ask, get, instancePath, type BatchResult, type Row } from '../api';
import { actionOf, actions, batchCommand, command, type Action, type ActionName } from '../commands';
import { jsonProblem, plural } from '../format';
import { Command, Dialog, Field, Problem } from '../parts';
import { go, instanceLink, link } from '../router';

/** The buttons of all actions; what is not possible now says why. */
export function ActionBar({ row, allowed, onDone }: { row: Row; allowed: boolean; onDone: (what: string) => void }) {
  const [open, setOpen] = useState<ActionName>();
  if (!allowed) return <p class="faint small">This page only shows. <code>dashboardActions</code> in host.json lets it act.</p>;
  return (
    <div class="actions" role="group" aria-label="Actions">
      {actions.filter(a => !a.blocked(row)).map(a => (
        <button type="button" key={a.name} class={a.danger ? 'danger' : ''} onClick={() => setOpen(a.name)}>{a.title}</button>
      ))}
      <button type="button" onClick={() => go(link(['start'], { like: row.instanceId }))}>Start one like this</button>
      {open && <ActionDialog action={actionOf(open)!} row={row} onClose={() => setOpen(undefined)} onDone={onDone} />}
    </div>
  );
}

function ActionDialog({ action, row, onClose, onDone }: { action: Action; row: Row; onClose: () => void; onDone: (what: string) => void }) {
  const [reason, setReason] = useState('');
  const [event, setEvent] = useState('');
  const [data, setData] = useState('');
  const [sameId, setSameId] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const [children, setChildren] = useState(false);
  const id = row.instanceId;
  const problem = action.name === 'event' ? jsonProblem(data) : undefined;
  const submit = async (e: globalThis.Event) => {
    e.preventDefault();
    if (problem || busy) return;
    setBusy(true);
    setError('');
    try {
      const result = await perform(action.name, id, { reason, event, data, sameId, children });
      onClose();
      onDone(result.said);
      if (result.next) go(result.next);
    } catch (e) {
      setError((e as Error).message);
      setBusy(false);
    }
  };
  return (
    <Dialog title={action.title} onClose={onClose}>
      <form onSubmit={submit}>
        <p>{action.does}</p>
        <p class="mono wrap">{id}</p>
        {action.name === 'event' && <>
          <Field label="Name of the event"><input required maxLength={1024} value={event} onInput={e => setEvent(e.currentTarget.value)} autofocus /></Field>
          <Field label="Data (JSON)" error={problem}><textarea rows={5} class="mono" spellcheck={false} value={data} onInput={e => setData(e.currentTarget.value)} placeholder="null" /></Field>
        </>}
        {action.reason && <Field label="Reason" hint="It is kept with the instance."><input value={reason} maxLength={1000} onInput={e => setReason(e.currentTarget.value)} autofocus /></Field>}
        {action.name === 'restart' && <label class="check"><input type="checkbox" checked={sameId} onChange={e => setSameId(e.currentTarget.checked)} /> under the same id, in place of this one</label>}
        {(action.name === 'terminate' || action.name === 'purge') && <label class="check"><input type="checkbox" checked={children} onChange={e => setChildren(e.currentTarget.checked)} /> its children, too</label>}
        <Command line={command(action.name, id, { reason, event, data: data.trim(), sameId }) + (children ? ' --recursive' : '')} />
        {error && <Problem>{error}</Problem>}
        <footer><button type="button" onClick={onClose}>Cancel</button><button type="submit" class={action.danger ? 'danger solid' : 'solid'} disabled={busy || !!problem}>{busy ? 'Sending…' : action.title}</button></footer>
      </form>
    </Dialog>
  );
}

interface Choices { reason: string; event: string; data: string; sameId: boolean; children: boolean }

async function perform(name: ActionName, id: string, o: Choices): Promise<{ said: string; next?: string }> {
  const query: [string, string][] = [];
  if (o.reason) query.push(['reason', o.reason]);
  if (o.children) query.push(['recursive', 'true']);
  switch (name) {
    case 'event':
      await ask(instancePath(id, '/raiseEvent/' + encodeURIComponent(o.event)), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: o.data.trim() || 'null' });
      return { said: `Event ${o.event} is on its way.` };
    case 'purge':
      await ask(instancePath(id), { method: 'DELETE', query });
      return { said: 'The instance was removed.', next: link(['instances']) };
    case 'restart': {
      const answer = await ask(instancePath(id, '/restart'), { method: 'POST', query: [['restartWithNewInstanceId', String(!o.sameId)]] });
      const started: { id: string } = await answer.json();
      return { said: o.sameId ? 'It was started again.' : 'A new instance was started; this is it.', next: instanceLink(started.id) };
    }
    default:
      await ask(instancePath(id, '/' + name), { method: 'POST', query });
      return { said: `${actionOf(name)!.title} was accepted; it happens with the next turn.` };
  }
}

/** An action on all instances that match: counted first, then done piece by piece. */
export function BatchDialog({ name, query, flags, onClose }: { name: ActionName; query: [string, string][]; flags: [string, string][]; onClose: (changed: boolean) => void }) {
  const action = actionOf(name)!;
  const [reason, setReason] = useState('');
  const [counted, setCounted] = useState<BatchResult>();
  const [total, setTotal] = useState<BatchResult>();
  const [phase, setPhase] = useState<'asked' | 'counting' | 'running' | 'stopped' | 'done'>('asked');
  const [error, setError] = useState('');
  const [stop] = useState(() => ({ now: new AbortController() }));
  const send = (extra: [string, string][]) =>
    get<BatchResult>('batch/' + name, { method: 'POST', query: [...query, ...(reason ? [['reason', reason] as [string, string]] : []), ...extra], signal: stop.now.signal });
  const guarded = async (f: () => Promise<void>, after: typeof phase) => {
    setError('');
    try {
      await f();
    } catch (e) {
      if (!stop.now.signal.aborted) setError((e as Error).message);
      setPhase(after);
    }
  };
  const dryRun = () => guarded(async () => {
    setPhase('counting');
    setCounted(await send([['dryRun', 'true']]));
    setPhase('asked');
  }, 'asked');
  const run = () => guarded(async () => {
    setPhase('running');
    const sum: BatchResult = { matched: 0, done: 0, failed: 0, failures: [], more: true };
    for (let token = ''; sum.more && !stop.now.signal.aborted; ) {
      const part = await send(token ? [['token', token]] : []);
      sum.matched += part.matched;
      sum.done += part.done;
      sum.failed += part.failed;
      sum.failures = [...sum.failures, ...part.failures].slice(0, 20);
      sum.more = part.more;
      token = part.token ?? '';
      setTotal({ ...sum });
    }
    setPhase(stop.now.signal.aborted ? 'stopped' : 'done');
  }, 'stopped');
  const close = () => {
    stop.now.abort();
    onClose(total !== undefined);
  };
  const most = counted?.matched ?? 0;
  return (
    <Dialog title={`${action.title}: all that match`} onClose={close}>
      <p>{action.does}</p>
      <ul class="filters">{flags.length ? flags.map(([n, v]) => <li key={n + v}>{n === 'roots' ? 'without children' : <>{n}: <b>{v}</b></>}</li>) : <li>no filter: <b>the whole hub</b></li>}</ul>
      {action.reason && phase !== 'running' && <Field label="Reason"><input value={reason} maxLength={1000} onInput={e => setReason(e.currentTarget.value)} /></Field>}
      <Command line={batchCommand(name, flags, reason)} />
      {counted && !total && <p role="status"><b>{plural(counted.matched, 'instance')}{counted.more ? ' and more' : ''}</b> would be changed: those of the filter that are in a state for it.</p>}
      {total && <div role="status">
        <progress max={Math.max(most, total.matched, 1)} value={total.matched} aria-label="Progress" />
        <p>{plural(total.done, 'instance')} done{total.failed ? `, ${total.failed} not` : ''}{phase === 'done' ? '. That was all.' : phase === 'stopped' ? '. Stopped.' : '…'}</p>
        {total.failures.length > 0 && <ul class="small">{total.failures.map(f => <li key={f.instanceId}><span class="mono">{f.instanceId}</span>: {f.message}</li>)}</ul>}
      </div>}
      {error && <Problem>{error}</Problem>}
      <footer>
        <button type="button" onClick={close}>{total ? 'Close' : 'Cancel'}</button>
        {phase === 'running' && <button type="button" onClick={() => stop.now.abort()}>Stop</button>}
        {!counted && <button type="button" class="solid" disabled={phase === 'counting'} onClick={dryRun}>{phase === 'counting' ? 'Counting…' : 'Count first'}</button>}
        {counted && phase === 'asked' && <button type="button" class={action.danger ? 'danger solid' : 'solid'} disabled={!counted.matched} onClick={run}>{action.title} {plural(counted.matched, 'instance')}{counted.more ? ' and more' : ''}</button>}
      </footer>
    </Dialog>
  );
}

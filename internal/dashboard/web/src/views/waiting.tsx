// What an instance waits for and what to do about it, and why it failed.
import { useState } from 'preact/hooks';
import type { Details, Failure, Wait } from '../api';
import { duration, local, ms } from '../format';
import type { History } from '../model';
import { Icon } from '../parts';
import { targetLink } from '../router';
import { phrase, plain } from './why';

const advice: Record<string, string> = {
  code: 'The deployed code no longer asks for what the history has. Deploy code that fits (a version or a patch for running instances), then resume it; it is also tried again when a new version of the app starts.',
  resume: 'It was suspended. Resume it to let it go on.',
  entity: 'The page of the entity shows whose its lock is and what waits before this.',
  worker: 'No process has taken it up yet. If that lasts: does the app run, does it listen to the control queue, and does it know this orchestrator in this version? The hub page shows the queues.',
  timer: 'A timer may also be the time limit of a wait for an event.',
  event: 'Nothing that it has asked for is open, so only an event from outside brings it on.',
};

export function WaitingPanel({ d, now }: { d: Details; h: History; now: number }) {
  const waits = d.waitingFor ?? [];
  const parked = waits.some(w => w.kind === 'code');
  return (
    <section class={`callout ${parked ? 'bad' : 'wait'}`} aria-label="Waiting for">
      <h2>{parked ? 'Parked: the code does not fit the history' : 'Waiting for'}</h2>
      <ul>{waits.slice(0, 12).map((w, i) => <li key={i}><One w={w} now={now} parked={parked} /></li>)}</ul>
      {waits.length > 12 && <p>and {waits.length - 12} others</p>}
    </section>
  );
}

function One({ w, now, parked }: { w: Wait; now: number; parked: boolean }) {
  const since = ms(w.since);
  return (
    <>
      {!parked && <><b>{w.instanceId && w.count === 1 ? <a href={targetLink(w.instanceId)}>{phrase(w, now)}</a> : phrase(w, now)}</b>
        {since !== undefined && <span class="faint" title={local(since)}> for {duration(Math.max(0, now - since))}</span>}</>}
      {w.where && <span class="small faint"> at <code class="mono">{w.where}</code></span>}
      {w.text && <p class={parked ? 'mono small wrap' : 'wrap'}>{w.text}</p>}
      {advice[w.kind] && !(w.kind === 'event' && w.name) && !(w.kind === 'timer' && w.where) && <p class="small">{advice[w.kind]}</p>}
    </>
  );
}

/** The failure of the instance, or of the calls that led there. */
export function FailurePanel({ d, h, onPick }: { d: Details; h: History; onPick: (row: number) => void }) {
  if (d.runtimeStatus !== 'Failed') return null;
  const failure = h.ended?.failure;
  const text = d.output?.text ?? '';
  const calls = h.spans.filter(s => s.state === 'failed').slice(-5);
  return (
    <section class="callout bad" aria-label="Failure">
      <h2><Icon name="warn" /> Failed</h2>
      {failure ? <FailureView f={failure} /> : <p class="wrap">{plain(text)}</p>}
      {calls.length > 0 && <p class="small">Failed calls: {calls.map(s => <button type="button" class="link" key={s.key} onClick={() => onPick(s.endRow ?? s.row)}>{s.name}{s.attempts.length > 1 ? ` (${s.attempts.length} attempts)` : ''}</button>)}</p>}
    </section>
  );
}

/** Type, message, stack and causes of a failure. */
export function FailureView({ f, depth = 0 }: { f: Failure; depth?: number }) {
  const [stack, setStack] = useState(false);
  return (
    <div class="failure">
      <p class="wrap">{depth > 0 && <span class="faint">caused by </span>}<b class="mono">{f.type}</b>{f.isNonRetriable && <span class="tag">not retried</span>}<br />{f.message}</p>
      {f.stack?.text && <><button type="button" class="link small" aria-expanded={stack} onClick={() => setStack(!stack)}>{stack ? 'Hide' : 'Show'} the stack</button>{stack && <pre class="code" tabIndex={0}>{f.stack.text}</pre>}</>}
      {f.inner && <FailureView f={f.inner} depth={depth + 1} />}
    </div>
  );
}

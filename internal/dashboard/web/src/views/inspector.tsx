// What is known of one event, or of the call that it belongs to.
import { useEffect, useRef } from 'preact/hooks';
import type { Event } from '../api';
import { clock, duration, local, ms, utc } from '../format';
import { begunAt, isBegin, isEnd } from '../model';
import { Copy, Icon } from '../parts';
import { targetLink } from '../router';
import type { View } from './instance';
import { Payload } from './payload';
import { FailureView } from './waiting';

export function Inspector({ events, execution, d, h, picked, onPick, offline }: View) {
  const ref = useRef<HTMLElement>(null);
  const e = events.find(x => x.row === picked);
  useEffect(() => ref.current?.scrollIntoView({ block: 'nearest' }), [picked]);
  if (!e) return <aside class="inspector" ref={ref}><header><h2>Event {picked}</h2><Close onPick={onPick} /></header><p class="faint">This history has no such event: the instance may have been started anew or continued.</p></aside>;
  const begin = isEnd(e.type) ? events.find(x => isBegin(x.type) && x.id === e.taskId) : isBegin(e.type) ? e : undefined;
  const end = isBegin(e.type) ? events.find(x => isEnd(x.type) && x.taskId === e.id) : isEnd(e.type) ? e : undefined;
  const span = h.spans.find(s => s.row === begin?.row || s.attempts.some(a => a.row === begin?.row));
  const took = begin && end ? (ms(end.at) ?? 0) - (ms(begin.at) ?? 0) : undefined;
  const began = begin && end ? begunAt(end, ms(begin.at) ?? 0) : undefined;
  const address = new URL(location.href);
  return (
    <aside class="inspector" ref={ref} aria-label="Event">
      <header><h2>{begin ? `${begin.name || 'timer'}` : e.name || e.type}</h2><Copy text={address.href} what="the address of this event" /><Close onPick={onPick} /></header>
      <dl>
        {[begin ?? e, ...(end && end !== e && begin !== end ? [end] : begin && end ? [end] : [])].map(x => <Moment key={x.row} e={x} />)}
        {took !== undefined && <div><dt>Took</dt><dd>{duration(took)}</dd></div>}
        {began !== undefined && <><div><dt>In the queue</dt><dd>{duration(began - ms(begin!.at)!)}</dd></div><div><dt>At work</dt><dd>{duration(ms(end!.at)! - began)}</dd></div></>}
        {span && span.attempts.length > 1 && <div><dt>Attempts</dt><dd><ol>{span.attempts.map(a => <li key={a.row}><button type="button" class="link" onClick={() => onPick(a.endRow ?? a.row)}>{a.state === 'ok' ? 'completed' : a.state}</button> {a.end !== undefined && `after ${duration(a.end - a.start)}`}{a.began !== undefined && `, ${duration(a.began - a.start)} of it in the queue`}</li>)}</ol></dd></div>}
        {(begin ?? e).fireAt && <div><dt>Due</dt><dd>{local(ms((begin ?? e).fireAt)!)}</dd></div>}
        {(begin ?? e).instanceId && <div><dt>Instance</dt><dd>{offline ? (begin ?? e).instanceId : <a class="mono wrap" href={targetLink((begin ?? e).instanceId!)}>{(begin ?? e).instanceId}</a>}</dd></div>}
        {(begin ?? e).id !== undefined && <div><dt>Call</dt><dd>{(begin ?? e).id}</dd></div>}
        {e.version && <div><dt>Version</dt><dd>{e.version}</dd></div>}
        {e.status && <div><dt>Status</dt><dd>{e.status}</dd></div>}
      </dl>
      {(end ?? e).failure && <FailureView f={(end ?? e).failure!} />}
      {[...new Set([begin ?? e, end ?? e])].map(x => <Texts key={x.row} e={x} id={d.instanceId} execution={execution} />)}
      {begin && !begin.input && begin.type !== 'TimerCreated' && <p class="faint small">The history keeps no inputs of calls here (setting storeInputsInOrchestrationHistory).</p>}
    </aside>
  );
}

function Close({ onPick }: { onPick: (row?: number) => void }) {
  return <button type="button" class="icon" aria-label="Close" onClick={() => onPick(undefined)}><Icon name="close" /></button>;
}

function Moment({ e }: { e: Event }) {
  const at = ms(e.at) ?? 0;
  return <div><dt>{e.type}</dt><dd title={`${local(at)} here\n${utc(at)}`}>{clock(at, true)} <span class="faint">#{e.row}</span></dd></div>;
}

function Texts({ e, id, execution }: { e: Event; id: string; execution?: string }) {
  const parts: [string, string, Event['input']][] = [['Input', 'input', e.input], ['Result', 'result', e.result], ['Reason', 'reason', e.failure ? undefined : e.reason]];
  return <>{parts.filter(([, , t]) => t).map(([title, of, t]) => <Payload key={of} title={title} of={of} text={t} id={id} row={e.row} execution={execution} />)}</>;
}

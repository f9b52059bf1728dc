// The timeline: a bar for each call, from when it was asked for to its end.
// Only the lines in sight are drawn, so that ten thousand are no more than ten.
import { useMemo, useState } from 'preact/hooks';
import { clock, duration } from '../format';
import { lines, split, type Attempt, type Group, type Line, type Span } from '../model';
import { Icon, useWindow } from '../parts';
import { targetLink } from '../router';
import { useKeys } from '../keys';
import type { View } from './instance';

const lineHeight = 26;

interface Scale { from: number; to: number; x: (t: number) => number }

export function Timeline({ h, d, now, picked, onPick }: View) {
  const [expanded, setExpanded] = useState(new Set<string>());
  const [values, setValues] = useState(false);
  const [zoom, setZoom] = useState<[number, number]>();
  const spans = useMemo(() => h.spans.filter(s => values || (s.kind !== 'marker' && !s.backoff)), [h, values]);
  const all = useMemo(() => lines(spans, expanded), [spans, expanded]);
  const begin = Math.min(h.begin ?? now, Date.parse(d.createdTime ?? '') || Infinity);
  const end = Math.max(h.end ?? now, begin + 1, ...(h.end === undefined ? [] : [h.end]), lastEnd(spans));
  const full: [number, number] = [begin, end];
  const [from, to] = zoom ?? full;
  const scale: Scale = { from, to, x: t => Math.max(-2, Math.min(102, ((t - from) / (to - from)) * 100)) };
  const win = useWindow(all.length, lineHeight);
  const around = (factor: number, middle = (from + to) / 2) => {
    const width = Math.max(2, (to - from) * factor);
    if (width >= end - begin) return setZoom(undefined);
    const left = Math.max(begin, Math.min(end - width, middle - (middle - from) * factor));
    setZoom([left, left + width]);
  };
  const pan = (by: number) => {
    const width = to - from;
    const left = Math.max(begin, Math.min(end - width, from + by * width));
    setZoom(width >= end - begin ? undefined : [left, left + width]);
  };
  useKeys({ '+': () => around(0.5), '-': () => around(2), '0': () => setZoom(undefined), ArrowLeft: () => pan(-0.25), ArrowRight: () => pan(0.25) });
  const toggle = (key: string) => {
    const next = new Set(expanded);
    if (!next.delete(key)) next.add(key);
    setExpanded(next);
  };
  const wheel = (e: WheelEvent) => {
    if (!e.ctrlKey && !e.shiftKey) return;
    e.preventDefault();
    const box = (e.currentTarget as HTMLElement).querySelector('.bars')?.getBoundingClientRect();
    if (e.shiftKey && !e.ctrlKey) return pan(Math.sign(e.deltaY || e.deltaX) * 0.15);
    around(e.deltaY > 0 ? 1.25 : 0.8, box ? from + ((e.clientX - box.left) / box.width) * (to - from) : undefined);
  };
  const hasValues = h.spans.some(s => s.kind === 'marker' || s.backoff);
  return (
    <div class="timeline" onWheel={wheel}>
      <div class="tools">
        <span class="faint small">{duration(to - from)} in sight{zoom ? ` of ${duration(end - begin)}` : ''}</span>
        {hasValues && <label class="check small"><input type="checkbox" checked={values} onChange={e => setValues(e.currentTarget.checked)} /> recorded values and waits of retries</label>}
        <span class="spring" />
        <Legend />
        <button type="button" class="icon" aria-label="Zoom in" title="Zoom in (+)" onClick={() => around(0.5)}><Icon name="plus" /></button>
        <button type="button" class="icon" aria-label="Zoom out" title="Zoom out (-)" onClick={() => around(2)}><Icon name="minus" /></button>
        <button type="button" onClick={() => setZoom(undefined)} disabled={!zoom}>All</button>
      </div>
      <Axis scale={scale} />
      <Own h={h} name={d.name} begin={begin} now={now} scale={scale} />
      <div class="scroll lines" ref={win.ref} role="list" hidden={all.length === 0} aria-label={`${all.length} lines`} tabIndex={0}>
        <div style={{ height: win.above + 'px' }} />
        {all.slice(win.first, win.last).map(l => <TimeLine key={l.group?.key ?? l.span!.key} l={l} scale={scale} now={now} expanded={expanded} picked={picked} onPick={onPick} onToggle={toggle} />)}
        <div style={{ height: win.below + 'px' }} />
      </div>
      {all.length === 0 && <p class="faint">The code has asked for nothing yet.</p>}
    </div>
  );
}

/** The instance itself: the time that it waited for a process, and the rest. */
function Own({ h, name, begin, now, scale }: { h: View['h']; name: string; begin: number; now: number; scale: Scale }) {
  const end = h.end ?? now;
  const first = Math.min(h.firstTurn ?? end, end);
  const text = `${name}: ${duration(first - begin)} until its code ran, then ${duration(end - first)}`;
  const rect = (from: number, to: number, kind: string) => <rect class={kind} x={scale.x(from) + '%'} width={Math.max(0, scale.x(to) - scale.x(from)) + '%'} y="9" height="8" rx="2" />;
  return <div class="own"><div class="tl"><span class="label name" title={text}>{name}</span><svg class="bars" role="img" aria-label={text}><title>{text}</title>{rect(begin, first, 'queued')}{rect(first, end, 'runs')}</svg><span class="took num">{duration(end - begin)}</span></div></div>;
}

const lastEnd = (spans: Span[]) => {
  let last = 0;
  for (const s of spans) last = Math.max(last, s.end ?? s.start);
  return last;
};

function Legend() {
  return <span class="legend small" aria-hidden="true"><i class="queued" />in the queue<i class="b-activity" />activity<i class="b-child" />child<i class="b-timer" />timer<i class="b-entity" />entity<i class="b-event" />event<i class="b-failed" />failed</span>;
}

const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 2592e6, 31536e6];

function Axis({ scale }: { scale: Scale }) {
  const width = scale.to - scale.from;
  const step = steps.find(s => width / s <= 7) ?? width;
  const marks: number[] = [];
  for (let t = Math.ceil(scale.from / step) * step; t <= scale.to && marks.length < 12; t += step) marks.push(t);
  return (
    <div class="axis" aria-hidden="true"><span class="label faint small">{new Date(scale.from).toLocaleDateString('sv')}</span>
      <div class="bars">{marks.map(t => <span key={t} style={{ left: scale.x(t) + '%' }}>{clock(t, step < 1000)}</span>)}</div>
    </div>
  );
}

function TimeLine({ l, scale, now, expanded, picked, onPick, onToggle }: { l: Line; scale: Scale; now: number; expanded: Set<string>; picked?: number; onPick: (row: number) => void; onToggle: (key: string) => void }) {
  if (l.group) {
    const g = l.group;
    const end = g.end ?? now;
    const open = expanded.has(g.key);
    return (
      <div class="tl group" role="listitem">
        <button type="button" class="label" aria-expanded={open} onClick={() => onToggle(g.key)}><Icon name={open ? 'down' : 'right'} /><span class="name">{g.name} × {g.spans.length.toLocaleString('en')}</span>{g.failed > 0 && <b class="bad">{g.failed} failed</b>}{g.open > 0 && <b class="open">{g.open} open</b>}</button>
        <GroupBars g={g} scale={scale} now={now} /><span class="took num">{duration(end - g.start)}</span>
      </div>
    );
  }
  const s = l.span!;
  const end = s.end ?? now;
  const here = picked !== undefined && (picked === s.row || picked === s.endRow || s.attempts.some(a => a.row === picked || a.endRow === picked));
  const state = s.state === 'failed' ? 'failed' : s.end === undefined ? 'open' : 'ok';
  const point = s.kind === 'event' || s.kind === 'sent' || s.kind === 'control' || s.kind === 'marker';
  return (
    <div class={`tl${here ? ' here' : ''}`} role="listitem">
      <button type="button" class={`label depth${l.depth}`} onClick={() => onPick(s.endRow ?? s.row)} title={title(s, end)}><i class={`dot b-${state === 'failed' ? 'failed' : s.kind}`} aria-hidden="true" /><span class="name">{s.name}</span>{s.attempts.length > 1 && <span class="faint small">{s.attempts.length} attempts</span>}<span class="sr">, {s.kind}, {state}, {duration(end - s.start)}{queue(s.attempts)}</span></button>
      <svg class="bars" aria-hidden="true" onClick={() => onPick(s.endRow ?? s.row)}>
        <title>{title(s, end)}</title>
        {point ? <Point s={s} scale={scale} /> : s.attempts.map((a, i) => <Bar key={i} a={a} s={s} scale={scale} now={now} until={s.attempts[i + 1]?.start} />)}
        {s.kind === 'timer' && s.end === undefined && s.fireAt !== undefined && s.fireAt > now && <line class="due" x1={scale.x(now) + '%'} x2={scale.x(s.fireAt) + '%'} y1="13" y2="13" />}
      </svg>
      <span class="took num">{s.instanceId && (s.kind === 'child' || s.entity) ? <a href={targetLink(s.instanceId)} aria-label={`Open ${s.kind === 'child' ? 'the child ' : ''}${s.name}`}><Icon name="out" /></a> : null}{point ? '' : s.end === undefined && s.fireAt !== undefined && s.fireAt > now ? `${duration(s.fireAt - now)} left` : duration(end - s.start)}</span>
    </div>
  );
}

const title = (s: Span, end: number) => `${s.kind} ${s.name}\n${clock(s.start, true)} – ${s.end === undefined ? 'open' : clock(end, true)} (${duration(end - s.start)})${queue(s.attempts)}${s.failure ? `\n${s.failure.type}: ${s.failure.message.slice(0, 300)}` : ''}`;

/** What of the time was spent in the queue, and what at work. */
const queue = (attempts: Attempt[]) => {
  const parts = split(attempts);
  return parts ? `\n${duration(parts.waited)} in the queue, ${duration(parts.worked)} at work` : '';
};

function Bar({ a, s, scale, now, until }: { a: Attempt; s: Span; scale: Scale; now: number; until?: number }) {
  const x1 = scale.x(a.start);
  const x2 = scale.x(a.end ?? now);
  const wait = until !== undefined && a.end !== undefined ? scale.x(until) - x2 : 0;
  const kind = a.state === 'failed' ? 'failed' : s.kind;
  // The piece in the queue is left out where it would be no wider than its frame.
  const queued = a.began === undefined ? 0 : scale.x(a.began) - x1;
  const begin = queued > 0.15 ? x1 + queued : x1;
  return <>{begin > x1 && <rect class="queued" x={x1 + '%'} width={queued + '%'} y="9" height="8" />}<rect class={`bar b-${kind}${a.state === 'open' ? ' open' : ''}`} x={begin + '%'} width={Math.max(0.25, x2 - begin) + '%'} y="6" height="14" rx="3" />{wait > 0 && <rect class="backoff" x={x2 + '%'} width={wait + '%'} y="12" height="2" />}</>;
}

function Point({ s, scale }: { s: Span; scale: Scale }) {
  return <circle class={`b-${s.kind}`} cx={scale.x(s.start) + '%'} cy="13" r="5" />;
}

/** How many of the group were open over time, in steps. */
function GroupBars({ g, scale, now }: { g: Group; scale: Scale; now: number }) {
  const cells = 60;
  const levels = useMemo(() => {
    const counts = new Float64Array(cells + 1);
    const failed = new Uint8Array(cells);
    const cell = (t: number) => Math.max(0, Math.min(cells - 1, Math.floor(((t - scale.from) / (scale.to - scale.from)) * cells)));
    for (const s of g.spans) {
      const end = s.end ?? now;
      if (end < scale.from || s.start > scale.to) continue;
      counts[cell(s.start)]++;
      counts[cell(end) + 1]--;
      if (s.state === 'failed') failed[cell(end)] = 1;
    }
    let open = 0;
    return Array.from({ length: cells }, (_, i) => ({ open: (open += counts[i]), failed: failed[i] }));
  }, [g, scale.from, scale.to, g.open ? now : 0]);
  const all = useMemo(() => g.spans.flatMap(s => s.attempts), [g]);
  const most = Math.max(1, ...levels.map(l => l.open));
  return <svg class="bars" aria-hidden="true"><title>{`${g.name}: ${g.spans.length} calls${queue(all)}`}</title>{levels.map((l, i) => l.open > 0 && <rect key={i} class={`level b-${l.failed ? 'failed' : g.kind}`} x={(i / cells) * 100 + '%'} width={100 / cells + 0.05 + '%'} y={20 - 14 * Math.max(0.15, l.open / most)} height={14 * Math.max(0.15, l.open / most)} />)}</svg>;
}

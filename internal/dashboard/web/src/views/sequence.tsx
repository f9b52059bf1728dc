// The sequence: who asked whom, in the order in which it happened.
import { useMemo } from 'preact/hooks';
import { clock } from '../format';
import { lines, type Span } from '../model';
import { useWindow } from '../parts';
import type { View } from './instance';

const step = 30;
const maxLanes = 8;
// Room for the times.
const margin = 60;

interface Arrow { at: number; from: string; to: string; text: string; kind: string; row: number; back?: boolean }

const orchestrator = 'orchestrator';
const outside = 'outside';

const laneOf = (s: { kind: string; name: string; entity?: string }) => (s.entity ? `entity ${s.entity}` : s.kind === 'activity' ? s.name : s.kind === 'child' ? `child ${s.name}` : s.kind === 'timer' ? 'timers' : outside);

/** The arrows of a history, calls of one name and turn as one. */
function arrows(h: View['h']): { lanes: string[]; arrows: Arrow[] } {
  const out: Arrow[] = [];
  const sizes = new Map<string, number>();
  const shown = h.spans.filter(s => s.kind !== 'marker' && !s.backoff);
  if (h.begin !== undefined) out.push({ at: h.begin, from: outside, to: orchestrator, text: 'start', kind: 'event', row: h.started?.row ?? 0 });
  const call = (s: { kind: string; name: string; entity?: string; state: string; start: number; end?: number; row: number; endRow?: number }, note = '', many = false, bad = '') => {
    const lane = laneOf(s);
    sizes.set(lane, (sizes.get(lane) ?? 0) + 1);
    if (s.kind === 'event') return void out.push({ at: s.start, from: outside, to: orchestrator, text: s.name, kind: 'event', row: s.row });
    if (s.kind === 'sent' || s.kind === 'control') return void out.push({ at: s.start, from: s.kind === 'sent' ? orchestrator : outside, to: s.kind === 'sent' ? lane : orchestrator, text: s.name, kind: 'event', row: s.row });
    out.push({ at: s.start, from: orchestrator, to: lane, text: (s.kind === 'timer' ? 'set' : s.name) + note, kind: s.kind, row: s.row });
    if (s.end !== undefined) out.push({ at: s.end, from: lane, to: orchestrator, text: s.state === 'failed' ? bad || 'failed' : s.kind === 'timer' ? 'fired' : 'result' + (many ? 's' : '') + (bad && `, ${bad}`), kind: s.state === 'failed' ? 'failed' : s.kind, row: s.endRow ?? s.row, back: true });
  };
  for (const l of lines(shown, new Set())) {
    if (l.group) call({ ...l.group, entity: l.group.spans[0].entity, state: l.group.failed === l.group.spans.length ? 'failed' : 'ok', row: l.group.spans[0].row, endRow: lastRow(l.group.spans) }, ` × ${l.group.spans.length.toLocaleString('en')}`, true, l.group.failed ? `${l.group.failed} failed` : '');
    else call(l.span!, l.span!.attempts.length > 1 ? ` (${l.span!.attempts.length} attempts)` : '');
  }
  if (h.end !== undefined) out.push({ at: h.end, from: orchestrator, to: outside, text: h.ended?.failure ? 'failed' : h.ended?.type === 'ContinueAsNew' ? 'continues as new' : (h.ended?.status || 'terminated').toLowerCase(), kind: h.ended?.failure ? 'failed' : 'event', row: h.ended?.row ?? 0 });
  out.sort((a, b) => a.at - b.at || a.row - b.row);
  const lanes = [...sizes.entries()].filter(([lane]) => lane !== outside).sort((a, b) => b[1] - a[1]).map(([lane]) => lane);
  return { lanes: [outside, orchestrator, ...lanes], arrows: out };
}

const lastRow = (spans: Span[]) => spans.reduce((row, s) => Math.max(row, s.endRow ?? s.row), 0);

export function Sequence({ h, d, picked, onPick }: View) {
  const { lanes: found, arrows: all } = useMemo(() => arrows(h), [h]);
  const lanes = found.slice(0, maxLanes);
  if (found.length > maxLanes) lanes[maxLanes - 1] = `${found.length - maxLanes + 1} others`;
  const win = useWindow(all.length, step);
  const place = (lane: string) => {
    const i = lanes.indexOf(lane);
    return i < 0 ? lanes.length - 1 : i;
  };
  const width = Math.max(640, lanes.length * 150) + margin;
  const x = (i: number) => margin + ((i + 0.5) * (width - margin)) / lanes.length;
  return (
    <div class="sequence scroll" ref={win.ref} tabIndex={0} role="region" aria-label="Sequence">
      <div class="heads" style={{ width: width + 'px' }}>{lanes.map((lane, i) => <span key={lane} style={{ left: x(i) + 'px', width: (width - margin) / lanes.length - 8 + 'px' }} title={lane}>{lane === orchestrator ? d.name : lane === outside ? 'client' : lane}</span>)}</div>
      <svg width={width} height={all.length * step + 10} role="list" aria-label={`${all.length} messages`}>
        {lanes.map((lane, i) => <line key={lane} class="lane" x1={x(i)} x2={x(i)} y1={win.first * step} y2={win.last * step + 10} />)}
        {all.slice(win.first, win.last).map((a, i) => {
          const y = (win.first + i) * step + 20;
          const [from, to] = [x(place(a.from)), x(place(a.to))];
          const right = to > from;
          return (
            <g key={win.first + i} role="listitem" aria-label={`${clock(a.at, true)}: ${a.from} to ${a.to}: ${a.text}`} class={`arrow k-${a.kind}${a.back ? ' back' : ''}${a.row === picked ? ' here' : ''}`} onClick={() => onPick(a.row)}>
              <rect x="0" y={y - 20} width={width} height={step} fill="transparent" />
              <line x1={from} x2={to - (right ? 6 : -6)} y1={y} y2={y} /><path d={`M${to} ${y}l${right ? -8 : 8} -4v8z`} />
              <text x={(from + to) / 2} y={y - 5} text-anchor="middle">{a.text.slice(0, Math.max(14, Math.floor(Math.abs(to - from) / 7)))}</text>
              <text class="at" x="4" y={y + 4}>{clock(a.at, true)}</text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

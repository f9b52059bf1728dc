// What an instance waits for, or why it failed.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, instancePath, type Details, type Row, type Wait } from '../api';
import { duration, ms, relative } from '../format';
import { targetLink } from '../router';

export interface Why { waits?: Wait[]; error?: string }

// How many rows are asked about at the same time, and remembered.
const atOnce = 3;
const remembered = 2000;

/** Reads why the rows are where they are, each once until it moves. */
export function useReasons(rows: Row[]): Map<string, Why> {
  const known = useRef(new Map<string, { of: string; why: Why }>());
  const asked = useRef(new Set<string>());
  const [, redraw] = useState(0);
  const wanted = rows.filter(r => !r.error && r.runtimeStatus !== 'Completed').map(r => ({ id: r.instanceId, of: `${r.instanceId} ${r.runtimeStatus} ${r.lastUpdatedTime}` }));
  const key = wanted.map(w => w.of).join('\n');
  useEffect(() => {
    let over = false;
    const queue = wanted.filter(w => known.current.get(w.id)?.of !== w.of && !asked.current.has(w.of));
    const work = async () => {
      for (let w = queue.shift(); w && !over; w = queue.shift()) {
        asked.current.add(w.of);
        try {
          const d = await get<Details>(instancePath(w.id, '/details'), { query: [['waiting', 'true']] });
          if (known.current.size > remembered) known.current.clear();
          known.current.set(w.id, { of: w.of, why: { waits: d.waitingFor, error: d.waitingFor ? undefined : errorOf(d) } });
          if (!over) redraw(n => n + 1);
        } catch {
          // The row says enough; the next change asks again.
        }
        asked.current.delete(w.of);
      }
    };
    const delay = setTimeout(() => { for (let i = 0; i < atOnce; i++) void work(); }, 150);
    return () => {
      over = true;
      clearTimeout(delay);
    };
  }, [key]);
  const out = new Map<string, Why>();
  for (const [id, { why }] of known.current) out.set(id, why);
  return out;
}

function errorOf(d: Details): string | undefined {
  const text = d.output?.text;
  return !text || d.runtimeStatus === 'Completed' ? undefined : plain(text);
}

/** The text of a reason, without what the row says already. */
export function plain(text: string): string {
  let out = text;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'string') out = value;
  } catch {
    // It is no JSON.
  }
  return out.replace(/^Orchestrator function '[^']*' failed: /, '');
}

const icons: Record<string, string> = { activity: 'activity', child: 'child', timer: 'timer', event: 'event', worker: 'a free worker', start: 'its start', resume: 'a resume', code: 'fitting code' };

/** An entity in words: its kind and its key. */
export const entityName = (id = '') => `entity ${id.replace(/^@([^@]*)@/, '$1 ').trim()}`;

/** One thing that is waited for, in words. */
export function phrase(w: Wait, now: number): string {
  const many = w.count > 1 ? ` × ${w.count.toLocaleString('en')}` : '';
  const until = ms(w.until);
  const due = until === undefined ? '' : until > now ? ` in ${duration(until - now)}` : ` (due ${relative(until, now)})`;
  switch (w.kind) {
    case 'activity':
    case 'child':
      return `${w.kind} ${w.name}${many}`;
    case 'entity':
      return `${w.name === 'lock' ? 'the lock of' : `${w.name} of`} ${entityName(w.instanceId)}${many}`;
    case 'timer':
      return `timer${many}${due}`;
    case 'event':
      return w.name ? `event ${w.name}${many}${until === undefined ? '' : `, time limit ${relative(until, now)}`}` : 'an event from outside';
    case 'start':
      return `its start${due}`;
    default:
      return icons[w.kind] ?? w.kind;
  }
}

export function Why({ why, now }: { why: Why; now: number }) {
  if (why.error) return <span class="bad" title={why.error}>{why.error.slice(0, 300)}</span>;
  const waits = why.waits ?? [];
  return <span title={waits.map(w => phrase(w, now) + (w.text ? `: ${w.text}` : '')).join('\n')}>{waits.slice(0, 3).map((w, i) => <span key={i}>{i > 0 && ', '}{w.count === 1 && w.instanceId ? <a href={targetLink(w.instanceId)}>{phrase(w, now)}</a> : phrase(w, now)}</span>)}{waits.length > 3 && ` and ${waits.length - 3} more`}</span>;
}

// The history as a table: each call in one line, or every event as it is
// stored. A line has an address of its own.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { clock, count, duration, local, utc } from '../format';
import { entries, type Entry } from '../model';
import { useWindow } from '../parts';
import { choose, type Route } from '../router';
import { useKeys } from '../keys';
import type { View } from './instance';

const rowHeight = 32;

export function HistoryTable({ events, h, picked, onPick, route }: View & { route: Route }) {
  const raw = route.query.get('raw') === '1';
  const filter = route.query.get('find') ?? '';
  const type = route.query.get('type') ?? '';
  const all = useMemo(() => entries(events, raw), [events, raw]);
  const types = useMemo(() => [...new Set(all.map(e => e.type))].sort(), [all]);
  const { test, problem } = useMemo(() => matcher(filter), [filter]);
  const shown = useMemo(() => all.filter(e => (type === '' || (type === 'failed' ? e.state === 'failed' : type === 'open' ? e.state === 'open' : e.type === type)) && test(e)), [all, test, type]);
  const win = useWindow(shown.length, rowHeight);
  const at = shown.findIndex(e => e.events.some(x => x.row === picked));
  useEffect(() => { if (at >= 0) win.show(at); }, [picked, shown.length > 0]);
  const move = (by: number) => {
    const next = shown[Math.max(0, Math.min(shown.length - 1, at < 0 ? 0 : at + by))];
    if (next) onPick(next.events[next.events.length - 1].row);
  };
  useKeys({ j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1) });
  const [text, setText] = useState(filter);
  useEffect(() => setText(filter), [filter]);
  return (
    <div class="history">
      <div class="tools">
        <input type="search" aria-label="Filter by name or text" placeholder="Filter: text or /regex/" value={text} onInput={e => { setText(e.currentTarget.value); choose(route, { find: e.currentTarget.value }, true); }} />
        <select aria-label="Kind of event" value={type} onChange={e => choose(route, { type: e.currentTarget.value }, true)}>
          <option value="">all kinds</option><option value="failed">failed only</option>{!raw && <option value="open">open only</option>}
          {types.map(t => <option key={t} value={t}>{t}</option>)}
        </select>
        <label class="check"><input type="checkbox" checked={raw} onChange={e => choose(route, { raw: e.currentTarget.checked ? '1' : undefined, type: undefined }, true)} /> as stored</label>
        <span class="spring" /><span class="faint small" role="status">{problem ?? `${count(shown.length)} of ${count(all.length)} ${raw ? 'events' : 'lines'}`}</span>
      </div>
      <div class="scroll" ref={win.ref} tabIndex={-1}>
        <table class="grid" aria-rowcount={shown.length + 1}>
          <thead><tr><th scope="col">#</th><th scope="col">Time</th><th scope="col">+</th><th scope="col">Kind</th><th scope="col">Name</th><th scope="col" title="How long it waited in the queue; part of what it took">Queued</th><th scope="col">Took</th><th scope="col" class="text">Result</th></tr></thead>
          <tbody>
            {win.above > 0 && <tr aria-hidden="true" style={{ height: win.above + 'px' }} />}
            {shown.slice(win.first, win.last).map((e, i) => <Row key={e.key} e={e} i={win.first + i} here={win.first + i === at} begin={h.begin ?? e.at} onPick={onPick} />)}
            {win.below > 0 && <tr aria-hidden="true" style={{ height: win.below + 'px' }} />}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Row({ e, i, here, begin, onPick }: { e: Entry; i: number; here: boolean; begin: number; onPick: (row: number) => void }) {
  const last = e.events[e.events.length - 1].row;
  return (
    <tr class={`h-${e.state}${here ? ' here' : ''}`} id={'event-' + last} aria-rowindex={i + 2} onClick={() => onPick(last)}>
      <td class="num"><button type="button" class="cell faint" aria-label={`Event ${e.key}: ${e.type} ${e.name}`} onClick={() => onPick(last)}>{e.key}</button></td>
      <td class="num"><time title={`${local(e.at)} here\n${utc(e.at)}`}>{clock(e.at, true)}</time></td>
      <td class="num faint">{duration(e.at - begin)}</td>
      <td>{e.type}</td><td>{e.name}</td>
      <td class="num faint">{e.waited === undefined ? '' : duration(e.waited)}</td>
      <td class="num" title={e.waited === undefined ? undefined : `${duration(e.waited)} in the queue, ${duration(e.duration! - e.waited)} at work`}>{e.duration === undefined ? (e.state === 'open' ? 'open' : '') : duration(e.duration)}</td>
      <td class="text" title={e.text.slice(0, 600)}>{e.text.slice(0, 300)}</td>
    </tr>
  );
}

function matcher(filter: string): { test: (e: Entry) => boolean; problem?: string } {
  const regex = /^\/(.*)\/(i?)$/.exec(filter);
  if (regex) {
    try {
      const r = new RegExp(regex[1], regex[2]);
      return { test: e => r.test(`${e.type} ${e.name} ${e.text}`) };
    } catch (e) {
      return { test: () => true, problem: (e as Error).message };
    }
  }
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return { test: e => words.every(w => w.startsWith('-') && w.length > 1 ? !has(e, w.slice(1)) : has(e, w)) };
}

const has = (e: Entry, word: string) => `${e.type} ${e.name} ${e.text}`.toLowerCase().includes(word);

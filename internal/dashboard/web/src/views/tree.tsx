// The tree: what started the instance, and what it has started.
import { useState } from 'preact/hooks';
import { get, instancePath, type Child } from '../api';
import { duration, ms, plural } from '../format';
import { Icon, Problem, Status } from '../parts';
import { instanceLink } from '../router';
import type { View } from './instance';

const pageSize = 100;

interface Node { id: string; name: string; status: string; start?: number; end?: number }

export function Tree({ h, d, now, offline }: View) {
  const parent = h.started?.parent;
  const children: Node[] = h.spans.filter(s => s.kind === 'child' && s.instanceId).map(s => ({
    id: s.instanceId!, name: s.name, status: s.state === 'ok' ? 'Completed' : s.state === 'failed' ? 'Failed' : 'Running', start: s.start, end: s.end,
  }));
  return (
    <div class="tree scroll" tabIndex={0} role="region" aria-label="Parents and children">
      <ul>
        {parent ? (
          <li><div class="node"><a href={instanceLink(parent.instanceId, { tab: 'tree' })}>{parent.name}</a><span class="mono faint">{parent.instanceId}</span><span class="faint small">parent</span></div>
            <ul><Self d={d} now={now} nodes={children} offline={offline} /></ul></li>
        ) : <Self d={d} now={now} nodes={children} offline={offline} />}
      </ul>
      {children.length === 0 && <p class="faint">It has started no other orchestrations.</p>}
    </div>
  );
}

function Self({ d, now, nodes, offline }: { d: View['d']; now: number; nodes: Node[]; offline?: boolean }) {
  const [shown, setShown] = useState(pageSize);
  return (
    <li aria-current="true"><div class="node self"><b>{d.name}</b><Status status={d.runtimeStatus} parked={!!d.parked} /><span class="mono faint">{d.instanceId}</span></div>
      {nodes.length > 0 && <ul>{nodes.slice(0, shown).map(n => <Branch key={n.id} n={n} now={now} offline={offline} />)}</ul>}
      {nodes.length > shown && <button type="button" onClick={() => setShown(shown + 10 * pageSize)}>{plural(nodes.length - shown, 'other child', 'other children')}</button>}
    </li>
  );
}

function Branch({ n, now, offline }: { n: Node; now: number; offline?: boolean }) {
  const [open, setOpen] = useState(false);
  const [children, setChildren] = useState<Node[]>();
  const [total, setTotal] = useState(0);
  const [error, setError] = useState('');
  const toggle = async () => {
    setOpen(!open);
    if (open || children) return;
    try {
      const found = await get<{ children: Child[]; total: number }>(instancePath(n.id, '/children'), { query: [['top', String(pageSize)]] });
      setChildren(found.children.map(c => ({ id: c.instanceId, name: c.name, status: c.runtimeStatus, start: ms(c.createdTime), end: ms(c.completedTime) })));
      setTotal(found.total);
    } catch (e) {
      setError((e as Error).message);
    }
  };
  return (
    <li>
      <div class="node">
        {!offline && <button type="button" class="icon" aria-label={`Children of ${n.name}`} aria-expanded={open} onClick={toggle}><Icon name={open ? 'down' : 'right'} /></button>}
        {offline ? <b>{n.name}</b> : <a href={instanceLink(n.id)}>{n.name}</a>}<Status status={n.status} />
        <span class="mono faint">{n.id}</span>{n.start !== undefined && <span class="faint num">{duration((n.end ?? now) - n.start)}</span>}
      </div>
      {open && error && <Problem>{error}</Problem>}
      {open && children && (children.length ? <ul>{children.map(c => <Branch key={c.id} n={c} now={now} />)}{total > children.length && <li class="faint">and {total - children.length} others</li>}</ul> : <p class="faint small">no children</p>)}
    </li>
  );
}

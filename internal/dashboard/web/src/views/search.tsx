// The field that makes filters: it suggests names, versions, tags, times, and
// the id or what ids begin with.
import { useRef, useState } from 'preact/hooks';
import type { Found } from '../api';
import { spans, statuses, type Filters } from '../filters';
import { Icon } from '../parts';
import { go, instanceLink } from '../router';

interface Suggestion { label: string; value: string; apply: () => void }

export function Search({ found, f, onChange }: { found?: Found; f: Filters; onChange: (change: Partial<Filters>) => void }) {
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const box = useRef<HTMLInputElement>(null);
  const list = suggestions(text.trim(), found, f, onChange);
  const pick = (s?: Suggestion) => {
    if (!s) return;
    s.apply();
    setText('');
    setOpen(false);
    box.current?.blur();
  };
  const keys = (e: KeyboardEvent) => {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault();
      setOpen(true);
      setAt(i => (i + (e.key === 'ArrowDown' ? 1 : list.length - 1)) % Math.max(1, list.length));
    } else if (e.key === 'Enter') {
      e.preventDefault();
      pick(list[Math.min(at, list.length - 1)]);
    } else if (e.key === 'Escape') {
      setOpen(false);
      box.current?.blur();
    }
  };
  return (
    <div class="search">
      <Icon name="search" />
      <input ref={box} id="search" type="text" role="combobox" aria-expanded={open} aria-controls="suggestions" aria-autocomplete="list" aria-activedescendant={open ? `suggestion-${at}` : undefined}
        aria-label="Filter by id, name, status, tag, version or time" placeholder="Filter: id, name, status, tag, time…" autocomplete="off" spellcheck={false}
        value={text} onInput={e => { setText(e.currentTarget.value); setOpen(true); setAt(0); }} onFocus={() => setOpen(true)} onBlur={() => setTimeout(() => document.activeElement !== box.current && setOpen(false), 150)} onKeyDown={keys} />
      <kbd aria-hidden="true">/</kbd>
      <ul id="suggestions" role="listbox" aria-label="Filters" hidden={!open || !list.length}>
        {list.map((s, i) => <li key={s.label + s.value} id={`suggestion-${i}`} role="option" aria-selected={i === at} onPointerDown={e => { e.preventDefault(); pick(s); }}><span class="faint">{s.label}</span> {s.value}</li>)}
      </ul>
    </div>
  );
}

function suggestions(text: string, found: Found | undefined, f: Filters, onChange: (change: Partial<Filters>) => void): Suggestion[] {
  const out: Suggestion[] = [];
  const fits = (value: string) => !text || value.toLowerCase().includes(text.toLowerCase());
  const add = (label: string, value: string, change: Partial<Filters>) => out.push({ label, value, apply: () => onChange(change) });
  const names = (found?.byName ?? []).filter(n => n.name && fits(n.name)).slice(0, text ? 8 : 6);
  names.forEach(n => add('name', n.name, { name: n.name }));
  statuses.filter(s => text && fits(s) && !f.status.includes(s)).forEach(s => add('status', s, { status: [...f.status, s] }));
  (found?.tags ?? []).filter(t => fits(t) && !f.tag.includes(t)).slice(0, 5).forEach(t => add('tag', t, { tag: [...f.tag, t] }));
  if (/^[^=\s]+=.+$/.test(text) && !found?.tags.includes(text)) add('tag', text, { tag: [...f.tag, text] });
  (found?.versions ?? []).filter(fits).slice(0, 4).forEach(v => add('version', v, { version: v }));
  spans.filter(([, label]) => fits('created in the ' + label)).forEach(([key, label]) => add('created in the', label, { since: key, from: '', to: '' }));
  if (text) {
    const [first] = out;
    const exact = first && first.value.toLowerCase().startsWith(text.toLowerCase());
    const id: Suggestion[] = [
      { label: 'id begins with', value: text, apply: () => onChange({ prefix: text }) },
      { label: 'open instance', value: text, apply: () => go(instanceLink(text)) },
    ];
    exact ? out.push(...id) : out.unshift(...id);
  }
  return out.slice(0, 16);
}

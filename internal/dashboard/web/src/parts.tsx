// Small parts that all views use.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { local, ms, relative, utc } from './format';

/** Status as a word with its colour and a shape, for those who see no colours. */
export function Status({ status, parked }: { status: string; parked?: boolean }) {
  const word = parked ? 'Parked' : status;
  return <span class={`status s-${word}`}><i aria-hidden="true" />{word}</span>;
}

/** A time as its age; both clocks when one looks closer. */
export function Time({ at, now }: { at?: string; now: number }) {
  const t = ms(at);
  if (t === undefined) return <span class="faint">–</span>;
  return <time dateTime={at} title={`${local(t)} here\n${utc(t)}`}>{relative(t, now)}</time>;
}

export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function Copy({ text, what }: { text: string; what: string }) {
  const [done, set] = useState<boolean>();
  useEffect(() => {
    if (done === undefined) return;
    const timer = setTimeout(() => set(undefined), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const say = done === undefined ? '' : done ? 'Copied' : 'Not copied';
  return (
    <button type="button" class="icon copy" aria-label={`Copy ${what}`} title={say || `Copy ${what}`} onClick={async e => { e.stopPropagation(); set(await copy(text)); }}>
      <Icon name={done ? 'check' : 'copy'} /><span class="sr" role="status">{say}</span>
    </button>
  );
}

/** A command line, to be copied. */
export function Command({ line }: { line: string }) {
  return <div class="command"><span class="faint" aria-hidden="true">$</span><code>{line}</code><Copy text={line} what="the command" /></div>;
}

const paths: Record<string, string> = {
  copy: 'M5 5V3h8v8h-2M3 5h8v8H3z',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  pause: 'M5 3v10M11 3v10',
  play: 'M4 3l9 5-9 5z',
  close: 'M4 4l8 8M12 4l-8 8',
  left: 'M10 3L5 8l5 5',
  right: 'M6 3l5 5-5 5',
  down: 'M3 6l5 5 5-5',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  theme: 'M8 2a6 6 0 100 12A6 6 0 008 2zM8 2v12M8 4.5h3.6M8 7h4.8M8 9.5h4.6M8 12h2.8',
  help: 'M5.5 6a2.5 2.5 0 113.7 2.2c-.8.5-1.2.9-1.2 1.8M8 12.5v.5',
  warn: 'M8 2l6.5 11.5h-13zM8 6.5v3M8 11.3v.4',
  out: 'M9 3h4v4M13 3L7 9M11 9v4H3V5h4',
  search: 'M7 3a4 4 0 100 8 4 4 0 000-8zM10 10l3.5 3.5',
};

export function Icon({ name }: { name: string }) {
  return <svg class="ico" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d={paths[name]} /></svg>;
}

/** A dialog that takes the focus and gives it back. */
export function Dialog({ title, onClose, children, wide }: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    ref.current?.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog ref={ref} class={wide ? 'wide' : ''} aria-labelledby="dialog-title" onCancel={e => { e.preventDefault(); onClose(); }} onClick={e => { if (e.target === ref.current) onClose(); }}>
      <div class="dialog">
        <header><h2 id="dialog-title">{title}</h2><button type="button" class="icon" aria-label="Close" onClick={onClose}><Icon name="close" /></button></header>
        {children}
      </div>
    </dialog>
  );
}

/** A field whose text counts when it is left or Enter is pressed. What is typed stays, whatever is
 * drawn meanwhile. */
export function Draft({ value, label, hint, onDone, id, list }: { value: string; label: string; hint: string; onDone: (text: string) => void; id?: string; list?: string }) {
  const [text, set] = useState(value);
  useEffect(() => set(value), [value]);
  return <input id={id} list={list} type="search" class="short" placeholder={hint} aria-label={label} value={text} onInput={e => set(e.currentTarget.value)} onChange={e => onDone(e.currentTarget.value)} />;
}

export function Problem({ children, retry }: { children: ComponentChildren; retry?: () => void }) {
  return <div class="problem" role="alert"><Icon name="warn" /><div>{children}</div>{retry && <button type="button" onClick={retry}>Try again</button>}</div>;
}

export function Empty({ title, whole, children }: { title: string; whole?: boolean; children?: ComponentChildren }) {
  return <div class="empty">{whole ? <h1>{title}</h1> : <strong>{title}</strong>}<p>{children}</p></div>;
}

export function Field({ label, hint, error, children }: { label: string; hint?: ComponentChildren; error?: string; children: ComponentChildren }) {
  return (
    <label class="field"><span>{label}</span>{children}
      {hint && <small>{hint}</small>}{error && <small class="bad" role="alert">{error}</small>}
    </label>
  );
}

/** Rows of one height, of which only those in sight are in the document. */
export function useWindow(total: number, height: number) {
  const ref = useRef<HTMLDivElement>(null);
  const [range, set] = useState({ first: 0, last: 60 });
  useEffect(() => {
    const box = ref.current;
    if (!box) return;
    const follow = () => {
      const first = Math.max(0, Math.floor(box.scrollTop / height) - 15);
      const last = Math.ceil((box.scrollTop + box.clientHeight) / height) + 15;
      set(was => (was.first === first && was.last === last ? was : { first, last }));
    };
    follow();
    box.addEventListener('scroll', follow, { passive: true });
    const sizes = new ResizeObserver(follow);
    sizes.observe(box);
    return () => {
      box.removeEventListener('scroll', follow);
      sizes.disconnect();
    };
  }, [total > 0, height]);
  const first = Math.min(range.first, Math.max(0, total - 1));
  const last = Math.min(range.last, total);
  const show = (i: number) => {
    const box = ref.current;
    if (!box) return;
    const top = i * height;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + 2 * height > box.scrollTop + box.clientHeight) box.scrollTop = top + 2 * height - box.clientHeight;
  };
  return { ref, first, last, above: first * height, below: Math.max(0, total - last) * height, show };
}


// Keys without modifiers, for those who do not reach for the mouse.
import { useEffect, useRef } from 'preact/hooks';

type Keys = Record<string, () => void>;
const stack: { current: Keys }[] = [];
let prefix = '';
let prefixTimer = 0;

const typing = (target: EventTarget | null) => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

window.addEventListener('keydown', e => {
  // Escape leaves a field, so that the keys are keys again.
  if (e.key === 'Escape' && typing(e.target) && !document.querySelector('dialog[open]')) return (e.target as HTMLElement).blur();
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || typing(e.target) || document.querySelector('dialog[open]')) return;
  // A control keeps the keys that work it.
  if ((e.key === 'Enter' || e.key === ' ') && (e.target as HTMLElement).closest('a,button,summary')) return;
  if (e.key.startsWith('Arrow') && (e.target as HTMLElement).closest('[role=tablist],.code,svg')) return;
  const key = prefix ? `${prefix} ${e.key}` : e.key;
  prefix = '';
  for (let i = stack.length - 1; i >= 0; i--) {
    const f = stack[i].current[key];
    if (f) {
      e.preventDefault();
      f();
      return;
    }
  }
  if (e.key === 'g') {
    prefix = 'g';
    clearTimeout(prefixTimer);
    prefixTimer = window.setTimeout(() => (prefix = ''), 1200);
  }
});

/** Binds keys while a view is shown; the innermost view comes first. */
export function useKeys(keys: Keys): void {
  const ref = useRef(keys);
  ref.current = keys;
  useEffect(() => {
    stack.push(ref);
    return () => void stack.splice(stack.indexOf(ref), 1);
  }, []);
}

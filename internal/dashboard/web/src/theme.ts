// Light, dark, or as the system has it.
import { useEffect, useState } from 'preact/hooks';

export type Theme = 'auto' | 'light' | 'dark';
const slot = 'durable.theme';
const followers = new Set<() => void>();

function stored(): Theme {
  try {
    const value = localStorage.getItem(slot);
    return value === 'light' || value === 'dark' ? value : 'auto';
  } catch {
    return 'auto';
  }
}

let theme = stored();
apply();

function apply(): void {
  document.documentElement.style.colorScheme = theme === 'auto' ? 'light dark' : theme;
}

export function setTheme(next: Theme): void {
  theme = next;
  try {
    localStorage.setItem(slot, next);
  } catch {
    // It lasts as long as the page.
  }
  apply();
  followers.forEach(f => f());
}

export function useTheme(): Theme {
  const [now, set] = useState(theme);
  useEffect(() => {
    const follow = () => set(theme);
    followers.add(follow);
    return () => void followers.delete(follow);
  }, []);
  return now;
}

// How views stay up to date: what pauses, what is asked for again, and when.
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from './api';

// A tab that its reader has left alone asks for nothing any more.
const idleAfter = 15 * 60_000;

let paused = false;
let lastTouch = Date.now();
const watchers = new Set<() => void>();
const tell = () => watchers.forEach(f => f());

for (const kind of ['keydown', 'pointerdown', 'wheel', 'touchstart', 'pointermove']) {
  window.addEventListener(kind, () => {
    const was = asleep();
    lastTouch = Date.now();
    if (was) tell();
  }, { passive: true, capture: true });
}
document.addEventListener('visibilitychange', tell);
setInterval(() => asleep() && tell(), 30_000);

const asleep = () => Date.now() - lastTouch > idleAfter;

export type Liveness = 'live' | 'paused' | 'hidden' | 'asleep';

const liveness = (): Liveness => (paused ? 'paused' : document.hidden ? 'hidden' : asleep() ? 'asleep' : 'live');

export function togglePause(): void {
  paused = !paused;
  tell();
}

/** Whether views ask for news, and why not. */
export function useLiveness(): Liveness {
  const [now, set] = useState<Liveness>(liveness);
  useEffect(() => {
    const follow = () => set(liveness());
    watchers.add(follow);
    return () => void watchers.delete(follow);
  }, []);
  return now;
}

// Whether the last request was answered.
let trouble: ApiError | undefined;
const troubled = new Set<() => void>();

export function report(error: ApiError | undefined): void {
  if (error?.status === trouble?.status && error?.message === trouble?.message) return;
  trouble = error;
  troubled.forEach(f => f());
}

/** The error of the last background request, if it had one. */
export function useTrouble(): ApiError | undefined {
  const [now, set] = useState(trouble);
  useEffect(() => {
    const follow = () => set(trouble);
    troubled.add(follow);
    return () => void troubled.delete(follow);
  }, []);
  return now;
}

/**
 * Runs step again and again while the view is shown and live. step returns how
 * long to wait before it runs again, or undefined when it is done for good.
 * Errors are reported, and tried again with growing pauses.
 */
export function usePolling(step: (signal: AbortSignal) => Promise<number | undefined>, keys: unknown[]): void {
  const live = useLiveness() === 'live';
  useEffect(() => {
    if (!live) return;
    const ended = new AbortController();
    void (async () => {
      for (let failures = 0; !ended.signal.aborted; ) {
        let pause: number | undefined;
        try {
          pause = await step(ended.signal);
          failures = 0;
          report(undefined);
          if (pause === undefined) return;
        } catch (e) {
          if (ended.signal.aborted) return;
          const error = e instanceof ApiError ? e : new ApiError(0, String(e));
          report(error);
          if (error.status >= 400 && error.status < 500 && error.status !== 408 && error.status !== 429) return;
          pause = Math.min(1000 * 2 ** failures++, 30_000);
        }
        await sleep(pause, ended.signal);
      }
    })();
    return () => ended.abort();
  }, [live, ...keys]);
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** The time, which moves every second while something on the page depends on it. */
export function useNow(moving: boolean): number {
  const [now, set] = useState(() => Date.now() + offset);
  useEffect(() => {
    if (!moving) return;
    set(Date.now() + offset);
    const timer = setInterval(() => document.hidden || set(Date.now() + offset), 1000);
    return () => clearInterval(timer);
  }, [moving]);
  return now;
}

// How far the app's clock is from this one: ages are by the app's.
let offset = 0;
export function setServerTime(now: number): void {
  if (!Number.isNaN(now)) offset = now - Date.now();
}
export const clockOffset = () => offset;
export const serverNow = () => Date.now() + offset;

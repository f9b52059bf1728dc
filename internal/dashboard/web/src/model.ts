// What happened in an instance, from the events of its history: spans with a
// beginning and mostly an end. Pure functions.
import type { Event, Failure } from './api';
import { ms } from './format';

export type Kind = 'activity' | 'child' | 'timer' | 'entity' | 'event' | 'sent' | 'marker' | 'control';
export type State = 'open' | 'ok' | 'failed';

/** began: when it left the queue, once it has ended and where the history has that. */
export interface Attempt { start: number; began?: number; end?: number; state: State; row: number; endRow?: number }

export interface Span {
  key: string;
  kind: Kind;
  name: string;
  state: State;
  start: number;
  end?: number;
  /** Rows of the first and the last event. */
  row: number;
  endRow?: number;
  attempts: Attempt[];
  instanceId?: string;
  failure?: Failure;
  fireAt?: number;
  /** A timer between two attempts of a call. */
  backoff?: boolean;
  /** Kind of the entity that is asked. */
  entity?: string;
  /** Number of the turn that asked for it. */
  turn: number;
}

export interface History {
  spans: Span[];
  begin?: number;
  /** When the code ran first. */
  firstTurn?: number;
  end?: number;
  started?: Event;
  ended?: Event;
  turns: number;
  open: Span[];
}

const ends = new Set(['TaskCompleted', 'TaskFailed', 'SubOrchestrationInstanceCompleted', 'SubOrchestrationInstanceFailed', 'TimerFired']);
const begins: Record<string, Kind> = { TaskScheduled: 'activity', SubOrchestrationInstanceCreated: 'child', TimerCreated: 'timer' };
const controls = new Set(['ExecutionSuspended', 'ExecutionResumed', 'ExecutionRewound', 'ExecutionTerminated']);

export const isEnd = (type: string) => ends.has(type);
export const isBegin = (type: string) => type in begins;

export const isMarker = (e: Event) => e.type === 'TaskScheduled' && (e.name ?? '').startsWith('BuiltIn::');

/** Builds the model of a history. */
export function build(events: Event[]): History {
  const h: History = { spans: [], turns: 0, open: [] };
  const byID = new Map<number, { span: Span; attempt: Attempt }>();
  const firstOf = new Map<number, Span>();
  const asked = new Map<string, { span: Span; attempt: Attempt }>();
  for (const e of events) {
    const at = ms(e.at) ?? 0;
    switch (true) {
      case e.type === 'ExecutionStarted':
        h.begin ??= at;
        h.started ??= e;
        break;
      case e.type === 'OrchestratorStarted':
        h.turns++;
        h.firstTurn ??= at;
        break;
      case e.type === 'ExecutionCompleted' || e.type === 'ContinueAsNew' || e.type === 'ExecutionTerminated':
        h.end = at;
        h.ended = e;
        break;
      case isBegin(e.type):
        begin(h, e, at, byID, firstOf);
        break;
      case isEnd(e.type):
        finish(e, at, byID);
        break;
    }
    if (entity(h, e, at, asked)) continue;
    if (e.type === 'EventRaised' || e.type === 'EventSent' || controls.has(e.type)) {
      const kind: Kind = e.type === 'EventRaised' ? 'event' : e.type === 'EventSent' ? 'sent' : 'control';
      h.spans.push({ key: 'r' + e.row, kind, name: e.name ?? e.type, state: 'ok', start: at, end: at, row: e.row, endRow: e.row, attempts: [], instanceId: e.instanceId, turn: h.turns });
    }
    h.begin = Math.min(h.begin ?? at, at || Infinity);
  }
  claimBackoffs(h);
  h.open = h.spans.filter(s => s.state === 'open' && h.end === undefined);
  return h;
}

/** A call or a lock of an entity, or its answer; false: it is neither. */
function entity(h: History, e: Event, at: number, asked: Map<string, { span: Span; attempt: Attempt }>): boolean {
  const answer = e.type === 'EventRaised' ? asked.get(e.name ?? '') : undefined;
  if (answer) {
    const state: State = e.failure ? 'failed' : 'ok';
    Object.assign(answer.attempt, { end: at, state, endRow: e.row });
    Object.assign(answer.span, { end: at, state, endRow: e.row, failure: e.failure });
    asked.delete(e.name!);
    return true;
  }
  const [, kind, key] = /^@([^@]*)@(.*)$/s.exec(e.instanceId ?? '') ?? [];
  if (e.type !== 'EventSent' || kind === undefined) return false;
  const attempt: Attempt = { start: at, state: 'open', row: e.row };
  const what = e.request ? e.request.operation ?? 'lock' : e.name ?? '';
  const span: Span = { key: 'r' + e.row, kind: 'entity', name: `${kind}${key && ` ${key}`}: ${what}`, state: 'open', start: at, row: e.row, attempts: [attempt], instanceId: e.instanceId, turn: h.turns, entity: kind };
  if (!e.request || e.request.signal) {
    Object.assign(span, { kind: 'sent', state: 'ok', end: at, endRow: e.row, attempts: [] });
  } else {
    asked.set(e.request.id, { span, attempt });
  }
  h.spans.push(span);
  h.begin = Math.min(h.begin ?? at, at || Infinity);
  return true;
}

type Ongoing = Map<number, { span: Span; attempt: Attempt }>;

function begin(h: History, e: Event, at: number, byID: Ongoing, firstOf: Map<number, Span>): void {
  const id = e.id ?? -1;
  const attempt: Attempt = { start: at, state: 'open', row: e.row };
  // A repeated call names the first one, whose span it continues.
  const first = e.options?.first;
  const attempts = e.options?.attempt ?? 1;
  const earlier = attempts > 1 ? firstOf.get(first ?? -1) ?? previous(h, e) : undefined;
  if (earlier) {
    earlier.attempts.push(attempt);
    earlier.state = 'open';
    earlier.end = earlier.endRow = undefined;
    byID.set(id, { span: earlier, attempt });
    return;
  }
  const span: Span = {
    key: 'r' + e.row, kind: isMarker(e) ? 'marker' : begins[e.type], name: e.name || (e.type === 'TimerCreated' ? 'timer' : '?'), state: 'open',
    start: at, row: e.row, attempts: [attempt], instanceId: e.instanceId, fireAt: ms(e.fireAt), turn: h.turns,
  };
  h.spans.push(span);
  byID.set(id, { span, attempt });
  firstOf.set(id, span);
}

/** Marks the timers that are the waits between the attempts of calls. */
function claimBackoffs(h: History): void {
  const timers = h.spans.filter(s => s.kind === 'timer' && s.end !== undefined);
  if (!timers.length) return;
  for (const s of h.spans) {
    for (let i = 1; i < s.attempts.length; i++) {
      const [before, next] = [s.attempts[i - 1], s.attempts[i]];
      const timer = timers.find(t => !t.backoff && t.row > (before.endRow ?? Infinity) && t.row < next.row && (t.endRow ?? Infinity) < next.row);
      if (timer) timer.backoff = true;
    }
  }
}

/** The last failed call of the name, which a retry without a reference repeats. */
function previous(h: History, e: Event): Span | undefined {
  for (let i = h.spans.length - 1; i >= 0 && i > h.spans.length - 200; i--) {
    const s = h.spans[i];
    if (s.name === e.name && s.kind === begins[e.type] && s.state === 'failed' && s.attempts.length === (e.options?.attempt ?? 0) - 1) return s;
  }
  return undefined;
}

function finish(e: Event, at: number, byID: Ongoing): void {
  const found = byID.get(e.taskId ?? -1);
  if (!found) return;
  const { span, attempt } = found;
  const state: State = e.type.endsWith('Failed') ? 'failed' : 'ok';
  Object.assign(attempt, { end: at, state, endRow: e.row, began: begunAt(e, attempt.start) });
  Object.assign(span, { end: at, state, endRow: e.row, failure: e.failure });
}

/** When the attempt began whose end an event is; undefined where that is not known, or the
 * clocks of two machines contradict each other. */
export function begunAt(end: Event, start: number): number | undefined {
  const at = ms(end.began);
  return at !== undefined && at >= start && at <= (ms(end.at) ?? 0) ? at : undefined;
}

/** How long the attempts of a call have waited in the queue, and how long they have run. */
export function split(attempts: Attempt[]): { waited: number; worked: number } | undefined {
  let [waited, worked, known] = [0, 0, false];
  for (const a of attempts) {
    if (a.began === undefined || a.end === undefined) continue;
    known = true;
    waited += a.began - a.start;
    worked += a.end - a.began;
  }
  return known ? { waited, worked } : undefined;
}

/** A row of the timeline: a span, or a group of spans of one kind and name. */
export type Line = { span: Span; group?: undefined; depth: number } | { group: Group; span?: undefined; depth: 0 };

export interface Group { key: string; kind: Kind; name: string; spans: Span[]; start: number; end?: number; failed: number; open: number }

const groupFrom = 4;

/** Spans in order, calls of one name that were made in one turn together. */
export function lines(spans: Span[], expanded: Set<string>): Line[] {
  const out: Line[] = [];
  const groups = new Map<string, Group>();
  const sizes = new Map<string, number>();
  const keyOf = (s: Span) => `g${s.turn}.${s.kind}.${s.name}`;
  for (const s of spans) sizes.set(keyOf(s), (sizes.get(keyOf(s)) ?? 0) + 1);
  const places: (Group | Span)[] = [];
  for (const s of spans) {
    const key = keyOf(s);
    if ((sizes.get(key) ?? 0) < groupFrom) {
      places.push(s);
      continue;
    }
    let g = groups.get(key);
    if (!g) {
      g = { key, kind: s.kind, name: s.name, spans: [], start: s.start, end: s.end, failed: 0, open: 0 };
      groups.set(key, g);
      places.push(g);
    }
    g.spans.push(s);
    g.start = Math.min(g.start, s.start);
    if (s.state === 'failed') g.failed++;
    if (s.end === undefined) g.open++;
    g.end = g.open ? undefined : Math.max(g.end ?? s.end ?? 0, s.end ?? 0);
  }
  for (const place of places) {
    if (!('spans' in place)) {
      out.push({ span: place, depth: 0 });
      continue;
    }
    out.push({ group: place, depth: 0 });
    if (expanded.has(place.key)) for (const span of place.spans) out.push({ span, depth: 1 });
  }
  return out;
}

/** One line of the history: an event, or the two of a call. */
export interface Entry { key: number; type: string; name: string; at: number; duration?: number; waited?: number; events: Event[]; state: State | 'none'; text: string }

const pairNames: Record<string, string> = { TaskScheduled: 'Activity', SubOrchestrationInstanceCreated: 'Child', TimerCreated: 'Timer' };

/** The history as it is stored, or with each call in one line. */
export function entries(events: Event[], raw: boolean): Entry[] {
  const endOf = new Map<number, Event>();
  if (!raw) for (const e of events) if (isEnd(e.type) && e.taskId !== undefined) endOf.set(e.taskId, e);
  const begun = new Set<number>();
  const out: Entry[] = [];
  for (const e of events) {
    const at = ms(e.at) ?? 0;
    if (!raw && (e.type === 'OrchestratorStarted' || e.type === 'OrchestratorCompleted')) continue;
    if (!raw && isEnd(e.type) && begun.has(e.taskId ?? -1)) continue;
    const end = !raw && isBegin(e.type) ? endOf.get(e.id ?? -1) : undefined;
    if (isBegin(e.type)) begun.add(e.id ?? -1);
    const last = end ?? e;
    const state = last.type.endsWith('Failed') || last.failure ? 'failed' : isEnd(last.type) ? 'ok' : !raw && isBegin(e.type) ? 'open' : 'none';
    out.push({
      key: e.row, type: raw ? e.type : isMarker(e) ? 'Value' : pairNames[e.type] ?? e.type, name: e.name ?? '', at, state,
      duration: end ? (ms(end.at) ?? at) - at : undefined, waited: end && waitedOf(end, at), events: end ? [e, end] : [e], text: summary(e, end),
    });
  }
  return out;
}

const waitedOf = (end: Event, at: number) => {
  const began = begunAt(end, at);
  return began === undefined ? undefined : began - at;
};

function summary(e: Event, end?: Event): string {
  const f = end?.failure ?? e.failure;
  if (f) return `${f.type}: ${f.message}`;
  if (e.type === 'TimerCreated' || e.type === 'TimerFired') return e.fireAt ? `due ${e.fireAt.replace('T', ' ').replace(/\.\d+Z|Z/, ' UTC')}` : '';
  const p = end?.result ?? end?.reason ?? e.result ?? e.reason ?? e.input;
  if (e.instanceId) return e.instanceId;
  if (!p) return e.status ?? '';
  return p.text ?? `${p.bytes} bytes`;
}

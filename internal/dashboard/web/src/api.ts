// Requests to the management API, and the shapes of its answers
// (docs/http-api.md).
import { apiURL, savedKey } from './key';

export interface Text { bytes: number; text?: string }

export interface Row {
  instanceId: string;
  name: string;
  runtimeStatus: string;
  version?: string;
  executionId?: string;
  createdTime?: string;
  lastUpdatedTime?: string;
  completedTime?: string;
  scheduledStartTime?: string;
  generation?: number;
  isChild?: boolean;
  tags?: Record<string, string>;
  parked?: string;
  isPurging?: boolean;
  error?: string;
  customStatus?: Text;
}

export interface Wait {
  kind: string;
  name?: string;
  count: number;
  since?: string;
  until?: string;
  instanceId?: string;
  text?: string;
  where?: string;
}

export interface Details extends Row {
  input?: Text;
  output?: Text;
  waitingFor?: Wait[];
}

export interface Failure {
  type: string;
  message: string;
  stack?: Text;
  isNonRetriable?: boolean;
  inner?: Failure;
}

export interface Event {
  row: number;
  type: string;
  at: string;
  id?: number;
  taskId?: number;
  name?: string;
  version?: string;
  instanceId?: string;
  status?: string;
  fireAt?: string;
  scheduledStartTime?: string;
  input?: Text;
  result?: Text;
  reason?: Text;
  failure?: Failure;
  options?: { attempt?: number; first?: number; more?: boolean; timeout?: number };
  /** When the attempt began whose result this is. */
  began?: string;
  tags?: Record<string, string>;
  parent?: { instanceId: string; name: string; taskId: number };
  traceParent?: string;
  request?: { id: string; operation?: string; signal?: boolean };
}

export interface EventPage { execution: string; events: Event[]; next: number; stored: number }

export interface Bucket { completed: number; failed: number; other: number }

export interface Found {
  instances: Row[];
  total: number;
  more: boolean;
  partial: boolean;
  since?: string;
  byStatus: Record<string, number>;
  parked: number;
  byName: { name: string; total: number; failed: number }[];
  versions: string[];
  tags: string[];
  histogram?: { from: string; seconds: number; buckets: Bucket[] };
  requests: number;
  now: string;
}

export interface Child { instanceId: string; name: string; runtimeStatus: string; createdTime?: string; completedTime?: string; taskId: number }

/** An entity in a list. */
export interface EntityRow {
  entityId: { name: string; key: string };
  lastOperationTime?: string;
  exists: boolean;
  waiting?: number;
  lockedBy?: string;
  state?: Text;
  error?: string;
}

export interface Entity extends EntityRow {
  lock?: { owner: string; executionId: string; section: string; since?: string; orphan?: boolean };
  backlog: { kind: string; operation?: string; by?: string; section?: string; stored?: string; due?: string; input?: Text; error?: string }[];
  more?: boolean;
  nextDue?: string;
  operations: { operation: string; at?: string; by?: string; error?: string }[];
  now: string;
}

export interface Hub {
  hub: string;
  storage?: string;
  actions: boolean;
  traceUrl?: string;
  process: { name?: string; about?: About; host: string; id: number; module: string; go: string; started: string; goroutines: number; heapBytes: number };
  queues?: { name: string; messages: number; oldest?: string; missing?: boolean; poison?: boolean; error?: string }[];
  latency?: { request: string; milliseconds: number; error?: string }[];
  settings?: { name: string; value: string }[];
  requestsPerMinute?: number[];
  processes?: Process[];
  processesError?: string;
  canCheck?: boolean;
  requests: number;
  now: string;
}

/** What a process tells of itself. */
export interface About { host?: string; id?: number; app?: string; module?: string; version?: string; turnSlots?: number; activitySlots?: number; started?: string }

export interface Process extends About { name: string; instances: number; seen?: string }

export interface Report {
  hub: string;
  instances: number;
  findings: { severity: string; kind: string; instance?: string; place?: string; what: string; repair?: string }[];
  more?: number;
}

export interface Schema {
  type?: string;
  format?: string;
  contentEncoding?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
}

export interface Orchestrators { orchestrators: { name: string; input?: Schema }[]; known: boolean }

export interface BatchResult {
  matched: number;
  done: number;
  failed: number;
  failures: { instanceId: string; message: string }[];
  more: boolean;
  token?: string;
}

/** An answer that is no success. status 0: there was no answer. */
export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

export interface Ask {
  method?: string;
  query?: [string, string][];
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
}

/** Sends a request. An answer that is no success is thrown, but for 304. */
export async function ask(path: string, o: Ask = {}): Promise<Response> {
  const url = apiURL(path);
  for (const [name, value] of o.query ?? []) url.searchParams.append(name, value);
  const headers = new Headers(o.headers);
  headers.set('X-Durable-Dashboard', '1');
  const key = savedKey();
  if (key) headers.set('x-functions-key', key);
  let answer: Response;
  try {
    answer = await fetch(url, { method: o.method ?? 'GET', headers, body: o.body, signal: o.signal, cache: 'no-store', redirect: 'error' });
  } catch (e) {
    if (o.signal?.aborted) throw e;
    throw new ApiError(0, 'The app does not answer.');
  }
  if (answer.ok || answer.status === 304) return answer;
  throw new ApiError(answer.status, await messageOf(answer));
}

async function messageOf(answer: Response): Promise<string> {
  const body = (await answer.text().catch(() => '')).slice(0, 4000);
  try {
    const message: unknown = JSON.parse(body).Message;
    if (typeof message === 'string') return message;
  } catch {
    // no body, or one of something in between
  }
  return known[answer.status] ?? `The app answered ${answer.status}.`;
}

const known: Record<number, string> = {
  401: 'The function key is missing or wrong.',
  403: 'The app refuses this.',
  404: 'There is no such thing (any more).',
  410: 'The instance has finished.',
  412: 'The instance is not in a state for this.',
  500: 'The app failed at this; its log says more.',
  502: 'The app is restarting.',
  503: 'The app or its storage is not reachable now.',
};

export async function get<T>(path: string, o: Ask = {}): Promise<T> {
  return (await ask(path, o)).json();
}

/** Path of an instance, whatever characters its id has. */
export const instancePath = (id: string, rest = '') => 'instances/' + encodeURIComponent(id) + rest;

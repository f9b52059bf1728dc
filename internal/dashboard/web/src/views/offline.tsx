// Instances from files: what "Export" of this page saves, the rows of the History table
// that "durable export" saves, or a status of the management API with its history. Nothing of it is sent anywhere.
import type { Details, Event, Text } from '../api';
import { Empty, Status } from '../parts';
import { link, type Route } from '../router';
import { InstanceBody } from './instance';

export interface Saved { file: string; instances: { details: Details; events: Event[] }[] }

/** Reads a file; the error says what it is not. */
export function readFile(file: string, text: string): Saved {
  let value: any;
  try {
    value = JSON.parse(text);
  } catch (e) {
    throw new Error(`${file} is no JSON: ${(e as Error).message}`);
  }
  if (value?.format === 'durable-dashboard' && Array.isArray(value.instances)) {
    if (value.version !== 1) throw new Error(`${file} has version ${value.version} of the format; this page reads version 1.`);
    const instances = value.instances.map((i: any) => ({ details: checked(file, i?.details), events: Array.isArray(i?.events) ? i.events.filter((e: any) => typeof e?.type === 'string' && typeof e?.row === 'number') : [] }));
    return { file, instances };
  }
  if (Array.isArray(value) && typeof value[0]?.EventType === 'string') return { file, instances: [fromRows(value)] };
  if (typeof value?.instanceId === 'string' && Array.isArray(value.historyEvents)) return { file, instances: [fromStatus(value)] };
  throw new Error(`${file} is neither an export of this page, nor one of durable export, nor a status with showHistory=true.`);
}

function checked(file: string, d: any): Details {
  if (typeof d?.instanceId !== 'string' || typeof d?.runtimeStatus !== 'string') throw new Error(`${file}: an instance has no id or no status.`);
  return { ...d, name: String(d.name ?? '') };
}

const asText = (v: unknown): Text | undefined => {
  if (v === null || v === undefined) return undefined;
  const text = typeof v === 'string' ? v : JSON.stringify(v);
  return { bytes: new TextEncoder().encode(text).length, text };
};

/** A column that has JSON. */
function object(v: unknown): any {
  try {
    return typeof v === 'string' ? JSON.parse(v) : v ?? undefined;
  } catch {
    return undefined;
  }
}

function failureOf(f: any): Event['failure'] {
  if (typeof f !== 'object' || !f) return undefined;
  return { type: String(f.ErrorType ?? ''), message: String(f.ErrorMessage ?? ''), stack: asText(f.StackTrace), isNonRetriable: f.IsNonRetriable || undefined, inner: failureOf(f.InnerFailure) };
}

/** Rows of the History table: one execution. */
function fromRows(rows: any[]): Saved['instances'][0] {
  const number = (v: unknown) => (v === undefined || v === null || Number(v) < 0 ? undefined : Number(v));
  const words = (v: unknown) => (typeof v === 'string' && v ? v : undefined);
  const events: Event[] = rows.map((r, row) => ({
    row, type: String(r.EventType ?? ''), at: String(r._Timestamp ?? ''), id: number(r.EventId), taskId: number(r.TaskScheduledId ?? r.TimerId), name: words(r.Name), version: words(r.Version),
    instanceId: words(r.InstanceId), status: words(r.OrchestrationStatus), fireAt: words(r.FireAt), input: asText(r.Input), result: asText(r.Result), reason: asText(r.Reason), failure: failureOf(object(r.FailureDetails)), options: object(r.GoOptions),
  }));
  for (const e of events) {
    const asked = e.type === 'EventSent' && e.name === 'op' ? object(e.input?.text) : undefined;
    if (typeof asked?.id === 'string') e.request = { id: asked.id, operation: words(asked.op), signal: !!asked.signal };
  }
  const [first, last] = [rows.find(r => r.EventType === 'ExecutionStarted'), [...events].reverse().find(e => e.type === 'ExecutionCompleted' || e.type === 'ContinueAsNew' || e.type === 'ExecutionTerminated')];
  const started = events.find(e => e.type === 'ExecutionStarted');
  const details: Details = {
    instanceId: String(rows[0].PartitionKey ?? ''), name: started?.name ?? '', version: started?.version, runtimeStatus: last ? last.status ?? 'Terminated' : 'Running', executionId: words(first?.ExecutionId),
    createdTime: started?.at, lastUpdatedTime: events[events.length - 1].at, completedTime: last?.at, input: started?.input, output: last?.result ?? last?.reason,
  };
  return { details, events };
}

/** The status of the official API has a call in one event, with both times. */
function fromStatus(v: any): Saved['instances'][0] {
  const events: Event[] = [];
  let id = 0;
  const put = (e: Omit<Event, 'row'>) => events.push({ row: events.length, ...e });
  for (const e of v.historyEvents) {
    const at = String(e.Timestamp ?? '');
    const type = String(e.EventType ?? '');
    const failure = e.FailureDetails ? { type: String(e.FailureDetails.ErrorType ?? ''), message: String(e.FailureDetails.ErrorMessage ?? e.Reason ?? '') } : undefined;
    if (e.ScheduledTime) {
      id++;
      put({ type: type.startsWith('Sub') ? 'SubOrchestrationInstanceCreated' : 'TaskScheduled', at: e.ScheduledTime, id, name: e.FunctionName, input: asText(e.Input), instanceId: e.InstanceId });
      put({ type, at, taskId: id, result: asText(e.Result), reason: asText(e.Reason), failure });
    } else {
      put({ type, at, name: e.Name ?? e.FunctionName, fireAt: e.FireAt, input: asText(e.Input), result: asText(e.Result), reason: asText(e.Reason), status: e.OrchestrationStatus, failure, ...(type === 'TimerFired' ? { type: 'TimerShown' } : {}) });
    }
  }
  events.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  events.forEach((e, i) => (e.row = i));
  return { details: { instanceId: v.instanceId, name: String(v.name ?? ''), runtimeStatus: String(v.runtimeStatus), createdTime: v.createdTime, lastUpdatedTime: v.lastUpdatedTime, input: asText(v.input), output: asText(v.output), customStatus: asText(v.customStatus) }, events };
}

export function Offline({ saved, route }: { saved?: Saved; route: Route }) {
  if (!saved) return <main id="main"><Empty whole title="No file is open.">Drop files on this page, or <label class="link">choose some<input type="file" accept=".json,application/json" multiple class="sr" onChange={e => openFiles(e.currentTarget.files)} /></label>: what “Export” of an instance or <code>durable export</code> has saved, or a status of the management API with <code>showHistory=true</code>.</Empty></main>;
  const at = saved.instances[Number(route.path[1] ?? (saved.instances.length === 1 ? 0 : NaN))];
  return (
    <main id="main">
      <p class="said"><span>From the file <b>{saved.file}</b>, read only.</span>{saved.instances.length > 1 && at && <a href={link(['file'])}>All of it</a>}</p>
      {at ? <InstanceBody route={route} d={at.details} events={at.events} offline /> : (
        <ul class="plain card">{saved.instances.map((i, n) => <li key={n}><a href={link(['file', String(n)])}>{i.details.name} <span class="mono">{i.details.instanceId}</span></a> <Status status={i.details.runtimeStatus} /></li>)}</ul>
      )}
    </main>
  );
}

/** Opens files, wherever on the page they came from. */
export function openFiles(files?: FileList | null): void {
  if (files?.length) window.dispatchEvent(new CustomEvent('durable-file', { detail: [...files] }));
}

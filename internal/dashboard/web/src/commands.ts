// What can be done to an instance, when, and how it is asked for: by the page,
// and by the command of durable that does the same.
import type { Row } from './api';

export type ActionName = 'event' | 'suspend' | 'resume' | 'terminate' | 'rewind' | 'restart' | 'purge';

export interface Action {
  name: ActionName;
  title: string;
  /** What it does, for the dialog. */
  does: string;
  /** Why it is not possible now, or undefined. */
  blocked: (row: Row) => string | undefined;
  reason?: boolean;
  danger?: boolean;
  batch?: boolean;
}

const finished = new Set(['Completed', 'Failed', 'Terminated', 'Canceled']);
export const isFinished = (status: string) => finished.has(status);

const unlessFinished = (row: Row) => (isFinished(row.runtimeStatus) ? 'It has finished.' : undefined);
const onceFinished = (row: Row) => (isFinished(row.runtimeStatus) ? undefined : 'It has not finished.');

export const actions: Action[] = [
  { name: 'event', title: 'Raise event', does: 'Sends an event to the instance. It is delivered once, in order.', blocked: unlessFinished },
  {
    name: 'suspend', title: 'Suspend', does: 'Its code stops at the next wait, until it is resumed. What it has asked for goes on.', reason: true, batch: true,
    blocked: row => unlessFinished(row) ?? (row.runtimeStatus === 'Suspended' ? 'It is suspended.' : undefined),
  },
  {
    name: 'resume', title: 'Resume', does: 'Its code goes on. One that was parked is tried again with the code that is deployed now.', reason: true, batch: true,
    blocked: row => (row.runtimeStatus === 'Suspended' ? undefined : 'It is not suspended.'),
  },
  { name: 'terminate', title: 'Terminate', does: 'Ends the instance, whatever its code does. Activities that run are not stopped.', reason: true, danger: true, batch: true, blocked: unlessFinished },
  {
    name: 'rewind', title: 'Rewind', does: 'Takes the failures back and tries again what failed last.', reason: true, batch: true,
    blocked: row => (row.runtimeStatus === 'Failed' ? undefined : 'It has not failed.'),
  },
  { name: 'restart', title: 'Restart', does: 'Starts the orchestrator once more with the same input.', batch: true, blocked: onceFinished },
  { name: 'purge', title: 'Purge', does: 'Removes the instance and its history. This cannot be undone.', danger: true, batch: true, blocked: onceFinished },
];

export const actionOf = (name: string) => actions.find(a => a.name === name);

/** A word for a POSIX shell. */
export const quote = (word: string) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** A command with its arguments and flags. Arguments that look like flags stand behind "--". */
function words(what: string[], args: string[], flags: string[]): string {
  const shown = args.map(quote);
  return ['durable', ...what, ...(args.some(a => a.startsWith('-')) ? [...flags, '--', ...shown] : [...shown, ...flags])].join(' ');
}

/** The command that does an action to an instance. */
export function command(name: ActionName, id: string, o: { reason?: string; event?: string; data?: string; sameId?: boolean } = {}): string {
  const flags: string[] = [];
  if (o.data) flags.push('--data', quote(o.data));
  if (o.reason) flags.push('--reason', quote(o.reason));
  if (o.sameId) flags.push('--same-id');
  return words([name], name === 'event' ? [id, o.event || 'NAME'] : [id], flags);
}

/** The command that asks an entity for an operation, or for its end. request is the id of a call that
 * has no answer yet. */
export function entityCommand(verb: 'signal' | 'call' | 'delete', id: string, o: { op?: string; input?: string; request?: string } = {}): string {
  const flags: string[] = [];
  if (o.input) flags.push('--input', quote(o.input));
  if (o.request) flags.push('--request', o.request);
  return words(['entity', verb], verb === 'delete' ? [id] : [id, o.op || 'OPERATION'], flags);
}

/** The command that cleans entities: those that are empty for so long (in seconds), and locks. */
export function cleanCommand(emptyFor: number | undefined, locks: boolean): string {
  const flags: string[] = [];
  if (emptyFor !== undefined) flags.push('--empty', '--empty-for', emptyFor % 3600 ? `${emptyFor}s` : `${emptyFor / 3600}h`);
  if (locks) flags.push('--locks');
  return words(['entity', 'clean'], [], flags);
}

/** The command for all instances that match. */
export function batchCommand(name: ActionName, filters: [string, string][], reason: string): string {
  const words = ['durable', name];
  for (const [flag, value] of filters) words.push(...(flag === 'roots' ? ['--roots'] : ['--' + flag, quote(value)]));
  if (reason) words.push('--reason', quote(reason));
  return words.join(' ');
}

/** The command that starts an orchestrator. */
export function runCommand(o: { name: string; input?: string; id?: string; version?: string; tags?: string[]; at?: string }): string {
  const words = ['durable', 'run', quote(o.name || 'NAME')];
  if (o.input) words.push('--input', quote(o.input));
  if (o.id) words.push('--id', quote(o.id));
  if (o.version) words.push('--version', quote(o.version));
  for (const tag of o.tags ?? []) words.push('--tag', quote(tag));
  if (o.at) words.push('--at', quote(o.at));
  return words.join(' ');
}

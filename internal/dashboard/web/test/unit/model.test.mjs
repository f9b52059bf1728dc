import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from './load.mjs';

const m = await load('model.ts');
let row, clock;
const at = () => new Date(1e12 + clock++ * 1000).toISOString();
const event = (type, more = {}) => ({ row: row++, type, at: at(), ...more });
const fresh = () => { row = 0; clock = 0; };
const short = h => h.spans.map(s => `${s.kind} ${s.name} ${s.state}${s.attempts.length > 1 ? ' x' + s.attempts.length : ''}`);

test('calls have a beginning and an end', () => {
  fresh();
  const h = m.build([
    event('OrchestratorStarted'), event('ExecutionStarted', { name: 'O' }),
    event('TaskScheduled', { id: 0, name: 'A' }), event('TaskScheduled', { id: 1, name: 'B' }), event('TimerCreated', { id: 2, fireAt: at() }),
    event('TaskCompleted', { taskId: 0 }), event('TaskFailed', { taskId: 1, failure: { type: 'E', message: 'm' } }),
    event('EventRaised', { name: 'Go' }),
  ]);
  assert.deepEqual(short(h), ['activity A ok', 'activity B failed', 'timer timer open', 'event Go ok']);
  assert.equal(h.open.length, 1);
  assert.equal(h.spans[1].failure.type, 'E');
  assert.equal(h.turns, 1);
});

test('a call of an entity ends with its answer, a signal has none', () => {
  fresh();
  const h = m.build([
    event('OrchestratorStarted'), event('EventSent', { id: 0, name: 'op', instanceId: '@stock@a@b', request: { id: 'r1', operation: 'take' } }),
    event('EventSent', { id: 1, name: 'op', instanceId: '@stock@', request: { id: 'r2' } }), event('EventSent', { id: 2, name: 'op', instanceId: '@stock@x', request: { id: 'r3', operation: 'say', signal: true } }),
    event('EventRaised', { name: 'r1', failure: { type: 'E', message: 'm' } }), event('EventRaised', { name: 'r9' }), event('EventSent', { id: 3, name: 'release', instanceId: '@stock@' }),
  ]);
  assert.deepEqual(short(h), ['entity stock a@b: take failed', 'entity stock: lock open', 'sent stock x: say ok', 'event r9 ok', 'sent stock: release ok']);
  assert.equal(h.spans[0].failure.type, 'E');
});

test('retries are attempts of one call', () => {
  fresh();
  const h = m.build([
    event('OrchestratorStarted'),
    event('TaskScheduled', { id: 0, name: 'A', options: { attempt: 1, more: true } }), event('TaskFailed', { taskId: 0 }),
    event('TaskScheduled', { id: 2, name: 'A', options: { attempt: 2, first: 0 } }), event('TaskCompleted', { taskId: 2 }),
    event('TaskScheduled', { id: 3, name: 'A' }),
  ]);
  assert.deepEqual(short(h), ['activity A ok x2', 'activity A open']);
});

test('the wait between two attempts belongs to them', () => {
  fresh();
  const h = m.build([
    event('OrchestratorStarted'), event('TimerCreated', { id: 9 }),
    event('TaskScheduled', { id: 0, name: 'A', options: { attempt: 1 } }), event('TaskFailed', { taskId: 0 }),
    event('TimerCreated', { id: 1 }), event('TimerFired', { taskId: 1 }), event('TimerFired', { taskId: 9 }),
    event('TaskScheduled', { id: 2, name: 'A', options: { attempt: 2, first: 0 } }),
  ]);
  assert.deepEqual(h.spans.filter(s => s.kind === 'timer').map(s => !!s.backoff), [false, true]);
});

test('what has ended has nothing open', () => {
  fresh();
  const h = m.build([event('TaskScheduled', { id: 0, name: 'A' }), event('ExecutionTerminated')]);
  assert.equal(h.open.length, 0);
});

test('calls of one name and turn are a group', () => {
  fresh();
  const events = [event('OrchestratorStarted')];
  for (let i = 0; i < 100; i++) events.push(event('TaskScheduled', { id: i, name: 'A' }));
  for (let i = 0; i < 99; i++) events.push(event(i % 33 ? 'TaskCompleted' : 'TaskFailed', { taskId: i }));
  const h = m.build(events);
  const [line, ...others] = m.lines(h.spans, new Set());
  assert.equal(others.length, 0);
  assert.deepEqual([line.group.spans.length, line.group.failed, line.group.open, line.group.end], [100, 3, 1, undefined]);
  assert.equal(m.lines(h.spans, new Set([line.group.key])).length, 101);
});

test('the history has each call in one line, or every event', () => {
  fresh();
  const events = [event('OrchestratorStarted'), event('TaskScheduled', { id: 0, name: 'A' }), event('TaskCompleted', { taskId: 0, result: { bytes: 1, text: '1' } }), event('OrchestratorCompleted'), event('TaskScheduled', { id: 1, name: 'B' })];
  const paired = m.entries(events, false);
  assert.deepEqual(paired.map(e => [e.type, e.name, e.state, e.text]), [['Activity', 'A', 'ok', '1'], ['Activity', 'B', 'open', '']]);
  assert.equal(m.entries(events, true).length, 5);
});

test('ten thousand events are quick', () => {
  fresh();
  const events = [];
  for (let i = 0; i < 5000; i++) events.push(event('TaskScheduled', { id: i, name: 'N' + (i % 7) }), event('TaskCompleted', { taskId: i }));
  const h = m.build(events);
  assert.equal(h.spans.length, 5000);
  assert.ok(m.lines(h.spans, new Set()).length <= 5000);
});

test('odd events break nothing', () => {
  const h = m.build([{ row: 1, type: 'Unheard', at: 'never' }, { row: 2, type: 'TaskCompleted', at: '', taskId: 77 }, { row: 3, type: 'TaskScheduled', at: '2026-01-01T00:00:00Z' }]);
  assert.equal(h.spans.length, 1);
  m.entries([{ row: 1, type: 'TimerFired', at: 'x' }], false);
});

test('an attempt has a piece in the queue and a piece at work', () => {
  fresh();
  const later = (n, e) => ({ ...e, began: new Date(1e12 + n).toISOString() });
  const events = [
    event('TaskScheduled', { id: 0, name: 'A', options: { attempt: 1 } }), later(250, event('TaskFailed', { taskId: 0 })),
    event('TaskScheduled', { id: 1, name: 'A', options: { attempt: 2, first: 0 } }), later(2900, event('TaskCompleted', { taskId: 1 })),
    // Before it was asked for, after its end, and no time at all: clocks differ, or it is no time.
    event('TaskScheduled', { id: 2, name: 'B' }), later(0, event('TaskCompleted', { taskId: 2 })),
    event('TaskScheduled', { id: 3, name: 'C' }), later(99_000, event('TaskCompleted', { taskId: 3 })),
    event('TaskScheduled', { id: 4, name: 'D' }), event('TaskCompleted', { taskId: 4, began: '<b>' }),
  ];
  const h = m.build(events);
  assert.deepEqual(h.spans[0].attempts.map(a => a.began - a.start), [250, 900]);
  assert.deepEqual(m.split(h.spans[0].attempts), { waited: 1150, worked: 850 });
  for (const s of h.spans.slice(1)) assert.equal(m.split(s.attempts), undefined, s.name);
  assert.deepEqual(m.entries(events, false).map(e => e.waited), [250, 900, undefined, undefined, undefined]);
});

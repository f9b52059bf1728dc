import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from './load.mjs';

const c = await load('commands.ts');
const s = await load('schema.ts');

test('words are quoted for a shell', () => {
  assert.equal(c.command('terminate', "it's; rm -rf $(x)", { reason: 'a b' }), `durable terminate 'it'\\''s; rm -rf $(x)' --reason 'a b'`);
  assert.equal(c.command('event', 'order-1', { event: 'Approved', data: '{"by":"Ann"}' }), `durable event order-1 Approved --data '{"by":"Ann"}'`);
  assert.equal(c.batchCommand('purge', [['status', 'Completed'], ['tag', 'a=b']], ''), 'durable purge --status Completed --tag a=b');
});

test('entities are asked by commands', () => {
  assert.equal(c.entityCommand('signal', '@stock@tea', { op: 'Fill', input: '{"n":5}' }), `durable entity signal @stock@tea Fill --input '{"n":5}'`);
  assert.equal(c.entityCommand('call', "@stock@it's a", { op: '', request: 'r-1' }), `durable entity call '@stock@it'\\''s a' OPERATION --request r-1`);
  assert.equal(c.entityCommand('delete', '@stock@', { op: 'x' }), 'durable entity delete @stock@');
  assert.equal(c.cleanCommand(3600, true), 'durable entity clean --empty --empty-for 1h --locks');
  assert.equal(c.cleanCommand(90, false), 'durable entity clean --empty --empty-for 90s');
  assert.equal(c.cleanCommand(undefined, true), 'durable entity clean --locks');
});

test('what looks like a flag is no flag', () => {
  assert.equal(c.command('terminate', '-x', { reason: 'r' }), 'durable terminate --reason r -- -x');
  assert.equal(c.entityCommand('signal', '@stock@tea', { op: '--url=http://evil', input: '1' }), 'durable entity signal --input 1 -- @stock@tea --url=http://evil');
});

test('actions fit the state', () => {
  const possible = status => c.actions.filter(a => !a.blocked({ runtimeStatus: status })).map(a => a.name).join(' ');
  assert.equal(possible('Running'), 'event suspend terminate');
  assert.equal(possible('Suspended'), 'event resume terminate');
  assert.equal(possible('Failed'), 'rewind restart purge');
  assert.equal(possible('Completed'), 'restart purge');
  assert.equal(possible('Pending'), 'event suspend terminate');
});

test('an input is compared with its schema', () => {
  const schema = { type: 'object', properties: { items: { type: 'array', items: { type: 'string' } }, n: { type: 'integer' } } };
  assert.equal(s.mismatch({ items: ['a'], n: 1 }, schema, 'it'), undefined);
  assert.match(s.mismatch({ items: [1] }, schema, 'it'), /items\[0\]/);
  assert.match(s.mismatch({ other: 1 }, schema, 'it'), /no field other/);
  assert.match(s.mismatch('x', schema, 'it'), /object is expected/);
});

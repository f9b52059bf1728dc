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

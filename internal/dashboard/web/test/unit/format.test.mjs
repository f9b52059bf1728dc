import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from './load.mjs';

const f = await load('format.ts');

test('durations have the two units that matter', () => {
  const cases = [[0, '0 ms'], [12.4, '12 ms'], [999, '999 ms'], [1234, '1.2 s'], [9999, '9.9 s'], [42_000, '42 s'], [61_000, '1 min 1 s'], [3_600_000, '1 h'], [90_061_000, '1 d 1 h'], [-5000, '-5.0 s']];
  for (const [n, want] of cases) assert.equal(f.duration(n), want);
});

test('JSON keeps the text of its numbers and strings', () => {
  assert.equal(f.pretty('{"a":9007199254740993,"b":[1e400,-0,"x\\u0041{,}"],"c":{},"d":[]}'),
    '{\n  "a": 9007199254740993,\n  "b": [\n    1e400,\n    -0,\n    "x\\u0041{,}"\n  ],\n  "c": {},\n  "d": []\n}');
  assert.equal(f.pretty('{'), undefined);
  assert.equal(f.pretty('not json'), undefined);
  assert.equal(f.pretty('"just text"'), '"just text"');
});

test('JSON that is nested deeply is shown', () => {
  const deep = '['.repeat(2000) + ']'.repeat(2000);
  assert.ok(f.pretty(deep).length < 1_000_000);
});

test('base64 in a JSON string is decoded', () => {
  assert.equal(f.fromBase64('"aGVsbG8="'), 'hello');
  assert.match(f.fromBase64('"/////w=="'), /ff ff ff ff/);
  for (const no of ['"hello"', '"abc"', '5', '{}', 'x', '""']) assert.equal(f.fromBase64(no), undefined, no);
});

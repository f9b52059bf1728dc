import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, close, dashboard, done, hash, page, picture, start, until } from './site.mjs';

const evil = '<img src=x onerror="window.hurt=1">';

before(async () => {
  for (let i = 0; i < 3; i++) await until(await start('ProcessOrder', `hub-${i}`, { customer: 'ann', items: ['tea', 'cup'] }), 'Completed');
});
after(close);

test('the hub shows queues, processes, traffic and settings', async () => {
  // A process notes itself every five seconds in which it works on something: what is
  // started must not be done before that, however fast the machine is.
  for (let i = 0; !(await ask('hub')).processes?.length; i++) {
    assert.ok(i < 100, 'no process has noted itself');
    if (i % 4 === 0) await start('Report', `hub-busy-${i}`, 4000);
    await new Promise(r => setTimeout(r, 500));
  }
  const p = await page('#/hub');
  await p.getByRole('heading', { name: 'Queues' }).waitFor();
  await p.getByRole('cell', { name: /-control-00$/ }).waitFor();
  const row = p.getByRole('row').filter({ hasText: 'answered' });
  assert.match(await row.innerText(), /\d+ turns, \d+ activities/);
  await p.getByRole('img', { name: /Requests a minute/ }).waitFor();
  await p.getByRole('cell', { name: 'maxConcurrentActivityFunctions' }).waitFor();
  await picture(p, 'hub-light');
  await done(p);
});

test('the hub is checked on demand, and findings are texts', async () => {
  const p = await page('#/hub');
  const check = p.getByRole('region', { name: 'Check' });
  await check.getByRole('button', { name: 'Check the hub' }).click();
  await check.getByRole('status').getByText(/instances and entities/).waitFor({ timeout: 60_000 });
  await p.route('**/hub/check', r => r.fulfill({ json: { hub: 'h', instances: 7, more: 2, findings: [{ severity: 'damage', kind: evil, instance: evil, place: evil, what: evil, repair: evil }] } }));
  await check.getByRole('button', { name: 'Check again' }).click();
  await check.getByText('3 findings').waitFor();
  await check.getByText('durable hub check --repair').waitFor();
  assert.equal(await p.evaluate(() => window.hurt), undefined);
  assert.equal(await p.locator('main img').count(), 0);
  await p.unroute('**/hub/check');
  await p.route('**/hub/check', r => r.fulfill({ status: 504, json: { Message: 'the check took longer than 1m0s' } }));
  await check.getByRole('button', { name: 'Check again' }).click();
  await check.getByRole('alert').getByText('the check took longer').waitFor();
  await done(p);
});

test('what processes tell of themselves is text', async () => {
  const p = await page('about:blank', { at: '' });
  await p.route(/\/hub(\?|$)/, async r => {
    const answer = await r.fetch();
    const hub = await answer.json();
    await r.fulfill({ json: { ...hub, storage: evil, processesError: evil, processes: [{ name: evil, host: evil, app: evil, module: evil, version: evil, instances: 1 }], queues: [{ name: evil, messages: 1, error: evil }], settings: [{ name: evil, value: evil }] } });
  });
  await p.goto(dashboard + '#/hub');
  await p.getByRole('heading', { name: 'Processes seen lately' }).waitFor();
  await p.waitForTimeout(300);
  assert.equal(await p.evaluate(() => window.hurt), undefined);
  assert.equal(await p.locator('main img').count(), 0);
  await done(p);
});

test('files of durable export open, several at once, without the app', async () => {
  const out = mkdtempSync(join(tmpdir(), 'export-'));
  execFileSync(process.env.DURABLE, ['export', '--url', new URL(dashboard).origin, '--prefix', 'hub-', '--status', 'Completed', '--out', out]);
  const files = readdirSync(out).map(f => join(out, f));
  assert.ok(files.length >= 3, files.join());
  const p = await page('#/file');
  await p.context().setOffline(true);
  await p.locator('input[type=file]').setInputFiles(files);
  await p.getByText('read only').waitFor();
  await p.getByRole('link', { name: /hub-1/ }).click();
  await p.getByRole('heading', { name: 'ProcessOrder' }).waitFor();
  await p.getByRole('button', { name: /ChargeCustomer/ }).waitFor();
  assert.equal(await p.getByRole('group', { name: 'Actions' }).count(), 0);
  await p.getByRole('tab', { name: 'Sequence' }).click();
  await p.getByRole('listitem', { name: /ChargeCustomer/ }).first().waitFor();
  // Dropped on any view, it opens as well.
  await p.goto(dashboard + '#/file');
  const data = await p.evaluateHandle(() => {
    const d = new DataTransfer();
    d.items.add(new File([JSON.stringify({ instanceId: 'dropped', name: '<b>D</b>', runtimeStatus: 'Completed', historyEvents: [{ EventType: 'ExecutionStarted', Timestamp: '2026-01-01T00:00:00Z', FunctionName: 'D' }] })], 'x.json'));
    return d;
  });
  await p.dispatchEvent('body', 'drop', { dataTransfer: data });
  await p.getByRole('heading', { name: '<b>D</b>' }).waitFor();
  await p.context().close();
});

test('a batch is stopped, and says how far it came', async () => {
  const p = await page('#/instances?prefix=hub-');
  await p.locator('table.grid tbody tr').first().waitFor();
  let asked = 0;
  await p.route('**/batch/**', async r => {
    if (r.request().url().includes('dryRun=true')) return r.fulfill({ json: { matched: 1000, done: 0, failed: 0, failures: [], more: true } });
    asked++;
    await new Promise(f => setTimeout(f, 300));
    await r.fulfill({ json: { matched: 100, done: 99, failed: 1, failures: [{ instanceId: evil, message: evil }], more: true, token: 't' } }).catch(() => {});
  });
  await p.getByLabel('Do something to all that match').selectOption('restart');
  await p.getByRole('button', { name: 'Count first' }).click();
  await p.getByText('1,000 instances and more').first().waitFor();
  await p.getByRole('button', { name: /Restart 1,000 instances/ }).click();
  await p.getByText(/\d+ instances done, \d+ not/).first().waitFor();
  await p.getByRole('progressbar').waitFor();
  await p.getByRole('button', { name: 'Stop' }).click();
  await p.getByText(/Stopped\./).waitFor();
  const before = asked;
  await p.waitForTimeout(800);
  assert.equal(asked, before);
  assert.equal(await p.evaluate(() => window.hurt), undefined);
  await done(p);
});

test('a huge payload is counted first, and drawn in part', async () => {
  await until(await start('ProcessOrder', 'hub-huge', { customer: 'x'.repeat(3 << 20), items: ['tea'] }), 'Completed');
  const p = await page(hash('hub-huge'));
  await p.getByRole('heading', { name: 'ProcessOrder' }).waitFor();
  await p.getByRole('button', { name: 'Show 3.0 MB' }).first().click();
  await p.getByRole('button', { name: /Show the other 2\.8 MB/ }).waitFor();
  await done(p);
});

test('a wrong clock is said, and ages are by the clock of the app', async () => {
  const p = await page('about:blank', { at: '' });
  await p.clock.install({ time: Date.now() - 2 * 3600_000 });
  await p.goto(dashboard + '#/instances?prefix=hub-');
  await p.locator('table.grid tbody tr').first().waitFor();
  await p.getByText(/The clock of this computer is 2 h .*behind|The clock of this computer is 1 h 59 min behind/).waitFor();
  assert.doesNotMatch(await p.locator('table.grid tbody').innerText(), /in \d+ h/);
  await p.context().close();
});

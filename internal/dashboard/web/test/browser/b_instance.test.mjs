import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { ask, close, done, hash, page, picture, start, until } from './site.mjs';

const order = { customer: 'bob', items: ['tea', 'cup', 'spoon', 'pot'], card: 'slow', cents: 0 };
const big = '9007199254740993';

before(async () => {
  // A number that JavaScript cannot hold, as text.
  await fetch(new URL('orchestrators/ProcessOrder/one', process.env.DASHBOARD), { method: 'POST', body: JSON.stringify(order).replace('"cents":0', `"cents":${big}`) });
  await start('ProcessOrder', 'declined', { customer: 'dora', items: ['tea'], card: 'declined' });
  await start('Report', 'many', 3000);
  await until('one', 'Completed');
  await until('declined', 'Failed');
});
after(close);

test('an instance shows its facts, exact numbers and four pictures', async () => {
  const p = await page(hash('one'));
  await p.getByRole('heading', { name: 'ProcessOrder' }).waitFor();
  assert.match(await p.locator('.payload[data-of=input]').innerText(), new RegExp(big));
  await p.getByText('3 attempts').first().waitFor();
  await picture(p, 'instance-light');
  await p.getByRole('tab', { name: 'Sequence' }).click();
  await p.getByRole('listitem', { name: /Shipment/ }).first().waitFor();
  await picture(p, 'sequence-light');
  await p.getByRole('tab', { name: 'Tree' }).click();
  await p.getByRole('link', { name: 'Shipment' }).click();
  await p.waitForURL(u => decodeURIComponent(u.hash).includes('/instance/') && !u.hash.includes('/one'));
  await p.getByRole('link', { name: 'ProcessOrder' }).first().click();
  await p.waitForURL(/instance\/one/);
  await p.getByRole('tab', { name: 'History' }).click();
  await p.getByLabel('Filter by name or text').fill('charge');
  await p.waitForFunction(() => [...document.querySelectorAll('.history tbody tr:not([aria-hidden])')].every(r => /ChargeCustomer/.test(r.textContent)));
  await p.getByLabel('Kind of event').selectOption('failed');
  await p.waitForFunction(() => document.querySelectorAll('.history tbody tr:not([aria-hidden])').length === 2);
  await picture(p, 'history-light');
  await done(p);
});

test('an event has an address', async () => {
  const p = await page(hash('one', '?tab=history'));
  await p.locator('.history tbody tr', { hasText: 'CheckInventory' }).first().click();
  await p.waitForURL(/event=\d+/);
  const address = p.url();
  await done(p);
  const again = await page('', { at: address });
  await again.locator('aside.inspector', { hasText: 'CheckInventory' }).waitFor();
  await again.locator('tr.here', { hasText: 'CheckInventory' }).waitFor();
  await done(again);
});

test('a failure shows its type, message and attempts', async () => {
  const p = await page(hash('declined'), { colorScheme: 'dark' });
  const panel = p.getByRole('region', { name: 'Failure' });
  await panel.getByText(/does not take the card of dora/).first().waitFor();
  await panel.getByRole('button', { name: /ChargeCustomer \(3 attempts\)/ }).click();
  await p.locator('aside.inspector', { hasText: 'Attempts' }).waitFor();
  await picture(p, 'failure-dark');
  await done(p);
});

test('a fan-out is one line, and can be opened', async () => {
  await until('many', 'Completed');
  const p = await page(hash('many'), { colorScheme: 'dark' });
  const group = p.getByRole('button', { name: /Square × 3,000/ });
  await group.waitFor();
  assert.match(await group.innerText(), /3 failed/);
  await group.click();
  await p.waitForFunction(() => document.querySelectorAll('.tl').length > 10);
  assert.ok((await p.locator('.tl').count()) < 120, 'only the lines in sight are drawn');
  await picture(p, 'fanout-dark');
  await done(p);
});

test('a call that waited for a slot shows that, beside its work', async () => {
  await until('many', 'Completed');
  const p = await page(hash('many'));
  await p.getByRole('button', { name: /Square × 3,000/ }).click();
  // Of so many calls the last ones have waited for those before them.
  await p.locator('.lines').evaluate(e => (e.scrollTop = e.scrollHeight));
  const line = p.locator('.tl', { has: p.locator('rect.queued') }).last();
  await line.waitFor();
  const [queued, work] = [await line.locator('rect.queued').boundingBox(), await line.locator('rect.bar').boundingBox()];
  assert.ok(queued.x < work.x && Math.abs(queued.x + queued.width - work.x) < 2, JSON.stringify([queued, work]));
  assert.match(await line.locator('svg title').textContent(), /\d m?s in the queue, \d+ m?s at work/);
  await line.getByRole('button').first().click();
  await p.locator('aside.inspector').getByText('In the queue').waitFor();
  await p.locator('aside.inspector').getByText('At work').waitFor();
  await picture(p, 'queued-light');
  await p.getByRole('tab', { name: 'History' }).click();
  await p.getByRole('columnheader', { name: 'Queued' }).waitFor();
  assert.match(await p.locator('.history tr.here td').nth(5).innerText(), /^\d/);
  await done(p);
});

test('a running instance grows, and an event is raised from the page', async () => {
  await until(await start('Approval', 'live-event', undefined), 'Running');
  const p = await page(hash('live-event'));
  const waits = p.getByRole('region', { name: 'Waiting for' });
  await waits.getByText('event Approved').waitFor();
  assert.match(await waits.innerText(), /at shopapp\/main\.go:\d+/);
  await p.getByRole('button', { name: 'Raise event' }).click();
  await p.getByLabel('Name of the event').fill('Approved');
  await p.getByLabel('Data (JSON)').fill('{');
  await p.getByRole('alert').first().waitFor();
  assert.equal(await p.getByLabel('Data (JSON)').inputValue(), '{', 'what was typed stays');
  await p.getByLabel('Data (JSON)').fill('"ann"');
  await p.getByText(`durable event live-event Approved --data '"ann"'`).waitFor();
  await picture(p, 'raise');
  await p.getByRole('dialog').getByRole('button', { name: 'Raise event' }).click();
  await p.locator('.title .s-Completed').waitFor({ timeout: 30_000 });
  await done(p);
});

test('suspend, resume, terminate, restart, rewind, purge', async () => {
  await until(await start('Approval', 'acts', undefined), 'Running');
  const p = await page(hash('acts'));
  const act = async (name, status, reason) => {
    await p.locator('.actions').getByRole('button', { name, exact: true }).click();
    if (reason) await p.getByRole('textbox', { name: 'Reason' }).fill(reason);
    await p.getByRole('dialog').getByRole('button', { name, exact: true }).click();
    if (status) await p.locator('.title .s-' + status).waitFor({ timeout: 30_000 });
  };
  await act('Suspend', 'Suspended', 'for the night');
  await p.getByRole('region', { name: 'Waiting for' }).getByText('for the night').first().waitFor();
  await act('Resume', 'Running', 'good morning');
  await act('Terminate', 'Terminated', 'enough');
  await act('Restart');
  await p.waitForURL(u => u.hash.startsWith('#/instance/') && !u.hash.includes('acts'));
  await p.goBack();
  await p.waitForURL(/acts/);
  await act('Purge');
  await p.waitForURL(/#\/instances/);
  assert.equal((await fetch(new URL('instances/acts', process.env.DASHBOARD))).status, 404);
  await p.goto(process.env.DASHBOARD + hash('declined'));
  await act('Rewind');
  await until('declined', 'Failed');
  await done(p);
});

test('an orchestrator is started by the form, like another one', async () => {
  const p = await page(hash('one'));
  await p.getByRole('button', { name: 'Start one like this' }).click();
  await p.waitForFunction(n => document.querySelector('textarea')?.value.includes(n), big);
  await p.getByLabel('Instance id').fill('like-one');
  await p.getByLabel('Tags').fill('by=form');
  await p.getByLabel('Input (JSON)').fill('{"customer":"x","items":[1]}');
  await p.getByText('items[0] is a number').waitFor();
  await p.getByLabel('Input (JSON)').fill('{"customer":"x","items":["tea"]}');
  await picture(p, 'start-light');
  await p.getByRole('button', { name: 'Start', exact: true }).click();
  await p.waitForURL(/instance\/like-one/);
  const d = await until('like-one', 'Completed');
  assert.deepEqual(d.tags, { by: 'form' });
  await done(p);
});

test('an export opens again, without the app', async () => {
  const p = await page(hash('one'));
  const [file] = await Promise.all([p.waitForEvent('download'), p.getByRole('button', { name: 'Export' }).click()]);
  const path = await file.path();
  await p.goto(process.env.DASHBOARD + '#/file');
  await p.context().setOffline(true);
  await p.locator('input[type=file]').setInputFiles(path);
  await p.getByText('read only').waitFor();
  await p.getByRole('tab', { name: 'Timeline' }).waitFor();
  assert.equal(await p.getByRole('group', { name: 'Actions' }).count(), 0);
  await p.context().close();
});

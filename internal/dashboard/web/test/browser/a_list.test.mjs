import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { ask, close, done, hash, page, picture, start, until } from './site.mjs';

before(async () => {
  for (let i = 0; i < 8; i++) await start('ProcessOrder', `list-${i}`, { customer: 'ann', items: ['tea', 'cup'], cents: 5 }, `?tag=region=${i % 2 ? 'eu' : 'us'}&tag=tier=gold`);
  await start('ProcessOrder', 'list-bad', { customer: 'dora', items: ['unobtainium'] });
  await start('Approval', 'list-waits', undefined);
  for (let i = 0; i < 8; i++) await until(`list-${i}`, 'Completed');
  await until('list-bad', 'Failed');
  await until('list-waits', 'Running');
});
after(close);

const rows = p => p.locator('table.grid tbody tr:not([aria-hidden])');

test('the list shows the newest first, without children, and why', async () => {
  const p = await page('#/instances?prefix=list-');
  await rows(p).first().waitFor();
  assert.equal(await rows(p).count(), 10);
  assert.match(await rows(p).first().innerText(), /list-waits/);
  assert.match(await p.getByRole('status').first().innerText(), /10 instances/);
  await p.getByText('event Approved').first().waitFor();
  await p.getByText('looking for unobtainium').first().waitFor();
  await p.getByRole('button', { name: 'Roots only' }).click();
  await p.waitForURL(/roots=0/);
  await picture(p, 'list-light');
  await done(p);
});

test('filters are in the address, as chips, and Back undoes them', async () => {
  const p = await page('#/instances?prefix=list-');
  await rows(p).first().waitFor();
  await p.getByRole('button', { name: /^Failed/ }).click();
  await p.waitForURL(/status=Failed/);
  await p.waitForFunction(() => document.querySelectorAll('table.grid tbody tr:not([aria-hidden])').length === 1);
  await p.goBack();
  await p.waitForFunction(() => document.querySelectorAll('table.grid tbody tr:not([aria-hidden])').length === 10);
  await p.locator('.tag', { hasText: 'region=eu' }).first().click();
  await p.waitForURL(/tag=region%3Deu/);
  await p.waitForFunction(() => document.querySelectorAll('table.grid tbody tr:not([aria-hidden])').length === 4);
  await p.getByRole('button', { name: /Remove the filter tag/ }).click();
  await p.waitForFunction(() => document.querySelectorAll('table.grid tbody tr:not([aria-hidden])').length === 10);
  await p.getByRole('button', { name: 'Duration' }).click();
  await p.waitForURL(/sort=-duration/);
  assert.match(await rows(p).first().innerText(), /list-waits/);
  await done(p);
});

test('the field suggests names, and opens an id', async () => {
  const p = await page('#/instances');
  await rows(p).first().waitFor();
  await p.keyboard.press('/');
  await p.keyboard.type('proc');
  await p.getByRole('option', { name: /name ProcessOrder/ }).waitFor();
  await p.keyboard.press('Enter');
  await p.waitForURL(/name=ProcessOrder/);
  await p.locator('#search').fill('list-3');
  await p.getByRole('option', { name: /open instance list-3/ }).click();
  await p.waitForURL(/#\/instance\/list-3/);
  await done(p);
});

test('what happens is seen without a reload, in two tabs', async () => {
  const [one, two] = [await page('#/instances?prefix=live-'), await page('#/instances?prefix=live-')];
  await one.getByText('No instance matches').waitFor();
  await two.getByText('No instance matches').waitFor();
  await start('Approval', 'live-1', undefined);
  await one.getByText('live-1').first().waitFor({ timeout: 30_000 });
  await two.getByText('live-1').first().waitFor({ timeout: 30_000 });
  await ask('instances/live-1/raiseEvent/Approved', { method: 'POST', body: '"ann"' });
  await one.locator('tr.s-Completed').waitFor({ timeout: 40_000 });
  await done(one);
  await done(two);
});

test('all that match are counted, then purged', async () => {
  for (let i = 0; i < 3; i++) await until(await start('Echo', `purge-${i}`, 'x'), 'Completed');
  const p = await page('#/instances?prefix=purge-');
  await rows(p).first().waitFor();
  await p.getByLabel('Do something to all that match').selectOption('purge');
  await p.getByText('durable purge --prefix purge- --roots').waitFor();
  await p.getByRole('button', { name: 'Count first' }).click();
  await p.getByRole('button', { name: 'Purge 3 instances' }).click();
  await p.getByText('3 instances done. That was all.').waitFor();
  await picture(p, 'batch');
  await p.getByRole('button', { name: 'Close' }).last().click();
  await p.getByText('No instance matches').waitFor();
  await done(p);
});

test('the keyboard alone is enough', async () => {
  const p = await page('#/instances?prefix=list-&sort=id');
  await rows(p).first().waitFor();
  await p.keyboard.press('j');
  await p.keyboard.press('j');
  await p.keyboard.press('k');
  await p.keyboard.press('Enter');
  await p.waitForURL(/#\/instance\/list-1/);
  await p.getByRole('tab', { name: 'Timeline' }).waitFor();
  await p.keyboard.press('4');
  await p.waitForURL(/tab=history/);
  await p.keyboard.press('?');
  await p.getByRole('dialog').waitFor();
  await p.keyboard.press('Escape');
  await p.getByRole('dialog').waitFor({ state: 'detached' });
  await p.keyboard.press('g');
  await p.keyboard.press('h');
  await p.waitForURL(/#\/hub/);
  await p.getByRole('heading', { name: /Task hub/ }).waitFor();
  await picture(p, 'hub-light');
  await done(p);
});

test('an instance that is not there says so', async () => {
  const p = await page(hash('no such / id?'));
  await p.getByText('There is no instance of this id.').waitFor();
  await done(p);
});

import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { ask, close, done, hash, page, picture, start, until } from './site.mjs';

const big = '9007199254740993';
const evil = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>';

const signal = (key, op, input) => ask(`entities/stock/${encodeURIComponent(key)}?op=${encodeURIComponent(op)}`, { method: 'POST', body: input === undefined ? '' : JSON.stringify(input) });

/** Waits until an entity is as it should be. */
async function entity(key, is) {
  for (let i = 0; i < 200; i++) {
    const e = await ask(`entities/stock/${encodeURIComponent(key)}/details`).catch(() => undefined);
    if (e && is(e)) return e;
    await new Promise(r => setTimeout(r, 100));
  }
  throw new Error(`entity ${key} is not as it should be`);
}

const holds = left => e => JSON.parse(e.state?.text ?? '{}').left === left;

before(async () => {
  await signal('tea', 'Fill', 5);
  await signal('cups', 'Fill', 7);
  await entity('tea', holds(5));
  await entity('cups', holds(7));
});
after(close);

test('entities are listed, filtered and opened by keys', async () => {
  const p = await page('#/instances');
  await p.keyboard.press('g');
  await p.keyboard.press('e');
  await p.getByRole('heading', { name: 'Entities' }).waitFor();
  await p.getByRole('link', { name: 'tea' }).waitFor();
  await p.getByRole('button', { name: 'stock' }).first().click();
  await p.waitForURL(/name=stock/);
  await p.getByLabel('Key begins with').fill('cu');
  // News that come meanwhile leave what was typed.
  await p.waitForTimeout(1200);
  await p.getByLabel('Key begins with').press('Enter');
  await p.waitForURL(/key=cu/);
  await p.waitForFunction(() => document.querySelectorAll('table.entities tbody tr').length === 1);
  await p.goBack();
  await p.waitForFunction(() => document.querySelectorAll('table.entities tbody tr').length >= 2);
  await picture(p, 'entities-light');
  await p.keyboard.press('Escape');
  await p.keyboard.press('j');
  await p.keyboard.press('k');
  await p.keyboard.press('Enter');
  await p.waitForURL(/#\/entity\/stock\//);
  await p.getByRole('heading', { name: 'Last operations' }).waitFor();
  await done(p);
});

test('an entity is signalled, called and deleted', async () => {
  const p = await page('#/entity/stock/pots');
  await p.getByText('Nothing is stored of this entity.').waitFor();
  const act = async (name, op, input) => {
    await p.getByRole('group', { name: 'Actions' }).getByRole('button', { name, exact: true }).click();
    if (op) await p.getByLabel('Operation').fill(op);
    if (input) await p.getByLabel('Input (JSON)').fill(input);
    await p.getByRole('dialog').getByRole('button', { name, exact: true }).click();
  };
  await act('Signal', 'Fill', big);
  await p.locator('.payload[data-of=state]').getByText(big).waitFor();
  await act('Call', 'Take', '1');
  await p.getByLabel('Answer').getByText('9007199254740992').waitFor();
  await p.getByText('durable entity call @stock@pots Take --input 1').waitFor();
  await picture(p, 'entity-call');
  await p.getByLabel('Operation').fill('Nothing');
  await p.getByRole('dialog').getByRole('button', { name: 'Call', exact: true }).click();
  await p.getByLabel('Answer').getByText(/UnknownOperation/).waitFor();
  await p.getByLabel('Input (JSON)').fill('{');
  await p.getByRole('alert').first().waitFor();
  await p.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
  await p.getByRole('cell', { name: /UnknownOperation/ }).waitFor();
  await act('Delete');
  await p.getByText('does not exist').waitFor();
  await done(p);
});

test('a lock shows its owner, and what waits for it; the owner links back', async () => {
  await until(await start('MoveStock', 'mover', { from: 'cups', to: 'tea', count: 2 }), 'Running');
  await entity('tea', e => e.lock?.owner === 'mover');
  await until(await start('MoveStock', 'second', { from: 'tea', to: 'cups', count: 1 }), 'Running');
  await until(await start('Sell', 'seller', { from: 'tea', to: 'sold', count: 1 }), 'Running');
  await signal('cups', 'Fill', 1);
  await entity('cups', e => e.backlog.some(b => b.kind === 'lock' && b.by === 'second') && e.backlog.some(b => b.kind === 'signal'));
  const p = await page('#/entity/stock/cups');
  const lock = p.getByRole('region', { name: 'Lock' });
  await lock.getByText('mover').waitFor();
  await p.getByRole('cell', { name: 'the lock' }).waitFor();
  await p.getByRole('cell', { name: 'second' }).waitFor();
  await picture(p, 'entity-light');
  await p.goto(process.env.DASHBOARD + hash('seller'));
  const waits = p.getByRole('region', { name: 'Waiting for' });
  await waits.getByText('Take of entity stock tea').waitFor();
  assert.match(await waits.innerText(), /at shopapp\/stock\.go:\d+/);
  await waits.getByRole('link').first().click();
  await p.waitForURL(/#\/entity\/stock\/tea/);
  await p.getByRole('region', { name: 'Lock' }).getByRole('link', { name: 'mover' }).click();
  await p.waitForURL(/#\/instance\/mover/);
  for (const id of ['mover', 'second']) await ask(`instances/${id}/raiseEvent/Counted`, { method: 'POST', body: 'null' });
  await until('mover', 'Completed');
  await until('second', 'Completed');
  await until('seller', 'Completed');
  await p.getByRole('listitem').filter({ hasText: 'stock cups: Take' }).waitFor();
  await p.keyboard.press('2');
  await p.getByRole('listitem', { name: /entity stock to orchestrator: result/ }).first().waitFor();
  await picture(p, 'sequence-entities');
  await done(p);
});

test('entities are cleaned', async () => {
  await signal('gone', 'Fill', 1);
  await entity('gone', holds(1));
  await ask('entities/stock/gone', { method: 'DELETE' });
  await entity('gone', e => !e.exists);
  const p = await page('#/entities?name=stock&deleted=1');
  await p.getByRole('link', { name: 'gone' }).waitFor();
  await p.getByRole('button', { name: 'Clean…' }).click();
  await p.getByLabel('Without an operation for this many hours').fill('x');
  await p.getByRole('alert').getByText('A number of hours.').waitFor();
  await p.getByLabel('Without an operation for this many hours').fill('0');
  await p.getByText('durable entity clean --empty --empty-for 0h --locks').waitFor();
  await p.getByRole('dialog').getByRole('button', { name: 'Clean', exact: true }).click();
  await p.getByText(/removed, 0 locks released\. That was all\./).waitFor();
  await p.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
  await p.getByRole('link', { name: 'gone' }).waitFor({ state: 'detached' });
  await done(p);
});

test('HTML in an entity is text', async () => {
  const key = evil.replaceAll('/', '');
  await signal(key, 'Say', evil);
  await signal(key, evil.slice(0, 60), evil);
  await entity(key, e => e.operations.length >= 2);
  for (const h of ['#/entities', '#/entity/stock/' + encodeURIComponent(key), '#/entities?name=' + encodeURIComponent(evil) + '&key=' + encodeURIComponent(evil)]) {
    const p = await page(h);
    await p.waitForTimeout(900);
    assert.equal(await p.evaluate(() => window.hurt), undefined, h);
    assert.equal(await p.locator('main img, main script').count(), 0, h);
    await p.context().close();
  }
});

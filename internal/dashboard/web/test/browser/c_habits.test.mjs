import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ask, close, dashboard, done, hash, keyed, page, picture, start, until } from './site.mjs';

const axe = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const evil = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>';

before(async () => {
  await until(await start('Echo', `odd ${evil.replaceAll('/', '')} 100% é`.replace(/[\\/#?]/g, ''), evil, '?tag=' + encodeURIComponent(evil + '=' + evil) + '&version=' + encodeURIComponent(evil)), 'Completed');
  await until(await start('Echo', 'habit-fails', 'fail ' + evil), 'Failed');
  await until(await start('ProcessOrder', 'habit', { customer: 'ann', items: ['tea', 'cup'] }), 'Completed');
  await until(await start('ProcessOrder', 'habit-waits', { customer: 'eve', items: ['tea'], approval: true }), 'Running');
  await ask('entities/stock/habit?op=Fill', { method: 'POST', body: '5' });
});
after(close);

test('HTML in every field is text', async () => {
  for (const h of ['#/instances?prefix=odd', hash('habit-fails'), hash('habit-fails', '?tab=history&raw=1'), '#/instances?prefix=' + encodeURIComponent(evil) + '&tag=' + encodeURIComponent(evil + '=x') + '&name=' + encodeURIComponent(evil)]) {
    const p = await page(h);
    await p.waitForTimeout(700);
    assert.equal(await p.evaluate(() => window.hurt), undefined, h);
    assert.equal(await p.locator('main img, main script').count(), 0, h);
    await done(p);
  }
  const p = await page('#/instances?prefix=odd');
  await p.locator('td.id a').first().click();
  await p.getByRole('heading', { name: 'Echo' }).waitFor();
  for (const tab of ['Sequence', 'Tree', 'History']) {
    await p.getByRole('tab', { name: tab }).click();
    await p.waitForTimeout(200);
  }
  assert.equal(await p.evaluate(() => window.hurt), undefined);
  await done(p);
});

test('the page loads and runs nothing from elsewhere', async () => {
  const p = await page('#/instances');
  const refused = await p.evaluate(async () => {
    const violations = [];
    addEventListener('securitypolicyviolation', e => violations.push(e.effectiveDirective));
    const s = document.createElement('script');
    try { s.textContent = 'window.hurt=1'; document.body.append(s); } catch { violations.push('trusted types'); }
    await fetch('https://example.com/').catch(() => {});
    const i = new Image();
    i.src = 'https://example.com/x.png';
    await new Promise(r => setTimeout(r, 300));
    return { violations, hurt: window.hurt };
  });
  assert.equal(refused.hurt, undefined);
  assert.ok(refused.violations.includes('connect-src') && refused.violations.includes('img-src'), refused.violations.join());
  await p.context().close();
});

const views = [['list', '#/instances'], ['instance', hash('habit')], ['waiting', hash('habit-waits')], ['failed', hash('habit-fails', '?tab=history')], ['sequence', hash('habit', '?tab=sequence')], ['tree', hash('habit', '?tab=tree')], ['start', '#/start?name=ProcessOrder'], ['hub', '#/hub'], ['file', '#/file'], ['entities', '#/entities'], ['entity', '#/entity/stock/habit'], ['missing', hash('nobody')]];

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing in ${colorScheme} colours`, async () => {
    const all = [];
    for (const [name, h] of views) {
      const p = await page(h, { colorScheme, bypassCSP: true });
      await p.waitForTimeout(900);
      await p.evaluate(axe);
      const found = await p.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
      const text = found.violations.map(v => `${v.id}: ${v.help}\n    ${v.nodes.slice(0, 4).map(n => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? '')).join('\n    ')}`).join('\n  ');
      if (text) all.push(`${name}: ${text}`);
      await done(p);
    }
    assert.equal(all.join('\n'), '');
  });
}

test('a parked instance says what does not fit, and what to do', async () => {
  const text = 'Non-Deterministic workflow detected: the history has TaskScheduled CheckInventory, the code asks for Pack';
  const file = { format: 'durable-dashboard', version: 1, instances: [{
    details: { instanceId: 'parked-1', name: 'ProcessOrder', runtimeStatus: 'Suspended', parked: text, createdTime: '2026-01-01T00:00:00Z', waitingFor: [{ kind: 'code', count: 1, text }] },
    events: [{ row: 0, type: 'OrchestratorStarted', at: '2026-01-01T00:00:00Z' }, { row: 1, type: 'TaskScheduled', id: 0, name: 'CheckInventory', at: '2026-01-01T00:00:00Z' }],
  }] };
  const p = await page('#/file');
  await p.locator('input[type=file]').setInputFiles({ name: 'parked.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(file)) });
  const panel = p.getByRole('region', { name: 'Waiting for' });
  await panel.getByText(text).waitFor();
  await panel.getByText('Deploy code that fits').waitFor();
  await picture(p, 'parked');
  for (const bad of ['{', '[]', '{"format":"durable-dashboard","version":9,"instances":[]}', '{"format":"durable-dashboard","version":1,"instances":[{}]}']) {
    await p.goto(dashboard + '#/file');
    await p.reload();
    await p.locator('input[type=file]').setInputFiles({ name: 'bad.json', mimeType: 'application/json', buffer: Buffer.from(bad) });
    await p.getByRole('alert').getByText('bad.json').waitFor();
  }
  await done(p);
});

test('a phone is enough for reading', async () => {
  for (const [name, h] of views.filter(([name]) => name !== 'file' && name !== 'missing')) {
    const p = await page(h, { viewport: { width: 390, height: 844 }, colorScheme: name === 'hub' ? 'dark' : 'light' });
    await p.waitForTimeout(700);
    const wide = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name} is ${wide} pixels wider than the phone`);
    await picture(p, 'phone-' + name);
    await done(p);
  }
});

test('forced colours and reduced motion', async () => {
  const p = await page('#/instances', { forcedColors: 'active', reducedMotion: 'reduce' });
  await p.locator('table.grid tbody tr').first().waitFor();
  await picture(p, 'forced-colours');
  await done(p);
});

test('a lost server is said, and found again', async () => {
  const p = await page('#/instances');
  await p.locator('table.grid tbody tr').first().waitFor();
  await p.context().setOffline(true);
  await p.getByText('The app does not answer').waitFor({ timeout: 40_000 });
  assert.ok(await p.locator('table.grid tbody tr').count(), 'what was loaded stays');
  await picture(p, 'lost');
  await p.context().setOffline(false);
  await p.getByText('The app does not answer').waitFor({ state: 'detached', timeout: 40_000 });
  await done(p);
});

test('a tab that is left alone asks little, and then nothing', async () => {
  const p = await page('about:blank', { at: '' });
  await p.clock.install();
  await p.goto(dashboard + '#/instances');
  await p.locator('table.grid tbody tr').first().waitFor();
  const asked = [];
  p.on('request', r => asked.push(r.url()));
  const minute = async () => {
    const before = asked.length;
    for (let i = 0; i < 30; i++) {
      await p.clock.runFor(2000);
      await p.waitForTimeout(20);
    }
    return asked.length - before;
  };
  await minute();
  const idle = await minute();
  assert.ok(idle >= 1 && idle <= 4, `${idle} requests in an idle minute`);
  await p.clock.runFor(20 * 60_000);
  await p.getByText('Asleep').waitFor();
  assert.equal(await minute(), 0, 'asleep');
  await p.context().close();
});

test('the key leaves the address and is asked for when it is wrong', { skip: !keyed && 'KEYED is not set' }, async () => {
  const p = await page('#/hub', { at: keyed });
  await p.getByRole('heading', { name: /Task hub/ }).waitFor();
  assert.ok(!p.url().includes('code='), p.url());
  await p.reload();
  await p.getByRole('heading', { name: /Task hub/ }).waitFor();
  assert.equal(await p.evaluate(() => Object.keys(localStorage).filter(k => k.includes('key')).length), 0);
  await p.evaluate(() => sessionStorage.clear());
  await p.reload();
  await p.getByRole('heading', { name: 'A function key is needed' }).waitFor();
  await p.getByLabel('Function key').fill('wrong');
  await p.getByRole('button', { name: 'Open' }).click();
  await p.getByRole('heading', { name: 'The key is not accepted' }).waitFor();
  await picture(p, 'key');
  await p.getByLabel('Function key').fill(new URL(keyed).searchParams.get('code'));
  await p.getByRole('button', { name: 'Open' }).click();
  await p.getByRole('heading', { name: /Task hub/ }).waitFor();
  await p.context().close();
});

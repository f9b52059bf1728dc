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

for (const [colours, options] of Object.entries({ light: { colorScheme: 'light' }, dark: { colorScheme: 'dark' }, 'forced light': { colorScheme: 'light', forcedColors: 'active' }, 'forced dark': { colorScheme: 'dark', forcedColors: 'active' } })) {
  test(`axe finds nothing in ${colours} colours`, async () => {
    const all = [];
    for (const [name, h] of views) {
      const p = await page(h, { ...options, bypassCSP: true });
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

/** A history with a call of each kind and state, as a file. */
const kinds = () => {
  let row = 0;
  const at = s => new Date(1e12 + s * 1000).toISOString();
  const event = (type, s, more) => ({ row: row++, type, at: at(s), ...more });
  const failure = { type: 'E', message: 'no' };
  const events = [
    event('OrchestratorStarted', 0), event('ExecutionStarted', 0, { name: 'Kinds' }), event('TaskScheduled', 1, { id: 0, name: 'Works' }), event('TaskCompleted', 9, { taskId: 0, began: at(4) }),
    event('TaskScheduled', 1, { id: 1, name: 'Fails' }), event('TaskFailed', 9, { taskId: 1, failure, began: at(4) }), event('TaskScheduled', 1, { id: 2, name: 'Runs' }),
    event('SubOrchestrationInstanceCreated', 1, { id: 3, name: 'Child', instanceId: 'c' }), event('SubOrchestrationInstanceCompleted', 9, { taskId: 3 }),
    event('TimerCreated', 1, { id: 4, fireAt: at(9) }), event('TimerFired', 9, { taskId: 4 }),
    event('EventSent', 1, { id: 5, name: 'op', instanceId: '@stock@a', request: { id: 'r', operation: 'take' } }), event('EventRaised', 9, { name: 'r' }), event('EventRaised', 9, { name: 'Go' }),
  ];
  return { format: 'durable-dashboard', version: 1, instances: [{ details: { instanceId: 'kinds', name: 'Kinds', runtimeStatus: 'Running', createdTime: at(0), lastUpdatedTime: at(12) }, events }] };
};

/** The contrast of two colours as browsers write them, by WCAG. */
const contrast = (a, b) => {
  const light = c => c.match(/[\d.]+/g).slice(0, 3).map(n => n / 255).map(n => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4)).reduce((sum, n, i) => sum + n * [0.2126, 0.7152, 0.0722][i], 0);
  const [x, y] = [light(a), light(b)].sort((m, n) => n - m);
  return (x + 0.05) / (y + 0.05);
};

for (const colorScheme of ['light', 'dark']) {
  test(`forced colours, ${colorScheme}: what a colour says is still told apart`, async () => {
    const p = await page('#/file', { colorScheme, forcedColors: 'active', reducedMotion: 'reduce' });
    const style = (l, name) => l.evaluate((e, n) => getComputedStyle(e)[n], name);
    const canvas = await style(p.locator('body'), 'backgroundColor').then(c => (c === 'rgba(0, 0, 0, 0)' ? style(p.locator('html'), 'backgroundColor') : c));
    const seen = (colour, what) => assert.ok(contrast(colour, canvas) >= 3, `${what}: ${colour} on ${canvas}`);
    const apart = (all, what) => assert.equal(new Set(all).size, all.length, `${what}: ${all}`);
    await p.locator('input[type=file]').setInputFiles({ name: 'kinds.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(kinds())) });
    // Bars: a kind has a colour that is seen; failed has a frame and another dot, open is dashed, the queue is hollow.
    const line = name => p.getByRole('listitem').filter({ hasText: name });
    await line('Works').waitFor();
    const fills = [];
    for (const name of ['Works', 'Fails', 'Child', 'timer', 'stock a']) {
      const bar = line(name).locator('rect.bar');
      fills.push(await style(bar, 'fill'));
      seen(fills.at(-1), name);
      assert.equal(await style(line(name).locator('.dot'), 'backgroundColor'), fills.at(-1), `the dot of ${name}`);
    }
    fills.push(await style(line('Go').locator('circle'), 'fill'));
    apart(fills, 'kinds');
    const legend = await p.locator('.legend i:not(.queued)').evaluateAll(all => all.map(e => getComputedStyle(e).backgroundColor));
    assert.deepEqual([...legend].sort(), [...fills].sort(), 'the legend has the colours of the bars');
    assert.notEqual(await style(line('Fails').locator('rect.bar'), 'stroke'), 'none');
    assert.equal(await style(line('Works').locator('rect.bar'), 'stroke'), 'none');
    assert.notEqual(await style(line('Fails').locator('.dot'), 'transform'), await style(line('Works').locator('.dot'), 'transform'));
    assert.notEqual(await style(line('Runs').locator('rect.bar'), 'strokeDasharray'), 'none');
    assert.equal(await style(line('Works').locator('rect.queued'), 'fill'), 'none');
    seen(await style(line('Works').locator('rect.queued'), 'stroke'), 'the piece in the queue');
    // What is picked, what is chosen, and where the focus is.
    await line('Works').getByRole('button').first().click();
    seen(await style(p.locator('.tl.here'), 'outlineColor'), 'what is picked');
    apart(await Promise.all(['true', 'false'].map(on => style(p.locator(`.tabs [aria-selected=${on}]`).first(), 'borderBottomColor'))), 'tabs');
    await p.getByRole('tab', { name: 'Timeline' }).focus();
    await p.keyboard.press('ArrowRight');
    const focused = p.locator(':focus');
    assert.deepEqual([await style(focused, 'outlineStyle'), await style(focused, 'outlineWidth')], ['solid', '2px']);
    seen(await style(focused, 'outlineColor'), 'focus');
    await picture(p, `forced-colours-instance-${colorScheme}`);
    // The list: states are words with shapes, the bars over time and the chips differ.
    await p.goto(dashboard + '#/instances?prefix=habit');
    await p.locator('table.grid tbody tr').first().waitFor();
    const shape = s => p.locator(`table.grid .status.s-${s} i`).first().evaluate(e => { const c = getComputedStyle(e); return [c.backgroundColor, c.borderRadius, c.transform].join(' '); });
    apart([await shape('Failed'), await shape('Completed'), await shape('Running')], 'states');
    for (const word of ['Failed', 'Completed', 'Running']) assert.match(await p.locator(`table.grid .status.s-${word}`).first().innerText(), new RegExp(word));
    const bars = await Promise.all(['c', 'f', 'o'].map(c => style(p.locator(`.histogram rect.${c}`).first(), 'fill')));
    apart(bars, 'the histogram');
    for (const [i, c] of bars.entries()) seen(c, `histogram ${i}`);
    await p.getByRole('button', { name: /^Failed/ }).click();
    await p.waitForURL(/status=Failed/);
    await p.mouse.move(0, 0);
    apart(await Promise.all(['true', 'false'].map(on => style(p.locator(`.chip[aria-pressed=${on}]`).first(), 'borderWidth'))), 'chips');
    await picture(p, `forced-colours-${colorScheme}`);
    await done(p);
  });
}

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

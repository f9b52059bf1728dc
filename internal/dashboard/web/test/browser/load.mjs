// Measures the page on a large hub: see TestDashboardLoad.
import { close, page, dashboard } from './site.mjs';

const limit = 2000;
// A busy machine may be slow once: a view that took too long is opened again.
const tries = 3;
// An idle tab makes at most so many requests to storage a minute.
const idleLimit = 4;
const slow = [];
const busy = [];

/** Requests to storage for what a page has asked, and how many of its requests are open. */
function counted(p) {
  const seen = { storage: 0, open: 0, asked: 0 };
  p.on('request', () => seen.open++);
  p.on('requestfinished', async r => {
    const answer = await r.response().catch(() => null);
    seen.storage += Number(answer?.headers()['x-storage-requests'] ?? 0);
    if (/durabletask\/(?!dashboard)/.test(r.url())) seen.asked++;
    seen.open--;
  });
  p.on('requestfailed', () => seen.open--);
  return seen;
}

const settled = async (p, seen) => {
  for (let calm = 0; calm < 8; calm = seen.open ? 0 : calm + 1) await p.waitForTimeout(50);
};

async function opened(hash, ready) {
  const p = await page('about:blank', { at: '' });
  const seen = counted(p);
  const begun = Date.now();
  await p.goto(dashboard + hash);
  await p.locator(ready).first().waitFor();
  return { p, seen, took: Date.now() - begun };
}

async function view(name, hash, ready) {
  const all = [];
  let v = await opened(hash, ready);
  for (all.push(v.took); v.took > limit && all.length < tries; all.push(v.took)) {
    await v.p.context().close();
    v = await opened(hash, ready);
  }
  const { p, seen } = v;
  const first = seen.storage;
  // Frames while it is scrolled from one end to the other.
  const frames = await p.evaluate(async () => {
    const box = [...document.querySelectorAll('.scroll')].sort((a, b) => b.scrollHeight - a.scrollHeight)[0];
    const times = [];
    let last = performance.now();
    for (let i = 0; box && i <= 60; i++) {
      box.scrollTop = (box.scrollHeight * i) / 60;
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - last);
      last = performance.now();
    }
    times.sort((a, b) => a - b);
    return times.length ? `frames ${Math.round(times[times.length >> 1])} ms, longest ${Math.round(times[times.length - 1])} ms` : 'nothing to scroll';
  });
  await settled(p, seen);
  const session = await p.context().newCDPSession(p);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const nodes = await p.evaluate(() => document.querySelectorAll('*').length);
  console.log(`${name}: first view ${all.join(', then ')} ms with ${first} requests to storage, ${seen.storage - first} after it and scrolling; ${frames}; ${nodes} nodes, heap ${(usedSize / 1e6).toFixed(1)} MB`);
  if (Math.min(...all) > limit) slow.push(name);
  await p.context().close();
}

/** Requests to storage of a tab in which nothing is done, in a minute. */
async function idle(name, hash, ready) {
  const p = await page('about:blank', { at: '' });
  await p.clock.install();
  const seen = counted(p);
  await p.goto(dashboard + hash);
  await p.locator(ready).first().waitFor();
  const minute = async () => {
    for (let i = 0; i < 30; i++) {
      await p.clock.runFor(2000);
      await p.waitForTimeout(10);
      while (seen.open > 0) await p.waitForTimeout(20);
    }
  };
  for (let i = 0; i < 3; i++) await minute();
  const before = { ...seen };
  const minutes = 8;
  for (let i = 0; i < minutes; i++) await minute();
  const storage = (seen.storage - before.storage) / minutes;
  console.log(`${name}, idle: ${storage.toFixed(1)} requests to storage a minute (${((seen.asked - before.asked) / minutes).toFixed(1)} requests of the page)`);
  if (storage > idleLimit) busy.push(name);
  await p.context().close();
}

await view('warm-up', '#/file', 'main');
await view('list', '#/instances', 'table.grid tbody tr');
await view('list, failed', '#/instances?status=Failed', 'table.grid tbody tr');
await view('list, by name', '#/instances?name=Report', 'table.grid tbody tr');
await view('list, last hour', '#/instances?since=1h', 'table.grid tbody tr, .empty');
await view('timeline of 10,000 events', '#/instance/long', '.tl .label.depth0, .tl button');
await view('history of 10,000 events', '#/instance/long?tab=history', '.history tbody tr');
await view('sequence of 10,000 events', '#/instance/long?tab=sequence', '.sequence .arrow');
await view('entities', '#/entities', 'table.entities tbody tr');
await view('entity with a backlog', '#/entity/counter/0000', '.cards td');
await view('hub', '#/hub', '.cards');
for (const [name, hash, ready] of [['list', '#/instances', 'table.grid tbody tr'], ['entities', '#/entities', 'table.entities tbody tr'], ['entity', '#/entity/counter/0000', '.cards td'], ['hub', '#/hub', '.cards'], ['start', '#/start', 'form']]) await idle(name, hash, ready);
await close();
console.log(slow.length ? `first views that took longer than ${limit} ms: ${slow.join('; ')}` : `each first view took less than ${limit} ms`);
if (busy.length) {
  console.log(`idle tabs with more than ${idleLimit} requests to storage a minute: ${busy.join('; ')}`);
  process.exitCode = 1;
}

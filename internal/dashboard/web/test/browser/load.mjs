// Measures the page on a large hub: see TestDashboardLoad.
import { close, page, dashboard } from './site.mjs';

const limit = 2000;
let slow = 0;

async function view(name, hash, ready) {
  const begun = Date.now();
  const p = await page('about:blank', { at: '' });
  const opened = Date.now();
  await p.goto(dashboard + hash);
  await p.locator(ready).first().waitFor();
  const took = Date.now() - opened;
  const again = Date.now();
  // Frames while it is scrolled from one end to the other.
  const frames = await p.evaluate(async () => {
    const box = [...document.querySelectorAll('.scroll')].sort((a, b) => b.scrollHeight - a.scrollHeight)[0];
    if (!box) return { n: 0, longest: 0 };
    let longest = 0;
    let last = performance.now();
    const steps = 60;
    for (let i = 0; i <= steps; i++) {
      box.scrollTop = (box.scrollHeight * i) / steps;
      await new Promise(requestAnimationFrame);
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }
    return { n: steps, longest: Math.round(longest) };
  });
  const session = await p.context().newCDPSession(p);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const nodes = await p.evaluate(() => document.querySelectorAll('*').length);
  console.log(`${name}: first view ${took} ms, scrolled in ${Date.now() - again} ms, longest frame ${frames.longest} ms, ${nodes} nodes, heap ${(usedSize / 1e6).toFixed(1)} MB (tab opened in ${opened - begun} ms)`);
  if (took > limit) slow++;
  await p.context().close();
}

await view('warm-up', '#/file', 'main');
await view('list', '#/instances', 'table.grid tbody tr');
await view('list, failed', '#/instances?status=Failed', 'table.grid tbody tr');
await view('list, by name', '#/instances?name=Report', 'table.grid tbody tr');
await view('list, last hour', '#/instances?since=1h', 'table.grid tbody tr, .empty');
await view('timeline of 10,000 events', '#/instance/long', '.tl');
await view('history of 10,000 events', '#/instance/long?tab=history', '.history tbody tr');
await view('sequence of 10,000 events', '#/instance/long?tab=sequence', '.sequence .arrow');
await view('hub', '#/hub', '.cards');
await close();
console.log(slow ? `${slow} views took longer than ${limit} ms` : `each first view took less than ${limit} ms`);

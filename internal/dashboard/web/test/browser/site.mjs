// A browser on the app that the environment names, and how tests ask the app
// itself. DASHBOARD is the address of the page, KEYED that of one that asks a
// key, PICTURES a directory for screenshots, CHROMIUM the browser, DURABLE the command.
import { chromium } from 'playwright-core';
import { mkdirSync } from 'node:fs';

export const dashboard = process.env.DASHBOARD;
export const keyed = process.env.KEYED;
const pictures = process.env.PICTURES;
if (!dashboard) throw new Error('DASHBOARD is not set: "go test ./internal/e2e -run Dashboard" runs these tests');

export const api = new URL('.', dashboard).href;

/** Sends a request to the app, as a tool does. */
export async function ask(path, { method = 'GET', body } = {}) {
  const answer = await fetch(api + path, { method, body, headers: body === undefined ? {} : { 'Content-Type': 'application/json' } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

let browser;
export async function open() {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
  return browser;
}
export const close = async () => browser?.close();

/** A page of its own, which fails its test when something breaks in it. */
export async function page(hash = '', options = {}) {
  const b = await open();
  const context = await b.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const p = await context.newPage();
  p.problems = [];
  p.on('pageerror', e => p.problems.push(e.message));
  p.on('console', m => m.type() === 'error' && !/Failed to load resource/.test(m.text()) && p.problems.push(m.text()));
  p.on('dialog', d => { p.problems.push('a dialog: ' + d.message()); void d.dismiss(); });
  p.setDefaultTimeout(20_000);
  await p.goto((options.at ?? dashboard) + hash);
  return p;
}

export async function done(p) {
  const problems = p.problems;
  await p.context().close();
  if (problems.length) throw new Error('in the page: ' + problems.join('; '));
}

export async function picture(p, name) {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await p.screenshot({ path: `${pictures}/${name}.png` });
}

/** Starts an orchestrator and returns its id. */
export const start = async (name, id, input, query = '') => (await ask(`orchestrators/${name}/${encodeURIComponent(id)}${query}`, { method: 'POST', body: input === undefined ? '' : JSON.stringify(input) })).id;

/** Waits until an instance has a status. */
export async function until(id, ...statuses) {
  for (let i = 0; i < 300; i++) {
    const d = await ask(`instances/${encodeURIComponent(id)}/details`).catch(() => undefined);
    if (d && statuses.includes(d.runtimeStatus)) return d;
    await new Promise(r => setTimeout(r, 100));
  }
  throw new Error(`instance ${id} did not become ${statuses}`);
}

export const hash = (id, query = '') => '#/instance/' + encodeURIComponent(id) + query;

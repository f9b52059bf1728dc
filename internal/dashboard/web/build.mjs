// Makes ../page.html of src: one file with its script and style inside.
// With --check it only tells whether the committed page is what src makes.
import { build } from 'esbuild';
import { readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const page = new URL('../page.html', import.meta.url);
const limit = 60 * 1024;

const common = { bundle: true, minify: true, write: false, target: ['chrome120', 'firefox121', 'safari17.4'], charset: 'utf8', legalComments: 'none' };
const [script, style] = await Promise.all([
  build({ ...common, entryPoints: ['src/main.tsx'], format: 'iife', jsx: 'automatic', jsxImportSource: 'preact' }),
  build({ ...common, entryPoints: ['src/styles.css'] }),
]);
const code = script.outputFiles[0].text.trim();
const css = style.outputFiles[0].text.trim();
if (/<\/script|<!--/i.test(code) || /<\/style/i.test(css)) {
  throw new Error('the bundle has text that would end its element');
}
const frame = await readFile('src/index.html', 'utf8');
const made = frame.replace('/*STYLE*/', () => css).replace('/*SCRIPT*/', () => code);
const size = gzipSync(made, { level: 9 }).length;
console.log(`page.html: ${made.length} bytes, ${size} with gzip`);
if (size > limit) {
  throw new Error(`the page has ${size} bytes with gzip, at most ${limit} are allowed`);
}
if (!process.argv.includes('--check')) {
  await writeFile(page, made);
} else if ((await readFile(page, 'utf8')) !== made) {
  throw new Error('page.html is not what src makes: run "npm ci && npm run build" in internal/dashboard/web and commit the page');
}

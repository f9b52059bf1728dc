// Compiles a module of src and loads it.
import { build } from 'esbuild';

export async function load(name) {
  const made = await build({ entryPoints: [`src/${name}`], bundle: true, write: false, format: 'esm', platform: 'node', jsx: 'automatic', jsxImportSource: 'preact' });
  return import('data:text/javascript;base64,' + Buffer.from(made.outputFiles[0].text).toString('base64'));
}

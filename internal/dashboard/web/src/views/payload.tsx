// An input, an output, a result: its size first, the text when it is wanted.
import { useEffect, useState } from 'preact/hooks';
import { ask, instancePath, type Text } from '../api';
import { bytes, fromBase64, pretty } from '../format';
import { Copy, Problem } from '../parts';

// A text of which more is not drawn at once: a browser takes long over it.
const drawn = 200_000;

export function Payload({ title, of, text, id, row, execution, version }: { title: string; of: string; text?: Text; id: string; row?: number; execution?: string; version?: string }) {
  const [loaded, setLoaded] = useState<string>();
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => setLoaded(undefined), [id, row, of, version, text?.bytes]);
  if (!text) return <section class="payload"><h2 class="ph">{title}</h2><p class="faint">none</p></section>;
  const value = text.text ?? loaded;
  const load = async () => {
    setBusy(true);
    setError('');
    try {
      const query: [string, string][] = [['of', of]];
      if (row !== undefined) query.push(['row', String(row)], ['execution', execution ?? '']);
      setLoaded(await (await ask(instancePath(id, '/payload'), { query })).text());
    } catch (e) {
      setError((e as Error).message);
    }
    setBusy(false);
  };
  return (
    <section class="payload" data-of={of}>
      {value === undefined ? (
        <><h2 class="ph">{title} <span class="faint">{bytes(text.bytes)}</span></h2><button type="button" disabled={busy} onClick={load}>{busy ? 'Loading…' : `Show ${bytes(text.bytes)}`}</button></>
      ) : <Shown title={title} value={value} size={text.bytes} />}
      {error && <Problem retry={load}>{error}</Problem>}
    </section>
  );
}

/** A text in the forms that it has. */
export function Shown({ title, value, size }: { title: string; value: string; size: number }) {
  const json = value.length < 2_000_000 ? pretty(value) : undefined;
  const decoded = value.length < 2_000_000 ? fromBase64(value) : undefined;
  const [form, setForm] = useState<'JSON' | 'Text' | 'Base64'>(json === undefined ? 'Text' : 'JSON');
  const [whole, setWhole] = useState(false);
  const forms = (['JSON', 'Text', 'Base64'] as const).filter(f => f === 'Text' || (f === 'JSON' ? json !== undefined : decoded !== undefined));
  const text = (form === 'JSON' ? json : form === 'Base64' ? decoded : undefined) ?? value;
  return (
    <>
      <h2 class="ph">{title} <span class="faint">{bytes(size)}</span>
        <span class="forms" role="group" aria-label={`Form of ${title}`}>
          {forms.length > 1 && forms.map(f => <button type="button" key={f} aria-pressed={f === form} onClick={() => setForm(f)}>{f === 'Base64' ? 'Decoded' : f}</button>)}
          <Copy text={value} what={title.toLowerCase()} />
          <button type="button" class="link" onClick={() => download(`${title.toLowerCase()}.${json === undefined ? 'txt' : 'json'}`, value)}>Save</button>
        </span>
      </h2>
      <pre class="code" tabIndex={0} aria-label={title}>{whole ? text : text.slice(0, drawn)}</pre>
      {!whole && text.length > drawn && <button type="button" onClick={() => setWhole(true)}>Show the other {bytes(text.length - drawn)}</button>}
    </>
  );
}

/** Saves a text as a file. */
export function download(name: string, text: string, type = 'application/octet-stream'): void {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([text], { type }));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
}

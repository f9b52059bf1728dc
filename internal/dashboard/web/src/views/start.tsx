// The form that starts an orchestrator.
import { useEffect, useState } from 'preact/hooks';
import { ask, get, instancePath, type Details, type Orchestrators } from '../api';
import { runCommand } from '../commands';
import { jsonProblem } from '../format';
import { Command, Field, Problem } from '../parts';
import { go, instanceLink, type Route } from '../router';
import { example, mismatch, outline } from '../schema';

export function Start({ route, actions }: { route: Route; actions: boolean }) {
  const q = route.query;
  const [known, setKnown] = useState<Orchestrators>();
  const [name, setName] = useState(q.get('name') ?? '');
  const [input, setInput] = useState(q.get('input') ?? '');
  const [id, setId] = useState('');
  const [version, setVersion] = useState('');
  const [tags, setTags] = useState('');
  const [at, setAt] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const like = q.get('like');
  useEffect(() => {
    get<Orchestrators>('orchestrators').then(setKnown, e => setError(e.message));
  }, []);
  useEffect(() => {
    if (like) void copyOf(like).then(c => { setName(c.name); setInput(c.input); setVersion(c.version); setTags(c.tags); }, e => setError(e.message));
  }, [like]);
  const list = known?.orchestrators ?? [];
  const chosen = list.find(o => o.name.toLowerCase() === name.toLowerCase());
  const tagList = tags.split('\n').map(t => t.trim()).filter(Boolean);
  const when = at ? new Date(at) : undefined;
  const problems = {
    input: jsonProblem(input) ?? (input.trim() && chosen?.input ? mismatch(JSON.parse(input), chosen.input, 'the input') : undefined),
    tags: tagList.some(t => !/^[^=]+=/.test(t)) ? 'One name=value a line.' : undefined,
    at: when && (Number.isNaN(when.getTime()) ? 'No time.' : when.getTime() > Date.now() + 6 * 864e5 ? 'At most six days from now.' : undefined),
    name: known?.known && name && !chosen ? 'The app has no orchestrator of this name.' : undefined,
  };
  const wrong = Object.entries(problems).some(([field, p]) => p && (field !== 'input' || jsonProblem(input)));
  const submit = async (e: Event) => {
    e.preventDefault();
    if (wrong || busy) return;
    setBusy(true);
    setError('');
    try {
      const query: [string, string][] = tagList.map(t => ['tag', t]);
      if (version) query.push(['version', version]);
      if (when) query.push(['scheduledStartTime', when.toISOString()]);
      const path = 'orchestrators/' + encodeURIComponent(name) + (id ? '/' + encodeURIComponent(id) : '');
      const answer = await ask(path, { method: 'POST', query, body: input.trim() || undefined, headers: { 'Content-Type': 'application/json' } });
      const started: { id: string } = await answer.json();
      go(instanceLink(started.id));
    } catch (e) {
      setError((e as Error).message);
      setBusy(false);
    }
  };
  return (
    <main id="main" class="narrow">
      <h1>Start an orchestrator</h1>
      {!actions && <Problem>This page only shows. Set <code>dashboardActions</code> to true in host.json to start from here.</Problem>}
      <form onSubmit={submit} class="card">
        <Field label="Orchestrator" error={problems.name}>
          {list.length > 0 && known?.known
            ? <select required value={chosen?.name ?? ''} onChange={e => setName(e.currentTarget.value)}><option value="" disabled>choose one</option>{list.map(o => <option key={o.name}>{o.name}</option>)}</select>
            : <input required value={name} onInput={e => setName(e.currentTarget.value)} />}
        </Field>
        <Field label="Input (JSON)" error={problems.input} hint={chosen?.input ? <button type="button" class="link" onClick={() => setInput(JSON.stringify(example(chosen.input!), null, 2))}>Fill in an example</button> : chosen && known?.known ? 'It takes no input, or its type is not known.' : undefined}>
          <textarea rows={8} class="mono" spellcheck={false} value={input} onInput={e => setInput(e.currentTarget.value)} placeholder="null" />
        </Field>
        {chosen?.input && <details><summary>What the input looks like</summary><pre class="code" tabIndex={0}>{outline(chosen.input)}</pre></details>}
        <div class="two">
          <Field label="Instance id" hint="Empty: a new random one."><input class="mono" value={id} maxLength={256} onInput={e => setId(e.currentTarget.value)} /></Field>
          <Field label="Version" hint="Empty: the app's defaultVersion."><input value={version} onInput={e => setVersion(e.currentTarget.value)} /></Field>
          <Field label="Tags" hint="One name=value a line." error={problems.tags}><textarea rows={2} class="mono" value={tags} onInput={e => setTags(e.currentTarget.value)} /></Field>
          <Field label="Not before" hint="Local time; empty: now." error={problems.at}><input type="datetime-local" step="1" value={at} onInput={e => setAt(e.currentTarget.value)} /></Field>
        </div>
        <Command line={runCommand({ name, input: input.trim(), id, version, tags: tagList, at: when && !Number.isNaN(when.getTime()) ? when.toISOString() : undefined })} />
        {error && <Problem>{error}</Problem>}
        <footer><button type="submit" class="solid" disabled={!actions || busy || wrong || !name}>{busy ? 'Starting…' : 'Start'}</button></footer>
      </form>
    </main>
  );
}

/** The fields of a start like that of an instance. */
async function copyOf(id: string): Promise<{ name: string; input: string; version: string; tags: string }> {
  const d = await get<Details>(instancePath(id, '/details'));
  const text = d.input ? d.input.text ?? (await (await ask(instancePath(id, '/payload'), { query: [['of', 'input']] })).text()) : '';
  return { name: d.name, input: text, version: d.version ?? '', tags: Object.entries(d.tags ?? {}).map(([k, v]) => `${k}=${v}`).join('\n') };
}

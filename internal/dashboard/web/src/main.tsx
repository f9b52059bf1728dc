// The dashboard: the frame around all views.
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get, type ApiError, type Hub } from './api';
import { savedKey, saveKey, takeKey } from './key';
import { togglePause, useLiveness, usePolling, useTrouble } from './live';
import { useKeys } from './keys';
import { Dialog, Field, Icon, Problem } from './parts';
import { go, link, useRoute } from './router';
import { setTheme, useTheme } from './theme';
import { Entities } from './views/entities';
import { EntityPage } from './views/entity';
import { HubPage } from './views/hub';
import { Instance } from './views/instance';
import { Instances } from './views/instances';
import { Offline, readFile, type Saved } from './views/offline';
import { Start } from './views/start';

takeKey();

function App() {
  const route = useRoute();
  const view = route.path[0] ?? 'instances';
  const [hub, setHub] = useState<Hub>();
  const [refused, setRefused] = useState<ApiError>();
  const [tries, setTries] = useState(0);
  const [saved, setSaved] = useState<Saved>();
  const [fileError, setFileError] = useState('');
  const [help, setHelp] = useState(false);
  usePolling(async signal => {
    try {
      setHub(await get<Hub>('hub', { query: [['brief', 'true']], signal }));
      setRefused(undefined);
    } catch (e) {
      if ((e as ApiError).status === 401 || (e as ApiError).status === 403) setRefused(e as ApiError);
      throw e;
    }
    return undefined;
  }, [tries]);
  useFiles(async files => {
    try {
      const all: Saved = { file: files.length === 1 ? files[0].name : `${files.length} files`, instances: [] };
      if (files.reduce((sum, f) => sum + f.size, 0) > 64 << 20) throw new Error(`${all.file}: that is more than 64 MB.`);
      for (const f of files) all.instances.push(...readFile(f.name, await f.text()).instances);
      setSaved(all);
      setFileError('');
      go(link(['file']));
    } catch (e) {
      setFileError((e as Error).message);
    }
  });
  useKeys({
    '?': () => setHelp(true), '/': () => (document.getElementById('search') ?? document.querySelector<HTMLElement>('input[type=search]'))?.focus(),
    'g i': () => go(link(['instances'])), 'g e': () => go(link(['entities'])), 'g s': () => go(link(['start'])), 'g h': () => go(link(['hub'])), 'g f': () => go(link(['file'])), p: togglePause,
    Enter: () => document.querySelector<HTMLAnchorElement>('tr.here a')?.click(),
  });
  const locked = refused && view !== 'file';
  return (
    <>
      <a class="skip" href="#main" onClick={e => { e.preventDefault(); document.getElementById('main')?.querySelector<HTMLElement>('a,button,input,[tabindex]')?.focus(); }}>To the content</a>
      <Top view={view} hub={hub} onHelp={() => setHelp(true)} />
      <Lost />
      {fileError && <Problem>{fileError}</Problem>}
      {locked ? <KeyForm wrong={!!savedKey()} onKey={key => { saveKey(key); setRefused(undefined); setTries(tries + 1); }} />
        : view === 'instance' ? <Instance key={route.path[1]} route={route} hub={hub} />
        : view === 'start' ? <Start key={route.query.get('like') ?? ''} route={route} actions={!!hub?.actions} />
        : view === 'entities' ? <Entities route={route} actions={!!hub?.actions} />
        : view === 'entity' ? <EntityPage key={route.path.join('/')} route={route} actions={!!hub?.actions} />
        : view === 'hub' ? <HubPage />
        : view === 'file' ? <Offline saved={saved} route={route} />
        : <Instances key={tries} route={route} actions={!!hub?.actions} />}
      {help && <Help onClose={() => setHelp(false)} />}
    </>
  );
}

const views: [string, string][] = [['instances', 'Instances'], ['entities', 'Entities'], ['start', 'Start'], ['hub', 'Hub'], ['file', 'File']];

function Top({ view, hub, onHelp }: { view: string; hub?: Hub; onHelp: () => void }) {
  const live = useLiveness();
  const theme = useTheme();
  const next = { auto: 'dark', dark: 'light', light: 'auto' }[theme] as 'auto' | 'dark' | 'light';
  const words = { live: 'Live', paused: 'Paused', hidden: 'Live', asleep: 'Asleep' };
  return (
    <header class="top">
      <a class="brand" href={link(['instances'])}><svg viewBox="0 0 16 16" aria-hidden="true"><rect width="16" height="16" rx="4" /><path d="M4 5h5M4 8h8M4 11h3" /></svg><span>Durable</span></a>
      {hub && <span class="hubname" title={hub.storage}>{hub.hub}</span>}
      <nav aria-label="Views">{views.map(([key, name]) => <a key={key} href={link([key])} aria-current={view === key || view + 's' === key || (view === 'entity' && key === 'entities') ? 'page' : undefined}>{name}</a>)}</nav>
      <span class="spring" />
      <button type="button" class={`livebutton ${live}`} aria-pressed={live !== 'paused'} title={live === 'asleep' ? 'Nobody was here for a while: any key or move wakes it' : live === 'paused' ? 'Go on (p)' : 'Pause (p)'} onClick={togglePause}><i aria-hidden="true" />{words[live]}</button>
      <button type="button" class="icon" aria-label={`Colours: ${theme}. Change to ${next}`} title={`Colours: ${theme}`} onClick={() => setTheme(next)}><Icon name="theme" /></button>
      <button type="button" class="icon" aria-label="Help and keys" title="Help (?)" onClick={onHelp}><Icon name="help" /></button>
    </header>
  );
}

/** Says that the app does not answer, for as long as it does not. */
function Lost() {
  const trouble = useTrouble();
  if (!trouble || (trouble.status >= 400 && trouble.status < 500)) return null;
  return <div class="lost" role="alert"><Icon name="warn" />{trouble.message} What is shown may be old; trying again…</div>;
}

function KeyForm({ wrong, onKey }: { wrong: boolean; onKey: (key: string) => void }) {
  const [key, setKey] = useState('');
  return (
    <main id="main" class="narrow">
      <form class="card" onSubmit={e => { e.preventDefault(); if (key.trim()) onKey(key.trim()); }}>
        <h1>{wrong ? 'The key is not accepted' : 'A function key is needed'}</h1>
        <p>It is in the Azure portal under the Function App, <em>Functions → DurableTask → Function keys</em>, or:</p>
        <pre class="code">az functionapp function keys list --function-name DurableTask -g GROUP -n APP</pre>
        <Field label="Function key" hint="It stays in this tab, and leaves with it."><input type="password" autocomplete="off" value={key} onInput={e => setKey(e.currentTarget.value)} autofocus /></Field>
        <footer><button type="submit" class="solid" disabled={!key.trim()}>Open</button></footer>
      </form>
    </main>
  );
}

const keys: [string, string][] = [
  ['/', 'filter'], ['j k', 'next, previous line'], ['Enter', 'open'], ['r', 'load the list anew'], ['g i', 'instances'], ['g e', 'entities'], ['g s', 'start'], ['g h', 'hub'], ['g f', 'file'],
  ['1 2 3 4', 'timeline, sequence, tree, history'], ['+ - 0', 'zoom the timeline in, out, all of it'], ['← →', 'move the timeline'], ['Esc', 'close, leave a field'], ['p', 'pause, go on'], ['?', 'this'],
];

function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">{keys.map(([k, what]) => <div key={k}><dt>{k.split(' ').map(x => <kbd key={x}>{x}</kbd>)}</dt><dd>{what}</dd></div>)}</dl>
      <p class="small">Everything that is shown is in the address, but for the key: it can be bookmarked and sent. A file that “Export” has saved can be dropped on this page; it is not sent anywhere.</p>
      <p class="small">In the timeline, <kbd>Ctrl</kbd> and the wheel zoom, <kbd>Shift</kbd> and the wheel move.</p>
    </Dialog>
  );
}

/** Takes files that are dropped on the page or chosen. */
function useFiles(open: (files: File[]) => void): void {
  useEffect(() => {
    const over = (e: DragEvent) => {
      e.preventDefault();
      document.body.classList.toggle('dropping', e.type === 'dragover');
    };
    const drop = (e: DragEvent) => {
      over(e);
      const files = [...(e.dataTransfer?.files ?? [])];
      if (files.length) open(files);
    };
    const chosen = (e: Event) => open((e as CustomEvent<File[]>).detail);
    window.addEventListener('dragover', over);
    window.addEventListener('dragleave', over);
    window.addEventListener('drop', drop);
    window.addEventListener('durable-file', chosen);
    return () => {
      window.removeEventListener('dragover', over);
      window.removeEventListener('dragleave', over);
      window.removeEventListener('drop', drop);
      window.removeEventListener('durable-file', chosen);
    };
  }, []);
}

const root = document.getElementById('app')!;
root.textContent = '';
render(<App />, root);

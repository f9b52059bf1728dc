// How many instances were created when, by how they ended. A bar, or a stretch
// that was dragged over, becomes the filter.
import { useState } from 'preact/hooks';
import type { Bucket, Found } from '../api';
import { clock, duration, local, ms } from '../format';

type Data = NonNullable<Found['histogram']>;

const fewest = 40;

export function Histogram({ h, onRange }: { h: Data; onRange: (from: string, to: string) => void }) {
  const [drag, setDrag] = useState<[number, number]>();
  // A few bars would be very wide ones: there is time before them.
  const before = Math.max(0, fewest - h.buckets.length);
  const bars = before ? [...Array<Bucket>(before).fill({ completed: 0, failed: 0, other: 0 }), ...h.buckets] : h.buckets;
  const begin = (ms(h.from) ?? 0) - before * h.seconds * 1000;
  const n = bars.length;
  const most = Math.max(1, ...bars.map(b => b.completed + b.failed + b.other));
  const at = (i: number) => begin + i * h.seconds * 1000;
  const height = 44;
  // Small counts stay visible beside large ones.
  const scale = (v: number) => (v ? Math.max(2, (v / most) * height) : 0);
  const pick = (from: number, to: number) => onRange(new Date(at(Math.min(from, to))).toISOString(), new Date(at(Math.max(from, to) + 1)).toISOString());
  const indexOf = (e: PointerEvent) => {
    const box = (e.currentTarget as SVGElement).getBoundingClientRect();
    return Math.max(0, Math.min(n - 1, Math.floor(((e.clientX - box.left) / box.width) * n)));
  };
  const total = h.buckets.reduce((sum, b) => sum + b.completed + b.failed + b.other, 0);
  const failed = h.buckets.reduce((sum, b) => sum + b.failed, 0);
  return (
    <figure class="histogram">
      <svg viewBox={`0 0 ${n * 10} ${height}`} preserveAspectRatio="none" role="img"
        aria-label={`${total} instances created from ${local(begin)} to ${local(at(n))}, ${failed} of them failed or terminated, in ${n} bars of ${duration(h.seconds * 1000)}`}
        onPointerDown={e => { (e.currentTarget as SVGElement).setPointerCapture(e.pointerId); const i = indexOf(e); setDrag([i, i]); }}
        onPointerMove={e => drag && setDrag([drag[0], indexOf(e)])}
        onPointerUp={() => { if (drag) pick(drag[0], drag[1]); setDrag(undefined); }}
        onPointerCancel={() => setDrag(undefined)}>
        {drag && <rect class="picked" x={Math.min(...drag) * 10} width={(Math.abs(drag[1] - drag[0]) + 1) * 10} y="0" height={height} />}
        {bars.map((b, i) => {
          const [f, o, c] = [scale(b.failed), scale(b.other), scale(b.completed)];
          const all = Math.max(1, (f + o + c) / height);
          const draw = (y: number, v: number, kind: string) => v > 0 && <rect class={kind} x={i * 10 + 1} width="8" y={height - (y + v) / all} height={v / all} />;
          return <g key={i}><title>{`${local(at(i))}: ${b.completed} completed, ${b.failed} failed, ${b.other} other`}</title><rect x={i * 10} width="10" y="0" height={height} fill="transparent" />{draw(0, f, 'f')}{draw(f, o, 'o')}{draw(f + o, c, 'c')}</g>;
        })}
      </svg>
      <figcaption><span>{stamp(begin, h.seconds)}</span><span class="faint">created, {duration(h.seconds * 1000)} a bar; drag to choose a time</span><span>{stamp(at(n), h.seconds)}</span></figcaption>
    </figure>
  );
}

const stamp = (at: number, seconds: number) => (seconds < 1000 ? `${local(at).slice(5, 10)} ${clock(at)}` : local(at).slice(0, 16));

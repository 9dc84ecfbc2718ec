/** Sums up processor profiles: for each thread, in which functions its time went. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The parts of V8's profile format that are used here. */
interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

const SHOWN = 25;
const IDLE = new Set(['(idle)', '(program)']);

/** One paragraph for each thread with more than a tenth of a second of work, the busiest first. */
export async function summarizeProfiles(directory: string): Promise<string> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile'));
  const threads = [];
  for (const name of names) {
    const profile = JSON.parse(await readFile(join(directory, name), 'utf8')) as Profile;
    threads.push({ name, times: selfTimes(profile) });
  }
  const busy = threads.map((thread) => ({ ...thread, total: sum(thread.times) })).filter(({ total }) => total > 0.1);
  busy.sort((a, b) => b.total - a.total);
  return busy.map(({ name, times, total }) => paragraph(name, times, total)).join('\n\n');
}

/** Seconds by function. */
function selfTimes({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const labels = new Map(nodes.map(({ id, callFrame }) => [id, label(callFrame)]));
  const times = new Map<string, number>();
  samples.forEach((id, i) => {
    const name = labels.get(id) ?? '?';
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[i] ?? 0) / 1e6);
  });
  return times;
}

function label({ functionName, url, lineNumber }: CallFrame): string {
  const place = url === '' ? '' : ` ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
  return `${functionName || '(anonymous)'}${place}`;
}

function sum(times: ReadonlyMap<string, number>): number {
  return [...times].reduce((total, [name, time]) => (IDLE.has(name) ? total : total + time), 0);
}

function paragraph(name: string, times: ReadonlyMap<string, number>, total: number): string {
  const top = [...times].filter(([label]) => !IDLE.has(label)).sort((a, b) => b[1] - a[1]);
  const lines = top.slice(0, SHOWN).map(([label, time]) => {
    return `${time.toFixed(2).padStart(8)} s ${((time / total) * 100).toFixed(1).padStart(5)} %  ${label}`;
  });
  return [`${name}: ${total.toFixed(2)} s at work`, ...lines].join('\n');
}

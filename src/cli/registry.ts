/** Every command, in the order of `--help`. Only names and summaries live here; a command's code is loaded when it runs. */
import type { Command } from './command.ts';

export type Group = 'Protect' | 'Look' | 'Restore' | 'Care' | 'Set up';

export interface Registration {
  /** One word, or two for a command of a family: `key add`. */
  readonly name: string;
  readonly group: Group;
  /** One line, no full stop. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly default: Command }>;
}

export const registry: readonly Registration[] = [
  ...group('Protect', [entry('backup', 'make a restore point', () => import('./commands/backup.ts'))]),
  ...group('Look', [
    entry('points', 'the restore points, newest last', () => import('./commands/points.ts')),
    entry('show', 'one point: sources, sizes, manifest, proof', () => import('./commands/show.ts')),
  ]),
  ...group('Restore', [entry('restore', 'get a point, or part of one, back', () => import('./commands/restore.ts'))]),
  ...group('Care', [entry('check', 'is everything there and whole', () => import('./commands/check.ts'))]),
  ...group('Set up', [
    entry('init', 'create the repository on every storage', () => import('./commands/init.ts')),
    entry('kit', 'the recovery kit: a page that restores without this server', () => import('./commands/kit.ts')),

    entry('config validate', 'say everything that is wrong with it', () => import('./commands/config-validate.ts')),
    entry('config show', 'effective values and their origins', () => import('./commands/config-show.ts')),
    entry('config schema', 'the JSON Schema of the file', () => import('./commands/config-schema.ts')),
    entry('completion', 'script for bash, zsh or fish', () => import('./commands/completion.ts')),
    entry('version', 'the version of this program', () => import('./commands/version.ts')),
  ]),
];

type Ungrouped = Omit<Registration, 'group'>;

function group(name: Group, entries: readonly Ungrouped[]): Registration[] {
  return entries.map((each) => ({ ...each, group: name }));
}

function entry(name: string, summary: string, load: Registration['load']): Ungrouped {
  return { name, summary, load };
}

export type Found =
  | { readonly kind: 'command'; readonly registration: Registration; readonly words: number }
  | { readonly kind: 'family'; readonly family: string; readonly members: readonly Registration[] }
  | { readonly kind: 'unknown' };

/** The command that `words` begin with. `registrations` is a parameter so that tests can bring their own. */
export function findCommand(words: readonly string[], registrations: readonly Registration[] = registry): Found {
  const [first, second] = words;
  const two = registrations.find(({ name }) => name === `${first} ${second}`);
  if (two !== undefined) return { kind: 'command', registration: two, words: 2 };
  const one = registrations.find(({ name }) => name === first);
  if (one !== undefined) return { kind: 'command', registration: one, words: 1 };
  const members = registrations.filter(({ name }) => name.startsWith(`${first} `));
  return members.length > 0 ? { kind: 'family', family: first!, members } : { kind: 'unknown' };
}

/** The kinds of runs: which command each is, what may not run beside it, and whether it may be tried again by itself. */
import * as z from 'zod';
import { FAILURES, Failure, type FailureCode } from '../base/failure.ts';
import { type KindName, PARAMS } from './kinds/params.ts';

export type Params = Readonly<Record<string, unknown>>;

export interface Kind {
  readonly command: readonly string[];
  /** What it works on: one app, or the whole repository. */
  readonly about: 'app' | 'repository';
  /** At most one running run has the same; null: as many as there are workers. */
  exclusive(app: string, params: Params): string | null;
  /** False: what it does is not done twice without a person's word. */
  readonly repeatable: boolean;
  /** The param that stands in the command line without a name; default: the point. */
  readonly positional?: 'file';
  /** It lives until its time is over: it takes no place among the runs of a worker, and ends at once with the worker. */
  readonly resident?: true;
  /** Options besides those that the params name. */
  readonly options?: readonly string[];
}

/** The app of runs that are about the whole repository. */
export const EVERY_APP = '*';

const ofApp = (what: string) => (app: string) => `${what}:${app}`;
const none = () => null;

/** `backup` and what replaces the app's data are its writers: one at a time. Who changes the whole repository has it alone, too. */
const KINDS: Readonly<Record<KindName, Kind>> = {
  backup: { command: ['backup'], about: 'app', exclusive: ofApp('app'), repeatable: true },
  prove: { command: ['prove'], about: 'app', exclusive: ofApp('prove'), repeatable: true },
  check: { command: ['check'], about: 'repository', exclusive: () => 'check', repeatable: true },
  verify: {
    command: ['verify'],
    about: 'repository',
    exclusive: (_app, { point, storage }) => (point === undefined ? `verify:${String(storage ?? '')}` : null),
    repeatable: true,
  },
  sync: { command: ['sync'], about: 'repository', exclusive: () => 'repository', repeatable: true },
  prune: { command: ['prune'], about: 'repository', exclusive: () => 'repository', repeatable: true },
  'wal-fold': { command: ['wal', 'fold'], about: 'app', exclusive: ofApp('wal-fold'), repeatable: true },
  restore: {
    command: ['restore'],
    about: 'app',
    exclusive: (app, { inPlace, to }) => (inPlace === true ? `app:${app}` : `restore:${String(to)}`),
    repeatable: false,
  },
  rows: {
    command: ['rows'],
    about: 'app',
    exclusive: (app, { mergeInto }) => (mergeInto === undefined ? null : `rows:${app}`),
    repeatable: false,
  },
  export: { command: ['export'], about: 'app', exclusive: none, repeatable: false, positional: 'file' },
  import: { command: ['import'], about: 'repository', exclusive: none, repeatable: false, positional: 'file' },
  sandbox: { command: ['sandbox'], about: 'app', exclusive: ofApp('sandbox'), repeatable: false, resident: true },
  kit: { command: ['kit'], about: 'repository', exclusive: none, repeatable: true },
  forget: { command: ['forget'], about: 'app', exclusive: () => 'repository', repeatable: true },
  pin: { command: ['pin'], about: 'app', exclusive: none, repeatable: true },
  unpin: { command: ['unpin'], about: 'app', exclusive: none, repeatable: true },
  drill: {
    command: ['runbook', 'drill'],
    about: 'app',
    exclusive: ofApp('drill'),
    repeatable: false,
    options: ['--yes'],
  },
  runbook: { command: ['runbook', 'run'], about: 'app', exclusive: ofApp('app'), repeatable: false },
};

export function kindOf(name: string): Kind {
  if (Object.hasOwn(KINDS, name)) return KINDS[name as KindName];
  throw new Failure('usage', `There is no run of the kind "${name}".`, {
    hint: `Kinds: ${Object.keys(KINDS).join(', ')}.`,
  });
}

/** Whether it lives on beside the work. A kind that is not known does nothing, and is told when it is carried out. */
export function isResident(name: string): boolean {
  return Object.hasOwn(KINDS, name) && KINDS[name as KindName].resident === true;
}

/** The JSON Schema of what each kind takes. */
export function kindSchemas(): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  return new Map(Object.entries(PARAMS).map(([name, schema]) => [name, z.toJSONSchema(schema, { io: 'input' })]));
}

/** The params as the kind takes them. Throws `usage` that names what does not fit. */
export function checkedParams(name: string, params: Params): Params {
  kindOf(name);
  const parsed = PARAMS[name as KindName].safeParse(params);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message, ...issue }) => ({
    path: path.map(String).join('.'),
    message: issue.code === 'unrecognized_keys' ? `has nothing called ${issue.keys.join(', ')}` : message,
  }));
  const [first] = problems;
  const where = first === undefined || first.path === '' ? '' : ` ${first.path}`;
  throw new Failure('usage', `A run of the kind "${name}" takes no such params:${where} ${first?.message}.`, {
    details: { problems },
  });
}

/** The words of the command line for a run, without the program. Values cannot be taken for options: each stands behind a "=". */
export function commandLine(name: string, app: string, params: Params): string[] {
  const { command, options = [], positional = 'point' } = kindOf(name);
  const given = Object.entries(checkedParams(name, params)).filter(([key]) => key !== positional);
  const unnamed = params[positional];
  return [
    ...command,
    ...options,
    ...given.flatMap(([key, value]) => optionWords(key, value)),
    ...(app === EVERY_APP ? [] : [`--app=${app}`]),
    ...(typeof unnamed === 'string' ? [unnamed] : []),
  ];
}

function optionWords(key: string, value: unknown): string[] {
  const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (Array.isArray(value)) return value.map((each) => `${flag}=${String(each)}`);
  if (typeof value === 'boolean') return value ? [flag] : [];
  return value === undefined ? [] : [`${flag}=${String(value)}`];
}

/** Whether the same may succeed later, by itself. */
export function isTransient(code: string): boolean {
  return Object.hasOwn(FAILURES, code) && FAILURES[code as FailureCode].retry;
}

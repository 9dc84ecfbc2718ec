/** The rules of the house as data: which folder may import which. ARCHITECTURE.md gives the reasons. */

/** Folder of `src/` → folders of `src/` that it may import, besides itself. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  config: ['base'],
  storage: ['base'],
  repository: ['base', 'storage'],
  postgres: ['base'],
  wal: ['base', 'storage', 'repository', 'postgres'],
  sources: ['base', 'config', 'postgres', 'storage'],
  recovery: ['base', 'repository', 'wal', 'postgres', 'sources'],
  operations: ['base', 'config', 'storage', 'repository', 'postgres', 'wal', 'sources', 'recovery'],
  catalog: ['base'],
  api: ['base'],
  client: ['base', 'api'],
  scheduler: ['base', 'config', 'catalog', 'operations'],
  alerts: ['base', 'config', 'catalog', 'operations'],
  server: ['base', 'api', 'config', 'operations', 'catalog', 'scheduler', 'alerts'],
  service: ['base', 'config', 'operations', 'catalog', 'scheduler', 'alerts', 'server'],
  cli: ['base', 'config', 'operations', 'service', 'api', 'client'],
  main: [
    ...['base', 'config', 'storage', 'repository', 'postgres', 'wal', 'sources', 'recovery', 'operations'],
    ...['catalog', 'scheduler', 'alerts', 'server', 'service', 'cli', 'api', 'client'],
  ],
};

/** A folder of this name holds fakes and contract suites: open to tests, closed to the product. */
export const TESTING = 'testing';

/** Longest source file, in lines. */
export const MAX_LINES = 400;

/** Something that only some places of `src/` may use. */
export interface Restriction {
  readonly rule: 'clock' | 'process' | 'console';
  readonly pattern: RegExp;
  readonly what: string;
  readonly instead: string;
  /** Path beginnings below `src/` where it is allowed. */
  readonly allowed: readonly string[];
}

export const RESTRICTIONS: readonly Restriction[] = [
  {
    rule: 'clock',
    pattern: /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\)|(?![\w\s.(<]))|(?<!\bnew\s+)(?<![.\w$])Date\s*\(\s*\)/g,
    what: 'reads the time of day',
    instead: 'take a Clock (src/base/clock.ts) as an argument',
    allowed: ['base/clock.ts'],
  },
  {
    rule: 'clock',
    pattern: /\bperformance\s*\.\s*(?:now|timeOrigin)\b|\bprocess\s*\.\s*(?:hrtime|uptime)\b/g,
    what: 'reads a monotonic clock',
    instead: 'take a Clock (src/base/clock.ts) as an argument',
    allowed: ['base/clock.ts'],
  },
  {
    rule: 'process',
    pattern: /\bprocess\s*\.\s*(?:env|argv)\b/g,
    what: 'reads the environment or the arguments of the process',
    instead: 'take the value as an argument; src/main/ passes it in',
    allowed: ['main/'],
  },
  {
    rule: 'process',
    pattern: /\bprocess\s*\.\s*(?:exit|exitCode|abort|reallyExit)\b/g,
    what: 'ends the process',
    instead: 'throw a Failure, or return the exit code to src/main/',
    allowed: ['main/'],
  },
  {
    rule: 'console',
    pattern: /(?<![.\w$])console\s*\.\s*\w+/g,
    what: 'prints to the console',
    instead: 'report through Progress (src/base/progress.ts)',
    allowed: ['main/', 'cli/'],
  },
];

/** The same things by another door: names that may not be imported from these modules outside the allowed places. */
export const RESTRICTED_NAMES: Readonly<Record<string, readonly string[]>> = {
  'node:process': ['env', 'argv', 'exit', 'exitCode', 'abort', 'hrtime', 'uptime'],
  'node:perf_hooks': ['performance'],
};

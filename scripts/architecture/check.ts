/** Holds the files of `src/` against the rules of the house. Works on a map of texts, so that its tests can give it bad ones. */
import { posix } from 'node:path';
import { MAX_LINES, MAY_IMPORT, RESTRICTED_NAMES, RESTRICTIONS, TESTING } from './rules.ts';
import { type Import, lineAt, type Scan, scan } from './scan.ts';

export interface Project {
  /** Path relative to the project's root → text, for every `*.ts` of `src/`. */
  readonly files: ReadonlyMap<string, string>;
  /** Packages that the product may use: `dependencies` of package.json. */
  readonly dependencies: ReadonlySet<string>;
}

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule:
    | 'direction'
    | 'inside'
    | 'testing'
    | 'dependency'
    | 'clock'
    | 'process'
    | 'console'
    | 'cycle'
    | 'length';
  readonly message: string;
}

export function checkArchitecture(project: Project): Violation[] {
  const scans = new Map<string, Scan>();
  for (const [file, text] of project.files) scans.set(file, scan(text));
  const violations: Violation[] = [];
  for (const [file, scanned] of scans) {
    violations.push(...checkImports(file, scanned, project));
    if (!isTest(file))
      violations.push(...checkUses(file, scanned), ...checkLength(file, project.files.get(file) ?? ''));
  }
  return [...violations, ...checkCycles(scans)];
}

/** Test code: it may use fakes, development packages and the clock, but keeps to the directions. */
function isTest(file: string): boolean {
  return file.endsWith('.test.ts') || file.split('/').includes(TESTING);
}

function checkImports(file: string, scanned: Scan, project: Project): Violation[] {
  return scanned.imports.flatMap((found) => {
    const { specifier } = found;
    if (specifier.startsWith('.')) return checkRelative(file, found);
    if (specifier.startsWith('node:') || isTest(file)) return restrictedNames(file, found);
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
    if (project.dependencies.has(name)) return [];
    return [
      violation(file, found, 'dependency', `imports ${name}, which is not among the dependencies in package.json`),
    ];
  });
}

function checkRelative(file: string, found: Import): Violation[] {
  const target = resolve(file, found.specifier);
  if (!target.startsWith('src/')) {
    if (isTest(file) || target === 'package.json') return [];
    return [violation(file, found, 'direction', `imports ${target}, which is outside src/`)];
  }
  const from = folderOf(file);
  const to = folderOf(target);
  const problems: Violation[] = [];
  const inTesting = target.split('/').includes(TESTING);
  if (inTesting && !isTest(file))
    problems.push(violation(file, found, 'testing', `imports ${target}, which is for tests`));
  if (from === to) return problems;
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined) {
    problems.push(violation(file, found, 'direction', `src/${from}/ is not in the table of folders`));
  } else if (!allowed.includes(to)) {
    problems.push(violation(file, found, 'direction', `src/${from}/ must not import src/${to}/ (${target})`));
  }
  const depth = target.split('/').length;
  if (depth > 3 && !(inTesting && isTest(file))) {
    problems.push(
      violation(file, found, 'inside', `imports ${target}, which is inside src/${to}/; import its top-level files`),
    );
  }
  return problems;
}

function restrictedNames(file: string, found: Import): Violation[] {
  if (isTest(file) || file.startsWith('src/main/') || file === 'src/base/clock.ts') return [];
  const forbidden = RESTRICTED_NAMES[found.specifier] ?? [];
  const names = found.names.filter((name) => forbidden.includes(name));
  return names.map((name) => violation(file, found, 'process', `imports ${name} from ${found.specifier}`));
}

function checkUses(file: string, { code }: Scan): Violation[] {
  const place = file.slice('src/'.length);
  return RESTRICTIONS.filter(({ allowed }) => !allowed.some((start) => place.startsWith(start))).flatMap(
    (restriction) =>
      [...code.matchAll(restriction.pattern)].map((match) => ({
        file,
        line: lineAt(code, match.index),
        rule: restriction.rule,
        message: `${match[0].trim()} ${restriction.what}; ${restriction.instead}`,
      })),
  );
}

function checkLength(file: string, text: string): Violation[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines <= MAX_LINES) return [];
  return [
    {
      file,
      line: MAX_LINES + 1,
      rule: 'length',
      message: `has ${lines} lines; ${MAX_LINES} are enough for one concept`,
    },
  ];
}

/** Circles of imports that load each other. Circles of types alone, or closed by an `import()`, harm nobody. */
function checkCycles(scans: ReadonlyMap<string, Scan>): Violation[] {
  const edges = new Map<string, string[]>();
  for (const [file, { imports }] of scans) {
    const targets = imports.filter(({ specifier, typeOnly, lazy }) => specifier.startsWith('.') && !typeOnly && !lazy);
    edges.set(
      file,
      targets.map(({ specifier }) => resolve(file, specifier)).filter((target) => scans.has(target)),
    );
  }
  const violations: Violation[] = [];
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const start = path.indexOf(file);
    if (start !== -1) {
      const circle = [...path.slice(start), file].join(' → ');
      violations.push({ file, line: 1, rule: 'cycle', message: `imports itself in a circle: ${circle}` });
      return;
    }
    if (finished.has(file)) return;
    path.push(file);
    for (const target of edges.get(file) ?? []) visit(target);
    path.pop();
    finished.add(file);
  };
  for (const file of edges.keys()) visit(file);
  return violations;
}

function resolve(file: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(file), specifier));
}

/** The folder of `src/` that a path belongs to. */
function folderOf(file: string): string {
  return file.split('/')[1] ?? '';
}

function violation(file: string, { line }: Import, rule: Violation['rule'], message: string): Violation {
  return { file, line, rule, message };
}

/** Makes one directory of JavaScript of the program: its entry, the threads it starts, what they share, and the WebAssembly beside them. */
import { copyFileSync, existsSync, globSync, mkdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = join(ROOT, 'src');
const OUTPUT = join(ROOT, 'dist/main');
const ENTRY = join(OUTPUT, 'cli.js');

/** Whether a source is newer than what was built of it, by the rule of `bin/holdfast`. */
export function isStale(): boolean {
  const built = statSync(ENTRY, { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined) return true;
  return ['package-lock.json', 'src', ...globSync('src/**', { cwd: ROOT })].some(
    (path) => statSync(join(ROOT, path)).mtimeMs > built,
  );
}

/** The program that runs keeps its files until the new ones are complete; the entry bears the time at which the build began. */
export async function buildProgram(): Promise<void> {
  const began = new Date();
  const next = join(ROOT, `dist/next-${process.pid}`);
  mkdirSync(next, { recursive: true });
  try {
    await bundle(next);
    for (const module of globSync('**/*.wasm', { cwd: SOURCES }))
      copyFileSync(join(SOURCES, module), join(next, basename(module)));
    utimesSync(join(next, 'cli.js'), began, began);
    replace(next);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

async function bundle(outdir: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [
      join(SOURCES, 'main/cli.ts'),
      ...globSync('src/{repository/workers,sources/files}/*-worker.ts', { cwd: ROOT }),
    ],
    outdir,
    entryNames: '[name]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'], // what can be shaken first
    external: ['pg-native'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    legalComments: 'linked',
    logLevel: 'warning',
  });
}

/** Two builds at once: the later one stays. */
function replace(next: string): void {
  const old = join(ROOT, `dist/old-${process.pid}`);
  if (existsSync(OUTPUT)) renameSync(OUTPUT, old);
  renameSync(next, OUTPUT);
  rmSync(old, { recursive: true, force: true });
}

import assert from 'node:assert/strict';
import { cp, readFile, symlink } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, runOk } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the built package runs without the sources', async () => {
  await using dir = await tempDir();
  const build = dir.join('build');
  const installed = dir.join('installed');
  for (const path of ['src', 'scripts', 'package.json', 'package-lock.json']) {
    await cp(`${root}${path}`, `${build}/${path}`, { recursive: true });
  }
  await symlink(`${root}node_modules`, `${build}/node_modules`);
  await runOk(process.execPath, [`${build}/scripts/build.ts`]);

  for (const path of ['dist', 'package.json'])
    await cp(`${build}/${path}`, `${installed}/${path}`, { recursive: true });
  await cp(`${root}bin`, `${installed}/bin`, { recursive: true });
  await symlink(`${root}node_modules`, `${installed}/node_modules`);
  const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { version: string };
  const { stdout } = await runOk(`${installed}/bin/holdfast`, ['version']);
  assert.match(stdout, new RegExp(version.replaceAll('.', '\\.')));
});

test('the launcher passes arguments, output and the exit status through', async () => {
  await using dir = await tempDir();
  const script = dir.join('x.mjs');
  await runOk('sh', ['-c', `echo 'console.log(process.version, process.argv[2]); process.exit(7)' >${script}`]);
  const done = await run(process.execPath, [`${root}scripts/launch.mjs`, script, 'argument']);
  assert.equal(done.code, 7);
  assert.match(done.stdout, /^v24\..* argument\n$/);
});

test('the lock file has every optional package, also those of other systems: without them npm ci refuses it', async () => {
  interface Entry {
    readonly optionalDependencies?: Record<string, string>;
  }
  const { packages } = JSON.parse(await readFile(`${root}package-lock.json`, 'utf8')) as {
    packages: Record<string, Entry>;
  };
  const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !placesAbove(place).some((at) => `${at}node_modules/${name}` in packages),
    ),
  );
  assert.deepEqual(missing, []);
});

/** Where Node looks for the dependencies of the package at `place`: inside it, then beside each package that it is inside of. */
function placesAbove(place: string): string[] {
  const parts = place.split('node_modules/').slice(1);
  return parts.map((_, index) => `node_modules/${parts.slice(0, index + 1).join('node_modules/')}/`).concat('');
}

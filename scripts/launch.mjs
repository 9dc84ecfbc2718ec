/**
 * Runs a script of this project on the Node that the project pins: `node scripts/launch.mjs scripts/demo.ts …`.
 *
 * It works right after `git clone`, on Node 20 or newer: when the dependencies (the pinned Node is one of them) are missing, it installs
 * them first; when the program was built from older sources, or never, it builds it. Plain JavaScript without dependencies, because it
 * runs before there are any.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const pinnedNode = join(root, 'node_modules', '.bin', 'node');

if (!isUsable(pinnedNode)) {
  console.log('Installing the dependencies, once: npm ci');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const installed = spawnSync(npm, ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (installed.status !== 0) stop('npm ci failed; see above.');
  if (!isUsable(pinnedNode)) {
    stop(
      `${pinnedNode} does not run. It is installed by a script of the package "node": run npm ci without --ignore-scripts.`,
    );
  }
}

// What cannot be built runs from its sources, and says itself what is wrong with them.
spawnSync(pinnedNode, [join(root, 'scripts/build.ts'), '--when-stale'], { stdio: 'inherit' });

const child = spawn(pinnedNode, process.argv.slice(2), { stdio: 'inherit' });
process.on('SIGINT', () => {}); // a terminal sends it to the child as well, and the child decides
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('error', (error) => stop(`${pinnedNode}: ${error.message}`));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));

function isUsable(node) {
  return existsSync(node) && spawnSync(node, ['--version'], { stdio: 'ignore' }).status === 0;
}

function stop(message) {
  console.error(message);
  process.exit(1);
}

/**
 * `npm run build`, and what npm runs after `npm ci` in a clone: builds the program. Where that cannot be (installed without the development
 * dependencies, or without the script that brings the pinned Node), nothing is lost: `bin/holdfast` runs the sources. Plain JavaScript,
 * because any Node may run it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));
const needed = ['node_modules/.bin/node', 'node_modules/esbuild', 'src/main/cli.ts'];
const missing = needed.find((each) => !existsSync(path(each)));
if (missing !== undefined) {
  console.log(`Not built: there is no ${missing}.`);
} else {
  const { status } = spawnSync(path('node_modules/.bin/node'), [path('scripts/build.ts')], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}

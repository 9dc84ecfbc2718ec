/** Builds `dist/`: what the published package and the container image run. JavaScript from `tsc`, the WebAssembly modules beside it. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
for (const module of globSync('**/*.wasm', { cwd: join(root, 'src') })) {
  copyFileSync(join(root, 'src', module), join(dist, module));
}

/** Holds the documentation against the project (`scripts/documentation/`). Prints every problem; exits with 1 when there is one. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkDocumentation } from './documentation/check.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const paths = globSync('**/*.md', { cwd: root, exclude: ['node_modules', 'dist', 'holdfast-demo', 'coverage'] });
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

const problems = checkDocumentation({
  pages: new Map(paths.sort().map((path) => [path, readFileSync(join(root, path), 'utf8')])),
  exists: (path) => existsSync(join(root, path)),
  scripts: new Set(Object.keys(scripts)),
});
for (const { page, line, message } of problems) console.log(`${page}:${line}  ${message}`);
console.log(`${paths.length} pages, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;

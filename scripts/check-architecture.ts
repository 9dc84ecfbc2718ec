/** Holds `src/` against the rules of the house (`scripts/architecture/`). Prints every violation; exits with 1 when there is one. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkArchitecture } from './architecture/check.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const paths = globSync('src/**/*.ts', { cwd: root, exclude: ['src/**/assembly/**'] });
const files = new Map(paths.sort().map((path) => [path, readFileSync(join(root, path), 'utf8')]));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};

const violations = checkArchitecture({ files, dependencies: new Set(Object.keys(dependencies)) });
for (const { file, line, rule, message } of violations) console.log(`${file}:${line}  ${rule}: ${message}`);
console.log(`${files.size} files, ${violations.length} violations`);
process.exitCode = violations.length > 0 || files.size === 0 ? 1 : 0;

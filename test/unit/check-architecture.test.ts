import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkArchitecture } from '../../scripts/architecture/check.ts';

/** The rules that a project of these files breaks, each with the file that breaks it. */
function broken(files: Record<string, string>): string[] {
  const project = { files: new Map(Object.entries(files)), dependencies: new Set(['pg', '@aws-sdk/client-s3']) };
  return checkArchitecture(project).map(({ file, rule }) => `${file} ${rule}`);
}

describe('what must be refused', () => {
  const cases: readonly (readonly [name: string, files: Record<string, string>, expected: string])[] = [
    ['a lower floor imports a higher one', { 'src/base/a.ts': `import '../storage/b.ts';` }, 'src/base/a.ts direction'],
    [
      'sources reach into the repository',
      { 'src/sources/a.ts': `import '../repository/b.ts';` },
      'src/sources/a.ts direction',
    ],
    [
      'a type from a higher floor',
      { 'src/base/a.ts': `import type { B } from '../cli/b.ts';` },
      'src/base/a.ts direction',
    ],
    [
      'a test that breaks the direction',
      { 'src/base/a.test.ts': `import '../storage/b.ts';` },
      'src/base/a.test.ts direction',
    ],
    ['somebody imports main', { 'src/cli/a.ts': `import '../main/cli.ts';` }, 'src/cli/a.ts direction'],
    ['a folder that the table does not know', { 'src/misc/a.ts': `import '../base/b.ts';` }, 'src/misc/a.ts direction'],
    [
      'the product imports the tests',
      { 'src/base/a.ts': `import '../../test/support/run.ts';` },
      'src/base/a.ts direction',
    ],
    ['a file inside another folder', { 'src/wal/a.ts': `import '../postgres/tar/b.ts';` }, 'src/wal/a.ts inside'],
    ['a fake in the product', { 'src/storage/a.ts': `import './testing/memory.ts';` }, 'src/storage/a.ts testing'],
    [
      'a package that is not a dependency',
      { 'src/base/a.ts': `import x from 'assemblyscript/asc';` },
      'src/base/a.ts dependency',
    ],
    [
      'a scoped package that is none',
      { 'src/base/a.ts': `import x from '@aws-sdk/other';` },
      'src/base/a.ts dependency',
    ],
    ['Date.now', { 'src/wal/a.ts': 'const t = Date.now();' }, 'src/wal/a.ts clock'],
    ['Date.now over two lines', { 'src/wal/a.ts': 'const t = Date\n  .now();' }, 'src/wal/a.ts clock'],
    ['new Date()', { 'src/wal/a.ts': 'const t = new Date();' }, 'src/wal/a.ts clock'],
    ['new Date without parentheses', { 'src/wal/a.ts': 'const t = new Date;' }, 'src/wal/a.ts clock'],
    ['Date()', { 'src/wal/a.ts': 'const t = Date();' }, 'src/wal/a.ts clock'],
    ['performance.now in a template', { 'src/wal/a.ts': 'const t = `${performance.now()}`;' }, 'src/wal/a.ts clock'],
    ['process.hrtime', { 'src/wal/a.ts': 'process.hrtime.bigint();' }, 'src/wal/a.ts clock'],
    ['process.env', { 'src/cli/a.ts': 'const a = process.env.HOME;' }, 'src/cli/a.ts process'],
    ['process.exit', { 'src/cli/a.ts': 'process.exit(1);' }, 'src/cli/a.ts process'],
    ['env by name', { 'src/base/a.ts': `import { env } from 'node:process';` }, 'src/base/a.ts process'],
    ['console.log', { 'src/operations/a.ts': `console.log('x');` }, 'src/operations/a.ts console'],
    ['a file that is too long', { 'src/base/a.ts': 'x;\n'.repeat(401) }, 'src/base/a.ts length'],
    [
      'a circle of imports',
      {
        'src/base/a.ts': `import './b.ts';`,
        'src/base/b.ts': `import './c.ts';`,
        'src/base/c.ts': `export * from './a.ts';`,
      },
      'src/base/a.ts cycle',
    ],
  ];
  for (const [name, files, expected] of cases) {
    test(name, () => assert.deepEqual(broken(files), [expected]));
  }
});

describe('what is allowed', () => {
  const cases: readonly (readonly [name: string, files: Record<string, string>])[] = [
    [
      'imports down the table',
      { 'src/sources/files/a.ts': `import '../../storage/b.ts'; import '../../config/c.ts';` },
    ],
    ['imports inside the own folder', { 'src/postgres/a.ts': `import './tar/b.ts';`, 'src/postgres/tar/b.ts': '' }],
    ['main imports everything', { 'src/main/a.ts': `import '../cli/b.ts'; import '../operations/c.ts';` }],
    [
      'packages and node modules',
      { 'src/storage/a.ts': `import 'node:fs'; import 'pg/lib/x.js'; import '@aws-sdk/client-s3';` },
    ],
    ['the clock reads the clock', { 'src/base/clock.ts': 'Date.now(); performance.now();' }],
    ['dates from values', { 'src/wal/a.ts': 'new Date(ms); x.Date(); new Date(a.b).toISOString();' }],
    ['main reads the environment and ends the process', { 'src/main/a.ts': 'process.exit(process.env.A ? 1 : 0);' }],
    ['words in strings and comments', { 'src/wal/a.ts': `// Date.now()\nconst a = 'process.exit(1)';` }],
    [
      'tests use fakes, clocks and development packages',
      {
        'src/repository/a.test.ts': `import '../storage/testing/memory.ts'; import 'yaml'; Date.now(); process.env.X;`,
      },
    ],
    [
      'a circle of types',
      { 'src/base/a.ts': `import type { B } from './b.ts';`, 'src/base/b.ts': `import type { A } from './a.ts';` },
    ],
    [
      'a circle closed by import()',
      { 'src/cli/a.ts': `import './b.ts';`, 'src/cli/b.ts': `const a = () => import('./a.ts');` },
    ],
    ['400 lines', { 'src/base/a.ts': 'x;\n'.repeat(400) }],
  ];
  for (const [name, files] of cases) {
    test(name, () => assert.deepEqual(broken(files), []));
  }
});

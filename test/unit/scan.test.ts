import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scan } from '../../scripts/architecture/scan.ts';

const specifiers = (source: string) => scan(source).imports.map((found) => found.specifier);

test('every form of import and re-export is found', () => {
  const source = [
    `import './side-effect.ts';`,
    `import a from "./default.ts";`,
    `import * as b from './star.ts';`,
    `import { c, type D } from './names.ts';`,
    `import {\n  e,\n  f as g,\n} from './lines.ts';`,
    `import h, { i } from './both.ts';`,
    `export { j } from './re-export.ts';`,
    `export * from './all.ts';`,
    `export * as k from './named-all.ts';`,
    `const l = await import('./dynamic.ts');`,
  ].join('\n');
  assert.deepEqual(specifiers(source), [
    ...['./side-effect.ts', './default.ts', './star.ts', './names.ts', './lines.ts', './both.ts'],
    ...['./re-export.ts', './all.ts', './named-all.ts', './dynamic.ts'],
  ]);
});

test('types are told from values, and names are read as the module calls them', () => {
  const [types, values, exported] = scan(
    `import type { A } from './a.ts';\nimport { type B, c as d } from './b.ts';\nexport type { E } from './e.ts';`,
  ).imports;
  assert.deepEqual([types?.typeOnly, values?.typeOnly, exported?.typeOnly], [true, false, true]);
  assert.deepEqual(values?.names, ['B', 'c']);
  assert.equal(values?.line, 2);
});

test('imports in comments, strings and templates are not imports', () => {
  const source = [
    `// import './comment.ts'`,
    `/* import './block.ts' */`,
    'const a = "import \'./string.ts\'";',
    "const b = `import './template.ts' ${call({ x: 1 })} import './tail.ts'`;",
    `const c = /import '.\\/regexp.ts'/;`,
    `export const d = './not-a-module.ts';`,
  ].join('\n');
  assert.deepEqual(specifiers(source), []);
});

test('what is inside strings, templates, comments and regular expressions is blanked, code is kept', () => {
  const { code } = scan(
    'const a = `x ${ Date.now() } Date.now()`; // Date.now()\nconst b = /["\'`]/.test(c) ? 1 / 2 : "Date.now()";',
  );
  assert.equal(code.match(/Date\.now/g)?.length, 1);
  assert.match(code, /1 \/ 2/);
  assert.match(code, /\.test\(c\)/);
});

test('nested templates and escaped quotes do not lose the thread', () => {
  const source = 'const a = `${b(`${c({ d: "}" })}`)}\\``; const e = \'it\\\'s\'; import "./after.ts";';
  assert.deepEqual(specifiers(source), ['./after.ts']);
});

test('blanking keeps every line where it was', () => {
  const source = '/* a\n b */ const c = `d\n${e}\nf`;\n';
  assert.equal(scan(source).code.length, source.length);
  assert.equal(scan(source).code.split('\n').length, source.split('\n').length);
});

test('a file that ends in the middle of something is read to its end', () => {
  for (const source of ['/* open', "'open", '`open ${', '`open', '/open', "import './a.ts"]) {
    assert.equal(scan(source).code.length, source.length);
  }
});

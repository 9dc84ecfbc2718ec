/**
 * Builds the WebAssembly modules from their AssemblyScript sources.
 *
 *   node scripts/build-wasm.ts           writes every module beside the code that loads it
 *   node scripts/build-wasm.ts --check   builds in memory and compares; exit 1 when a committed module differs
 *
 * The compiler version is pinned in package-lock.json, so the bytes are the same on every machine.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Source → module, relative to the project's root. */
const MODULES = [
  { source: 'src/base/assembly/crc32c.ts', target: 'src/base/crc32c.wasm' },
  { source: 'src/repository/assembly/envelope.ts', target: 'src/repository/crypto/envelope.wasm' },
  { source: 'src/repository/assembly/sha256-lanes.ts', target: 'src/repository/crypto/sha256-lanes.wasm' },
  { source: 'src/repository/assembly/gear.ts', target: 'src/repository/chunker/gear.wasm' },
] as const;

/** No garbage collector, no imports: the modules are pure functions over their own memory. */
const FLAGS = [
  ...['--runtime', 'stub', '--use', 'abort='],
  ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge', '--noAssert'],
  ...['--enable', 'simd'],
];

async function compile(source: string): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main([source, '--baseDir', ROOT, '--outFile', 'module.wasm', ...FLAGS], {
    writeFile: (name, contents) => {
      if (name === 'module.wasm') binary = Buffer.from(contents);
    },
  });
  if (error || !binary) throw new Error(`${source} does not compile:\n${stderr.toString()}`, { cause: error });
  return binary;
}

/** Whether the committed module is what its source compiles to. */
async function check(source: string, target: string): Promise<boolean> {
  const built = await compile(source);
  const committed = await readFile(ROOT + target).catch(() => new Uint8Array());
  const same = Buffer.compare(built, committed) === 0;
  console.log(`${same ? 'same     ' : 'DIFFERENT'} ${target} (${built.length} bytes from ${source})`);
  return same;
}

async function write(source: string, target: string): Promise<void> {
  const built = await compile(source);
  await writeFile(ROOT + target, built);
  console.log(`wrote ${target} (${built.length} bytes)`);
}

const checking = process.argv.includes('--check');
for (const { source, target } of MODULES) {
  if (!checking) await write(source, target);
  else if (!(await check(source, target))) process.exitCode = 1;
}

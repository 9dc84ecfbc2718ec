/** How far a first backup is from what the machine can do: its disk, and one core of each step. */
import { hash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { systemClock } from '../../src/base/clock.ts';
import { Chunker } from '../../src/repository/chunker/chunker.ts';
import { ENVELOPE_OVERHEAD, Sealer } from '../../src/repository/crypto/envelope.ts';
import { generateMasterKey } from '../../src/repository/crypto/key-file.ts';
import { sha256All } from '../../src/repository/crypto/sha256-lanes.ts';
import { randomBytesOf } from '../data/random.ts';
import { contest, median } from '../harness/contest.ts';
import type { Bench, BenchContext } from '../harness/context.ts';
import { measure } from '../harness/measure.ts';
import type { Figure, Row } from '../harness/results.ts';
import { bytesBelow } from '../harness/workspace.ts';
import { holdfastTool } from '../programs/holdfast.ts';

const MIB = 1024 * 1024;
const BLOB = MIB;
const PASSES = 3;

/** Bytes per second of one core. */
interface Rates {
  readonly sha256: number;
  readonly sha256Lanes: number;
  readonly chunking: number;
  readonly zstd1: number;
  readonly zstd3: number;
  readonly sealing: number;
}

export const limits: Bench = {
  name: 'limits',
  title: 'Distance from the limits of the machine',
  async run(context) {
    const source = await context.directory();
    const plain = await bytesBelow(source);
    const compressible = plain - (await bytesBelow(join(source, 'photos')));
    const [row] = await firstBackups(context, source);
    const stored = row?.stored ?? 0;
    const disk = await diskRate(context, stored);
    const rates = await coreRates(join(source, 'pgdata', 'base'), context.quick);
    return {
      about:
        'The first backup of the first table, set beside what the disk takes (`dd` of as many bytes as were stored, `conv=fsync`) and what one ' +
        'core does of each step. The floor of a step is its work divided among all cores; no backup of this kind can be faster than the disk ' +
        'or than hashing every byte once as a blob and once more, compressed, as part of a pack.',
      rows: row ? [row] : [],
      figures: row ? figuresOf({ row, plain, compressible, stored }, disk, rates) : [],
    };
  },
};

function firstBackups(context: BenchContext, source: string): Promise<Row[]> {
  const turn = async (tool: Awaited<ReturnType<typeof holdfastTool>>) => {
    const vault = await tool.create(context, source);
    const sample = await vault.backup();
    const stored = await vault.stored();
    await context.workspace.remove(vault.directory);
    return { sample, stored };
  };
  return holdfastTool().then((tool) => contest(context, [tool], [{ what: 'first backup', turn }]));
}

/** Bytes per second that reach the disk, the median of three. */
async function diskRate({ workspace }: BenchContext, bytes: number): Promise<number> {
  const mebibytes = Math.max(1, Math.round(bytes / MIB));
  const rates: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    const file = workspace.place('dd');
    const args = ['if=/dev/zero', `of=${file}`, 'bs=1M', `count=${mebibytes}`, 'conv=fsync', 'status=none'];
    const { wall } = await measure({ program: 'dd', args }, workspace.path);
    rates.push((mebibytes * MIB) / wall);
    await workspace.remove(file);
  }
  return median(rates);
}

async function coreRates(relations: string, quick: boolean): Promise<Rates> {
  const size = (quick ? 16 : 128) * MIB;
  const random = blobsOf(randomBytesOf('limits', size));
  const pages = blobsOf(await relationBytes(relations, size));
  const chunker = new Chunker();
  const window = randomBytesOf('window', chunker.buffer.length);
  chunker.buffer.set(window);
  const sealer = new Sealer(generateMasterKey());
  const target = new Uint8Array(BLOB + ENVELOPE_OVERHEAD);
  const zstd = (level: number) => (blob: Uint8Array) =>
    zstdCompressSync(blob, { params: { [constants.ZSTD_c_compressionLevel]: level } });
  return {
    sha256: rate(random, (blob) => hash('sha256', blob, 'buffer')),
    sha256Lanes: rate(inFours(random), (blobs) => sha256All(blobs)),
    chunking: rate([window], () => cutWhole(chunker, window.length)),
    zstd1: rate(pages, zstd(1)),
    zstd3: rate(pages, zstd(3)),
    sealing: rate(random, (blob) => sealer.sealInto(blob, target, 0)),
  };
}

function cutWhole(chunker: Chunker, end: number): void {
  for (let at = 0; at < end; ) at = chunker.cut(at, end, true);
}

/** Bytes per second of `work` over all `inputs`: the fastest of three passes. */
function rate<T extends Uint8Array | readonly Uint8Array[]>(inputs: readonly T[], work: (input: T) => unknown): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < PASSES; pass++) {
    const begun = systemClock.monotonic();
    for (const input of inputs) work(input);
    fastest = Math.min(fastest, systemClock.monotonic() - begun);
  }
  return (inputs.flat().reduce((sum, blob) => sum + (blob as Uint8Array).length, 0) / fastest) * 1000;
}

function blobsOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / BLOB) }, (_, i) => bytes.subarray(i * BLOB, (i + 1) * BLOB));
}

function inFours(blobs: readonly Uint8Array[]): Uint8Array[][] {
  return Array.from({ length: Math.floor(blobs.length / 4) }, (_, i) => blobs.slice(i * 4, i * 4 + 4));
}

/** Bytes of the largest relation files. */
async function relationBytes(directory: string, wanted: number): Promise<Buffer> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sized = await Promise.all(files.map(async (path) => ({ path, size: (await stat(path)).size })));
  sized.sort((a, b) => b.size - a.size);
  const parts: Buffer[] = [];
  for (let left = wanted, i = 0; left > 0 && i < sized.length; i++) {
    parts.push((await readFile((sized[i] as { path: string }).path)).subarray(0, left));
    left -= (parts.at(-1) as Buffer).length;
  }
  return Buffer.concat(parts);
}

interface Work {
  readonly row: Row;
  /** Bytes of the source, of what compresses in it, and of the repository. */
  readonly plain: number;
  readonly compressible: number;
  readonly stored: number;
}

function figuresOf({ row, plain, compressible, stored }: Work, disk: number, rates: Rates): Figure[] {
  const cores = availableParallelism();
  const floor = (what: string, seconds: number) => ({
    what,
    value: `${seconds.toFixed(2)} s, ${((seconds / row.wall) * 100).toFixed(0)} % of the backup's time`,
  });
  const hashing = plain / rates.sha256Lanes + stored / rates.sha256;
  const others = plain / rates.chunking + compressible / rates.zstd1 + stored / rates.sealing;
  const perCore = [
    ['SHA-256, one blob at a time (`crypto.hash`)', rates.sha256],
    ['SHA-256, four blobs at a time', rates.sha256Lanes],
    ['chunking', rates.chunking],
    ['zstd level 1, relation files', rates.zstd1],
    ['zstd level 3, relation files', rates.zstd3],
    ['sealing (AES-CTR and Poly1305)', rates.sealing],
  ] as const;
  return [
    { what: 'rate of the backup', value: `${perSecond(plain / row.wall)} of source` },
    { what: 'disk, writing with `fsync`', value: perSecond(disk) },
    floor('floor: writing what is stored', stored / disk),
    floor(`floor: SHA-256 on ${cores} cores`, hashing / cores),
    floor(`floor: hashing, chunking, compressing and sealing on ${cores} cores`, (hashing + others) / cores),
    floor(`processor time used, on ${cores} cores`, row.cpu / cores),
    ...perCore.map(([what, rate]) => ({ what: `one core: ${what}`, value: perSecond(rate) })),
  ];
}

function perSecond(rate: number): string {
  return `${(rate / MIB).toFixed(0)} MiB/s`;
}

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { crc32, inflateSync } from 'node:zlib';
import { SMALL_CLINIC } from '../../demo/clinic.ts';
import { type ClinicFile, generateFiles } from '../../demo/files.ts';
import { differingFiles, proveFiles } from '../../demo/proof.ts';
import { need } from '../support/needs.ts';
import { runOk } from '../support/run.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const clinic = { ...SMALL_CLINIC, megabytes: 3 };
const pdftotext = await need('pdftotext');

describe("the clinic's files", () => {
  let dir: TempDir;
  let files: ClinicFile[];
  before(async () => {
    dir = await tempDir();
    files = await generateFiles(dir.path, clinic);
  });
  after(() => dir.remove());

  const ofKind = (kind: ClinicFile['kind']) => files.filter((file) => file.kind === kind);

  test('there are photographs, reports and signatures, together about as large as asked for', () => {
    for (const kind of ['photo', 'report', 'signature'] as const) assert.ok(ofKind(kind).length > 1, kind);
    const bytes = files.reduce((total, file) => total + file.bytes, 0);
    assert.ok(Math.abs(bytes / 2 ** 20 - clinic.megabytes) < clinic.megabytes / 4, `${bytes} bytes`);
  });

  test('what is said about each file is what is on disk, and no two files are the same', async () => {
    const proof = await proveFiles(dir.path);
    assert.deepEqual(proof.sha256, new Map(files.map((file) => [file.path, file.sha256] as const).sort(byPath)));
    assert.equal(
      proof.bytes,
      files.reduce((total, file) => total + file.bytes, 0),
    );
    assert.equal(new Set(proof.sha256.values()).size, files.length);
  });

  test('the same seed makes the same files, another seed makes others', async () => {
    await using again = await tempDir();
    await using other = await tempDir();
    assert.deepEqual(await generateFiles(again.path, clinic), files);
    const different = await generateFiles(other.path, { ...clinic, seed: clinic.seed + 1 });
    assert.ok(different.every((file, index) => file.sha256 !== files[index]?.sha256));
  });

  test('every picture is a PNG whose chunks are sound and whose pixels are all there', async () => {
    for (const { path } of [...ofKind('photo'), ...ofKind('signature')]) {
      const { width, height, pixels } = readPng(await readFile(dir.join(path)));
      assert.equal(pixels.length, (width * 3 + 1) * height, path);
    }
  });

  test('every report is a PDF whose cross-reference table points at its objects and whose streams are as long as they say', async () => {
    for (const { path } of ofKind('report')) checkPdf(await readFile(dir.join(path)), path);
  });

  test('a PDF reader finds the text of a report', { skip: pdftotext.skip }, async () => {
    const report = ofKind('report')[0]!;
    const { stdout, stderr } = await runOk('pdftotext', [dir.join(report.path), '-']);
    assert.match(stdout, new RegExp(`Dermatology report[^]*${report.number}`));
    assert.equal(stderr, '');
  });

  test('differing, missing and added files are told', async () => {
    const proof = await proveFiles(dir.path);
    const changed = new Map(proof.sha256);
    const [first, second] = changed.keys();
    changed.set(first!, '00').delete(second!);
    changed.set('new', '11');
    assert.deepEqual(differingFiles(proof, { ...proof, sha256: changed }), [first, second, 'new']);
  });
});

function byPath([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1;
}

/** Reads a PNG of one IDAT chunk the way its specification says, and checks every chunk's sum on the way. */
function readPng(file: Buffer): { width: number; height: number; pixels: Buffer } {
  assert.equal(file.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const typed = file.subarray(at + 4, at + 8 + length);
    assert.equal(file.readUInt32BE(at + 8 + length), crc32(typed));
    chunks.set(typed.subarray(0, 4).toString('latin1'), typed.subarray(4));
    at += 12 + length;
  }
  assert.deepEqual([...chunks.keys()], ['IHDR', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR')!;
  return { width: header.readUInt32BE(0), height: header.readUInt32BE(4), pixels: inflateSync(chunks.get('IDAT')!) };
}

function checkPdf(file: Buffer, path: string): void {
  const text = file.toString('latin1');
  const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)?.[1]);
  const [, count] = /^xref\n0 (\d+)\n/.exec(text.slice(start)) ?? [];
  const entries = [...text.slice(start).matchAll(/^(\d{10}) 00000 n $/gm)];
  assert.equal(entries.length, Number(count) - 1, path);
  for (const [index, [, offset]] of entries.entries()) {
    assert.ok(text.startsWith(`${index + 1} 0 obj\n`, Number(offset)), `${path}: object ${index + 1}`);
  }
  for (const match of text.matchAll(/\/Length (\d+) >>\nstream\n/g)) {
    const end = match.index + match[0].length + Number(match[1]);
    assert.ok(text.startsWith('\nendstream\nendobj', end), `${path}: stream length`);
  }
}

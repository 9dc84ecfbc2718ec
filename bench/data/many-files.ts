/** Very many small files: a thousand in a directory, 200 to 4,200 bytes of text each, all different. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { numbers, textOf } from './random.ts';

const PER_DIRECTORY = 1000;
const TEXT = 1024 * 1024;

/** Fills the new directory `path`; returns one of its files, relative to it. */
export function makeManyFiles(path: string, count: number): string {
  const text = textOf(3, TEXT);
  const next = numbers(3);
  mkdirSync(path);
  for (let number = 0; number < count; number++) {
    const directory = join(path, directoryOf(number));
    if (number % PER_DIRECTORY === 0) mkdirSync(directory);
    const size = 200 + Math.floor(next() * 4000);
    const at = Math.floor(next() * (TEXT - size));
    writeFileSync(join(directory, `${number}.txt`), `${number}\n${text.toString('latin1', at, at + size)}`);
  }
  const middle = count >> 1;
  return join(directoryOf(middle), `${middle}.txt`);
}

function directoryOf(number: number): string {
  return String(Math.floor(number / PER_DIRECTORY)).padStart(4, '0');
}

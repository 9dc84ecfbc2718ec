/**
 * Writes `docs/guide/commands.md`, the page of commands and options, from what the commands say of themselves. A test of the documentation
 * fails when the page is out of date. `--check` prints nothing and ends with 1 in that case.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { registry } from '../src/cli/registry.ts';
import { commandPage } from './documentation/command-page.ts';

const PAGE = fileURLToPath(new URL('../docs/guide/commands.md', import.meta.url));

const page = await commandPage(registry);
if (process.argv.includes('--check')) process.exitCode = (await readFile(PAGE, 'utf8')) === page ? 0 : 1;
else await writeFile(PAGE, page);

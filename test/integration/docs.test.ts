/**
 * The documentation does what it says: its examples are run, word for word, against a real PostgreSQL and real directories; its
 * configurations are valid; its commands and options exist, and every command is in it.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { commandPage } from '../../scripts/documentation/command-page.ts';
import { flagName, GLOBAL_OPTIONS } from '../../src/cli/global-flags.ts';
import { findCommand } from '../../src/cli/registration.ts';
import { registry } from '../../src/cli/registry.ts';
import { loadConfiguration } from '../../src/config/configuration.ts';
import { type Block, blocksOf, mentionsIn, pages, readPage } from '../support/docs.ts';
import { DocsWorld, examplesSkip } from '../support/docs-world.ts';
import { tempDir } from '../support/temp.ts';

const skip = await examplesSkip();

describe('the README', { skip }, () => {
  test('its quick start works word for word', async () => {
    await using world = await DocsWorld.make();
    await world.follow('README.md');
  });
});

test('every example of a whole configuration is valid', async () => {
  await using directory = await tempDir();
  let count = 0;
  for (const block of pages().flatMap(blocksOf)) {
    if (block.language !== 'yaml' || !/^version: 1$/m.test(block.text)) continue;
    const file = directory.join(`${count++}.yaml`);
    await writeFile(file, block.text, { mode: 0o600 });
    await assert.doesNotReject(loadConfiguration({ path: file, env: {}, cwd: directory.path }), where(block));
  }
  assert.ok(count > 4);
});

test('every part of a configuration is valid in its place', async () => {
  await using directory = await tempDir();
  let count = 0;
  for (const block of pages().flatMap(blocksOf)) {
    if (block.language !== 'yaml' || !block.text.startsWith('storages:')) continue;
    const file = directory.join(`${count++}.yaml`);
    await writeFile(file, `version: 1\nrepository: { password: { env: X } }\n${block.text}`, { mode: 0o600 });
    await assert.doesNotReject(loadConfiguration({ path: file, env: {}, cwd: directory.path }), where(block));
  }
  assert.ok(count > 2);
});

test('every command that is mentioned exists, with the options given to it', async () => {
  const wrong: string[] = [];
  for (const { page, line, words } of pages().flatMap(mentionsIn)) {
    const names = words.filter((word) => !word.startsWith('-')).filter(skipValues(words));
    if (!/^[a-z]/.test(names[0] ?? '')) continue;
    const found = findCommand(names, registry);
    if (found.kind === 'unknown') wrong.push(`${page}:${line} there is no command "${names.join(' ')}"`);
    if (found.kind !== 'command') continue;
    const { default: command } = await found.registration.load();
    const known = new Set(
      Object.entries({ ...GLOBAL_OPTIONS, ...command.options }).flatMap(([key, { short }]) => [
        flagName(key),
        ...(short === undefined ? [] : [`-${short}`]),
      ]),
    );
    for (const word of words) {
      const flag = /^(--?[a-z][a-z-]*)/.exec(word)?.[1];
      if (flag !== undefined && !known.has(flag))
        wrong.push(`${page}:${line} ${found.registration.name} has no ${flag}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('the page of commands is what the commands say (scripts/command-reference.ts writes it)', async () => {
  assert.equal(readPage('docs/guide/commands.md'), await commandPage(registry));
});

test('the page of commands is not the only one that explains a command', () => {
  const texts = pages().filter((page) => page.startsWith('docs/guide/') && !page.endsWith('commands.md'));
  const prose = texts.map(readPage).join('\n');
  const missing = registry.filter(({ name }) => !new RegExp(`holdfast ${name}\\b|\`${name}\\b`).test(prose));
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  );
});

/** Words that are the value of `--config` or `--app`, not the name of a command. */
function skipValues(words: readonly string[]): (word: string) => boolean {
  const values = new Set(words.filter((_, at) => ['--config', '--app'].includes(words[at - 1] ?? '')));
  return (word) => !values.has(word);
}

function where({ page, line }: Block): string {
  return `${page}:${line}`;
}

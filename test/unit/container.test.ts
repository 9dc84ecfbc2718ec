import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { holdfastOk } from '../support/holdfast.ts';
import { tempDir } from '../support/temp.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

interface Compose {
  readonly services: Record<
    string,
    {
      readonly image: string;
      readonly command?: readonly string[];
      readonly secrets?: readonly string[];
      readonly configs?: readonly { readonly source: string }[];
      readonly volumes?: readonly string[];
      readonly depends_on?: Record<string, unknown>;
    }
  >;
  readonly configs: Record<string, { readonly content: string }>;
  readonly secrets: Record<string, { readonly file: string }>;
  readonly volumes: Record<string, null>;
}

const compose = parse(read('compose.yaml')) as Compose;

test('everything that a service of compose.yaml names is declared, and everything declared is used', () => {
  const services = Object.values(compose.services);
  const used = {
    secrets: services.flatMap((service) => service.secrets ?? []),
    configs: services.flatMap((service) => service.configs?.map(({ source }) => source) ?? []),
    volumes: services.flatMap((service) => service.volumes?.map((volume) => volume.split(':')[0]!) ?? []),
  };
  for (const kind of ['secrets', 'configs', 'volumes'] as const) {
    assert.deepEqual([...new Set(used[kind])].sort(), Object.keys(compose[kind]).sort(), kind);
  }
  for (const service of services) {
    for (const name of Object.keys(service.depends_on ?? {})) assert.ok(name in compose.services, name);
  }
});

test('the configuration in compose.yaml is one that Holdfast accepts', async () => {
  await using dir = await tempDir();
  await mkdir(dir.join('secrets'));
  const secrets = {
    'repository-password': 'a password',
    'database-url': 'postgres://postgres:x@database/postgres',
    's3-secret': 'x',
  };
  for (const [name, value] of Object.entries(secrets)) {
    await writeFile(dir.join('secrets', name), value);
    await chmod(dir.join('secrets', name), 0o600);
  }
  const config = dir.join('holdfast.yaml');
  await writeFile(config, compose.configs.holdfast!.content.replaceAll('/run/secrets/', `${dir.path}/secrets/`));
  await holdfastOk(['config', 'validate', '--config', config]);
});

test('what the Dockerfile copies is there and reaches the build, and the image does not run as root', () => {
  const instructions = read('Dockerfile').replaceAll('\\\n', ' ').split('\n');
  const copied = instructions
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
  const sent = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  assert.ok(copied.length > 0);
  for (const path of copied) {
    assert.ok(existsSync(`${root}${path}`), `${path} is not there`);
    assert.ok(
      sent.some((start) => path === start || path.startsWith(`${start}/`)),
      `.dockerignore keeps ${path} out`,
    );
  }
  const users = instructions.filter((line) => line.startsWith('USER '));
  assert.equal(users.at(-1), 'USER node');
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { holdfastOk } from '../support/holdfast.ts';
import { isInstalled } from '../support/needs.ts';
import { run } from '../support/run.ts';
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
      readonly depends_on?: Record<string, { readonly condition: string }>;
      readonly healthcheck?: { readonly test: readonly string[] };
      readonly ports?: readonly string[];
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
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      assert.ok(name in compose.services, name);
      if (condition === 'service_healthy')
        assert.ok(compose.services[name]?.healthcheck, `${name} says whether it is well`);
    }
  }
});

test('compose.yaml runs a command that there is, asks it where it listens, and its health check tells well from not', async () => {
  const { command, healthcheck, ports } = compose.services.holdfast!;
  await holdfastOk([...command!, '--help']);
  const { server } = parse(compose.configs.holdfast!.content) as { server: { listen: string } };
  const inside = server.listen.split(':')[1];
  assert.equal(ports?.[0]?.split(':').at(-1), inside);
  const [how, program, ...words] = healthcheck!.test;
  assert.deepEqual([how, program], ['CMD', 'node']);
  let status = 200;
  const asked: (string | undefined)[] = [];
  const service = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const { port } = service.address() as AddressInfo;
  const here = words.map((word) => word.replace(`127.0.0.1:${inside}`, `127.0.0.1:${port}`));
  const check = async () => (await run(process.execPath, here)).code;
  assert.equal(await check(), 0);
  status = 503;
  assert.equal(await check(), 1);
  service.close();
  await once(service, 'close');
  assert.equal(await check(), 1);
  assert.deepEqual(asked, ['/readyz', '/readyz']);
});

test('the unit for systemd is the one of the guide; what the service writes there lies where it may write', async (t) => {
  const unit = read('docs/systemd/holdfast.service');
  const guide = read('docs/guide/leave-it-running.md');
  assert.ok(guide.includes(`\`\`\`ini\n${unit}\`\`\``));
  const of = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
  const [, ...command] = of('ExecStart').split(' ');
  await holdfastOk([...command, '--help']);
  const example = /```yaml file=(\S+)\n([\s\S]*?)```/.exec(guide);
  assert.ok(of('Environment').endsWith(`=${example?.[1]}`));
  const { catalog, storages } = parse(example?.[2] ?? '') as {
    catalog: { path: string };
    storages: Record<string, { path: string }>;
  };
  assert.ok(catalog.path.startsWith(`/var/lib/${of('StateDirectory')}/`));
  for (const { path } of Object.values(storages)) assert.doesNotMatch(path, /^\/(usr|boot|etc)\//);
  await t.test(
    'systemd understands it',
    { skip: !isInstalled('systemd-analyze') && 'there is no systemd' },
    async () => {
      await using dir = await tempDir();
      const file = dir.join('holdfast.service');
      await writeFile(file, unit.replace(of('ExecStart'), process.execPath));
      const { code, stdout, stderr } = await run('systemd-analyze', ['verify', file]);
      assert.equal(code, 0, stdout + stderr);
    },
  );
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

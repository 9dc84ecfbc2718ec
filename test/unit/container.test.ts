/** What a container engine would be given, checked without one: the files, the commands in them, and every step that needs none. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import * as z from 'zod';
import { init, localStore } from '../support/care.ts';
import { holdfastOk, writeConfig } from '../support/holdfast.ts';
import { isInstalled } from '../support/needs.ts';
import { type RunOptions, run, runOk } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

const duration = z.string().regex(/^(\d+(h|m|s|ms|us))+$/);
const texts = z.array(z.string());
/** As much of the Compose specification as the file uses: what is not in here is misspelt, or must be added. */
const Compose = z.strictObject({
  services: z.record(
    z.string(),
    z.strictObject({
      image: z.string(),
      build: z.string().optional(),
      command: texts.optional(),
      environment: z.record(z.string(), z.string()).optional(),
      env_file: texts.optional(),
      secrets: texts.optional(),
      configs: z.array(z.strictObject({ source: z.string(), target: z.string() })).optional(),
      volumes: z.array(z.string().regex(/^[\w./-]+:\/[\w./-]+(:ro)?$/)).optional(),
      depends_on: z.record(z.string(), z.strictObject({ condition: z.string() })).optional(),
      healthcheck: z
        .strictObject({
          test: texts,
          interval: duration,
          retries: z.int().optional(),
          start_period: duration.optional(),
        })
        .optional(),
      ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/)).optional(),
      restart: z.enum(['unless-stopped', 'always']).optional(),
      stop_grace_period: duration.optional(),
    }),
  ),
  configs: z.record(z.string(), z.strictObject({ content: z.string() })),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
  volumes: z.record(z.string(), z.null()),
});

const compose = Compose.parse(parse(read('compose.yaml')));

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

test('the commands at the top of compose.yaml make every file that its services are given', async () => {
  await using dir = await tempDir();
  const commands = [...read('compose.yaml').matchAll(/^# {3}((?:mkdir|for|printf) .*)$/gm)].map(([, line]) => line!);
  assert.equal(commands.length, 4);
  for (const command of commands) await runOk('sh', ['-ec', command], { cwd: dir.path });
  const services = Object.values(compose.services);
  const files = [
    ...Object.values(compose.secrets).map(({ file }) => file),
    ...services.flatMap(({ env_file: files = [] }) => files),
  ];
  for (const file of files) assert.ok(existsSync(dir.join(file)), file);
});

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** The instructions of the Dockerfile, by stage, without the one that begins it. */
function stagesOf(dockerfile: string): Instruction[][] {
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n');
  const stages: Instruction[][] = [];
  for (const line of lines.filter((each) => each.trim() !== '')) {
    const [, word, rest] = /^([A-Z]+) +(.*)$/.exec(line.replaceAll(/ +/g, ' ')) ?? assert.fail(line);
    if (word === 'FROM') stages.push([]);
    else stages.at(-1)!.push({ word: word!, rest: rest! });
  }
  return stages;
}

test('carried out step by step, the Dockerfile leads to a program that makes a backup and gives it back', async () => {
  await using dir = await tempDir();
  const [build, image] = stagesOf(read('Dockerfile'));
  const work = dir.join('build');
  await mkdir(work);
  const prepare = () => runOk(process.execPath, [join(work, 'scripts/prepare.mjs')]);
  const steps: Readonly<Record<string, () => Promise<unknown>>> = {
    'npm ci': async () => {
      await symlink(`${root}node_modules`, join(work, 'node_modules'));
      await prepare(); // as npm does
    },
    // what is left out afterwards is missing below altogether
    'npm run build && npm prune --omit=dev': prepare,
  };
  for (const { word, rest } of build!) {
    if (word === 'COPY') await copy(rest, root, work);
    else if (word === 'RUN') await (steps[rest] ?? assert.fail(`This test does not know "${rest}".`))();
    else assert.equal(word, 'WORKDIR');
  }

  const home = dir.join('opt/holdfast');
  await mkdir(home, { recursive: true });
  for (const { word, rest } of image!) {
    if (word !== 'COPY' || rest.includes('node_modules')) continue;
    const [, from] = /^--from=build (.*)$/.exec(rest) ?? [];
    await copy((from ?? rest).replace('/build/', ''), from === undefined ? root : work, home);
  }
  const shown = image!.map(({ word, rest }) => `${word} ${rest}`);
  assert.ok(shown.some((line) => line.startsWith('RUN ln -s /opt/holdfast/bin/holdfast /usr/local/bin/holdfast && ')));
  assert.deepEqual(shown.slice(-2), ['ENTRYPOINT ["holdfast"]', 'CMD ["--help"]']);
  const program = dir.join('holdfast');
  await symlink(join(home, 'bin/holdfast'), program);

  await init([localStore(dir, 'a')]);
  const config = await writeConfig(dir.path, {
    repository: { password: 'correct horse battery staple' },
    storages: { a: { type: 'local', path: dir.join('a') } },
    apps: { app: { sources: { media: { type: 'files', path: join(home, 'bin') } } } },
  });
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOLDFAST_CONFIG: config, HOME: undefined };
  const holdfast = (...words: string[]) => runOk(program, words, { env } satisfies RunOptions);
  assert.match((await holdfast('--help')).stdout, /Usage/i);
  await holdfast('backup');
  await holdfast('restore', 'latest', '--to', dir.join('restored'));
  assert.deepEqual(readFileSync(dir.join('restored/media/holdfast')), readFileSync(join(home, 'bin/holdfast')));
});

/** `words`: of a COPY that names files below `from`, and a place below `to`. What .dockerignore keeps out is left out. */
async function copy(words: string, from: string, to: string): Promise<void> {
  const paths = words.split(' ');
  const place = paths.pop()!;
  for (const path of paths)
    await cp(join(from, path), place.endsWith('/') ? join(to, place, path) : join(to, place), {
      recursive: true,
      filter: (source) => !source.endsWith('.test.ts'),
    });
}

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

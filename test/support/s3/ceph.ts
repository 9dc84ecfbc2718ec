/**
 * A real S3 service for tests: one-node Ceph (monitor, object store in memory, S3 gateway) on 127.0.0.1 with ports of its own.
 *
 * Up in about twelve seconds. Does buckets, versions, object lock, multipart and conditional creation. The
 * daemons are children of this process and die with it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../../src/postgres/free-port.ts';

const run = promisify(execFile);

export interface CephAccount {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Ceph {
  readonly endpoint: string;
  stop(): Promise<void>;
}

interface Layout {
  readonly directory: string;
  readonly configuration: string;
  readonly gatewayPort: number;
  readonly monitorPort: number;
}

/** Data kept in memory is bounded; a full store answers as a full disk does. */
const MEMORY_BYTES = 2 * 1024 ** 3;
/** Buckets answer below this name too: see `byName` in start.ts. */
export const HOST_NAME = 'localhost';
const READY_WITHIN_MS = 5 * 60_000;
/** Runs a program that the kernel ends together with its parent. */
const END_WITH_US = { program: 'setpriv', args: ['--pdeathsig', 'KILL'] };

/** Starts the service in an empty directory. The account may create buckets. */
export async function startCeph(directory: string, account: CephAccount): Promise<Ceph> {
  const layout = await plan(directory);
  const daemons: ChildProcess[] = [];
  try {
    await prepare(layout);
    daemons.push(daemon(layout, 'ceph-mon', ['-i', 'a']));
    await prepareStore(layout);
    daemons.push(daemon(layout, 'ceph-osd', ['-i', '0']));
    daemons.push(daemon(layout, 'radosgw', ['-n', 'client.rgw.a']));
    const endpoint = `http://127.0.0.1:${layout.gatewayPort}`;
    await answers(endpoint, daemons);
    await createUser(layout, account);
    return { endpoint, stop: () => stopAll(daemons) };
  } catch (error) {
    await stopAll(daemons);
    throw error;
  }
}

async function plan(directory: string): Promise<Layout> {
  const [gatewayPort, monitorPort] = await Promise.all([freePort(), freePort()]);
  return { directory, configuration: join(directory, 'ceph.conf'), gatewayPort, monitorPort };
}

async function prepare(layout: Layout): Promise<void> {
  const { directory, configuration, monitorPort } = layout;
  for (const name of ['mon', 'osd', 'run', 'log']) await mkdir(join(directory, name), { recursive: true });
  const id = randomUUID();
  await writeFile(configuration, configurationText(layout, id));
  const keyring = join(directory, 'keyring');
  const allowAll = ['--cap', 'mon', 'allow *', '--cap', 'osd', 'allow *'];
  await run('ceph-authtool', ['--create-keyring', keyring, '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *']);
  await run('ceph-authtool', [keyring, '--gen-key', '-n', 'client.admin', ...allowAll, '--cap', 'mgr', 'allow *']);
  await run('ceph-authtool', [keyring, '--gen-key', '-n', 'osd.0', ...allowAll]);
  await run('ceph-authtool', [keyring, '--gen-key', '-n', 'client.rgw.a', ...allowAll]);
  const map = join(directory, 'monmap');
  await run('monmaptool', ['--create', '--addv', 'a', `[v2:127.0.0.1:${monitorPort}]`, '--fsid', id, map]);
  const fresh = ['--mkfs', '-i', 'a', '--monmap', map, '--keyring', keyring];
  await run('ceph-mon', ['-c', configuration, ...fresh]);
}

async function prepareStore({ configuration }: Layout): Promise<void> {
  const id = randomUUID();
  await run('ceph', ['-c', configuration, '--connect-timeout', '300', 'osd', 'create', id]);
  await run('ceph-osd', ['-c', configuration, '-i', '0', '--osd-uuid', id, '--mkfs']);
}

function configurationText({ directory, monitorPort, gatewayPort }: Layout, id: string): string {
  return `[global]
fsid = ${id}
mon host = v2:127.0.0.1:${monitorPort}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.1/32
cluster network = 127.0.0.1/32
ms bind ipv6 = false
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = ${MEMORY_BYTES}
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
mon max pg per osd = 1000
run dir = ${directory}/run
admin socket = ${directory}/run/$name.asok
pid file = ${directory}/run/$name.pid
log file = ${directory}/log/$name.log
keyring = ${directory}/keyring
mon data = ${directory}/mon
osd data = ${directory}/osd
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:${gatewayPort}
rgw dns name = ${HOST_NAME}
keyring = ${directory}/keyring
`;
}

/** Runs a daemon in the foreground; the kernel ends it should this process be killed. */
function daemon({ configuration }: Layout, program: string, args: string[]): ChildProcess {
  const command = [program, '-f', '-c', configuration, ...args];
  const child = spawn(END_WITH_US.program, [...END_WITH_US.args, ...command], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  return child;
}

async function answers(endpoint: string, daemons: readonly ChildProcess[]): Promise<void> {
  const giveUp = AbortSignal.timeout(READY_WITHIN_MS);
  while (!(await fetch(endpoint).then(isOk, () => false))) {
    const dead = daemons.find(isOver);
    if (dead) throw new Error(`${dead.spawnargs.join(' ')} ended while the S3 service was starting`);
    await sleep(100, undefined, { signal: giveUp });
  }
}

async function isOk(response: Response): Promise<boolean> {
  await response.arrayBuffer();
  return response.ok;
}

async function createUser({ configuration }: Layout, account: CephAccount): Promise<void> {
  const keys = ['--access-key', account.accessKeyId, '--secret-key', account.secretAccessKey];
  const user = ['--uid=test', '--display-name=test', '--max-buckets=100000'];
  await run('radosgw-admin', ['-c', configuration, 'user', 'create', ...user, ...keys]);
}

/** The store holds nothing worth an orderly end. */
async function stopAll(daemons: readonly ChildProcess[]): Promise<void> {
  const running = daemons.filter((child) => child.pid !== undefined && !isOver(child));
  await Promise.all(
    running.map((child) => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      return ended;
    }),
  );
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * Command lines run one after the other in one process beside the test: the same shell, commands, configuration and output, without the
 * third to half a second of processor time that the program needs each time it starts. For tests of what commands do that run many of them.
 * Whatever is about the process (signals, kills, its environment, its standard streams, what was built) starts the program: `holdfast()`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CommandAsked, CommandEnded } from './command-host.ts';
import { type HoldfastResult, resultOf } from './holdfast.ts';
import type { RunOptions } from './run.ts';

const HOST = fileURLToPath(new URL('./command-host.ts', import.meta.url));

interface Host {
  readonly child: ChildProcess;
  readonly waiting: Map<number, PromiseWithResolvers<CommandEnded>>;
}

/** By account: one process for all commands of a test file. */
const hosts = new Map<number | undefined, Host>();
let asked = 0;

/** Runs `holdfast args…` to its end, as `holdfast()` does. */
export async function holdfastHere(
  args: readonly string[],
  { cwd = process.cwd(), env, uid, gid }: Pick<RunOptions, 'cwd' | 'env' | 'uid' | 'gid'> = {},
): Promise<HoldfastResult> {
  const host = hosts.get(uid) ?? start(uid, gid);
  const id = ++asked;
  const ended = Promise.withResolvers<CommandEnded>();
  host.waiting.set(id, ended);
  keepAlive(host);
  const environment = JSON.parse(JSON.stringify({ ...process.env, NO_COLOR: '1', ...env })) as Record<string, string>;
  host.child.send({ id, argv: args, env: environment, cwd } satisfies CommandAsked);
  const { code, stdout, stderr } = await ended.promise.finally(() => {
    host.waiting.delete(id);
    keepAlive(host);
  });
  return resultOf({ code, stdout, stderr, signal: null, timedOut: false });
}

function start(uid: number | undefined, gid: number | undefined): Host {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', HOST], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...(uid === undefined ? {} : { uid, gid: gid ?? uid }),
  });
  const host: Host = { child, waiting: new Map() };
  child.on('message', (message: CommandEnded) => host.waiting.get(message.id)?.resolve(message));
  child.once('exit', (code, signal) => {
    hosts.delete(uid);
    const error = new Error(`the process that runs commands ended with ${code ?? signal}`);
    for (const { reject } of host.waiting.values()) reject(error);
  });
  hosts.set(uid, host);
  return host;
}

/** The test's process waits for a command that runs, and does not wait for one that nobody asks for. */
function keepAlive({ child, waiting }: Host): void {
  const way = waiting.size > 0 ? 'ref' : 'unref';
  child[way]();
  child.channel?.[way]();
}

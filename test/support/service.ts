/** A real `holdfast serve` as a child process, and requests to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOLDFAST } from './holdfast.ts';

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface Run {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly trigger: string;
  readonly reason: string | null;
  readonly attempt: number;
  readonly outcome: Readonly<Record<string, unknown>> | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface Service extends AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it printed so far, both channels. */
  output(): string;
  call<T = Record<string, unknown>>(method: string, path: string, body?: object): Promise<Answer<T>>;
  /** Asks for a run and waits until it has ended. */
  run(kind: string, app: string, params?: object): Promise<Run>;
  /** Asks to stop; its exit status. */
  stop(): Promise<number | null>;
}

/** `token`: what requests carry. The configuration must say that it listens on `port`. */
export async function startService(
  configFile: string,
  { port, token, words = [] }: { readonly port: number; readonly token: string; readonly words?: readonly string[] },
): Promise<Service> {
  const child = spawn(HOLDFAST, ['--config', configFile, 'serve', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  const url = `http://127.0.0.1:${port}`;
  await ready(child, url, () => output);
  const call = async <T>(method: string, path: string, body?: object): Promise<Answer<T>> => {
    const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: (text === '' ? null : JSON.parse(text)) as T };
  };
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill('SIGTERM');
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  };
  return {
    ...{ url, child, call, stop, output: () => output },
    run: async (kind, app, params = {}) => {
      const asked = await call<{ run: Run }>('POST', '/runs', { kind, app, params });
      if (asked.status !== 202) throw new Error(`${asked.status} ${JSON.stringify(asked.body)}`);
      return waitForRun(call, asked.body.run.id);
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

export async function waitForRun(call: Service['call'], id: string): Promise<Run> {
  for (;;) {
    const { status, body } = await call<Run>('GET', `/runs/${id}`);
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    if (!['waiting', 'queued', 'running'].includes(body.state)) return body;
    await sleep(150);
  }
}

async function ready(child: ChildProcess, url: string, output: () => string): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}\n${output()}`);
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
  throw new Error(`serve is not ready\n${output()}`);
}

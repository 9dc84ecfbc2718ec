/** What the manifest of a restore point says about the machine, the program and the application that it was made of. */
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { askProgram, firstLine } from './facts/ask-program.ts';
import { type GitFacts, readGitCheckout } from './facts/git-checkout.ts';
import { readSmallText } from './facts/read-small.ts';

export type { GitFacts };

export interface FactsRequest {
  /** A directory in a Git checkout of the application. */
  readonly git?: string;
  /** The application's version: a text, or a command that prints it. */
  readonly application?: string | readonly string[];
  /** Versions of what the application runs on, by name: commands that print them, such as `{ python: ['python3', '--version'] }`. */
  readonly runtimes?: Readonly<Record<string, readonly string[]>>;
  /** Deadline of each command, in milliseconds. Default: 10,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface MachineFacts {
  readonly hostname: string;
  /** As the system calls itself: `Debian GNU/Linux 12 (bookworm)`. */
  readonly system: string;
  /** `Linux 6.1.0-18-amd64`. */
  readonly kernel: string;
  /** `x64`, `arm64`, … */
  readonly architecture: string;
  readonly cpu: { readonly model: string; readonly count: number };
  readonly memoryBytes: number;
  /** Versions without a leading `v`. */
  readonly node: string;
  readonly holdfast: string;
  readonly git?: GitFacts;
  readonly application?: string;
  readonly runtimes?: Readonly<Record<string, string>>;
  /** What was asked for and could not be found out, each a sentence. */
  readonly problems: readonly string[];
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** Collects the facts. Never fails for what cannot be found out: that is listed in `problems`. */
export async function collectMachineFacts(request: FactsRequest = {}): Promise<MachineFacts> {
  request.signal?.throwIfAborted();
  const problems: string[] = [];
  const [system, holdfast, git, application, runtimes] = await Promise.all([
    systemName(),
    holdfastVersion(),
    checkout(request, problems),
    applicationVersion(request, problems),
    runtimeVersions(request, problems),
  ]);
  const cpus = os.cpus();
  return {
    hostname: os.hostname(),
    system,
    kernel: `${os.type()} ${os.release()}`,
    architecture: os.arch(),
    cpu: { model: cpus[0]?.model.trim() ?? 'unknown', count: cpus.length },
    memoryBytes: os.totalmem(),
    node: process.versions.node,
    holdfast,
    ...(git === undefined ? {} : { git }),
    ...(application === undefined ? {} : { application }),
    ...(runtimes === undefined ? {} : { runtimes }),
    problems,
  };
}

/** The version of this program, from its package.json. */
async function holdfastVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function systemName(): Promise<string> {
  const release = (await readSmallText('/etc/os-release', 64 * 1024)) ?? '';
  const name = /^PRETTY_NAME=(?:"([^"\n]{1,200})"|([^"\n]{1,200}))$/m.exec(release);
  return name?.[1] ?? name?.[2] ?? os.type();
}

async function checkout({ git }: FactsRequest, problems: string[]): Promise<GitFacts | undefined> {
  if (git === undefined) return undefined;
  const facts = await readGitCheckout(git);
  if (facts === undefined) problems.push(`No Git commit could be read at ${git}.`);
  return facts;
}

async function applicationVersion(request: FactsRequest, problems: string[]): Promise<string | undefined> {
  const { application } = request;
  if (application === undefined) return undefined;
  if (typeof application === 'string') return firstLine(application);
  return ask('the application', application, request, problems);
}

async function runtimeVersions(request: FactsRequest, problems: string[]): Promise<Record<string, string> | undefined> {
  if (request.runtimes === undefined) return undefined;
  const versions: Record<string, string> = {};
  for (const [name, argv] of Object.entries(request.runtimes)) {
    const version = await ask(name, argv, request, problems);
    if (version !== undefined) versions[name] = version;
  }
  return versions;
}

async function ask(
  what: string,
  argv: readonly string[],
  request: FactsRequest,
  problems: string[],
): Promise<string | undefined> {
  const answer = await askProgram(argv, request.timeoutMs ?? DEFAULT_TIMEOUT_MS, request.signal);
  if ('text' in answer) return answer.text;
  // Arguments may hold secrets; only the program is named.
  problems.push(`The version of ${what} is not known: "${argv[0] ?? ''}": ${answer.problem}.`);
  return undefined;
}

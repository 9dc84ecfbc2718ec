/** The shell around every command: find it, read its line, give it a context, tell how it ended. */
import type { Clock } from '../base/clock.ts';
import { EXIT, Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import { nearest } from '../base/suggest.ts';
import type { Supervision } from '../base/supervision.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Command, CommandInput } from './command.ts';
import type { BuildInfo, Context, Environment, GlobalFlags, Terminal } from './context.ts';
import { normaliseCommandLine, type Scan, scanCommandLine } from './global-flags.ts';
import { endedBy, withWhatIsLeft } from './interruption.ts';
import { Output } from './output/output.ts';
import { createProgress, type ProgressView } from './output/progress.ts';
import { Sink, type SinkStream } from './output/sink.ts';
import { pickStyle, type Style } from './output/style.ts';
import { failureStatusOf, findCommand, type Registration } from './registration.ts';
import { registry } from './registry.ts';
import { failureText } from './report.ts';

/** What the entry point brings: everything that belongs to the process. */
export interface World {
  /** Words after the program's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly stdout: SinkStream;
  readonly stderr: SinkStream;
  readonly build: BuildInfo;
  readonly supervision?: Supervision;
  readonly terminal?: Terminal;
  readonly onReload?: (hear: () => void) => void;
}

/** Runs one command line; resolves with the exit status, everything printed. Never rejects. */
export async function runCommandLine(given: World, registrations: readonly Registration[] = registry): Promise<number> {
  const world = { ...given, argv: normaliseCommandLine(given.argv) };
  const scan = scanCommandLine(world.argv);
  const colours = !world.argv.includes('--no-color');
  const shell: Shell = {
    world,
    scan,
    registrations,
    out: new Sink(world.stdout),
    err: new Sink(world.stderr),
    style: pickStyle(world.stdout, world.env, colours),
    errorStyle: pickStyle(world.stderr, world.env, colours),
  };
  try {
    return await dispatch(shell);
  } catch (error) {
    const failure = endedBy(error, world.signal);
    const status = failureStatusOf(world.argv, registrations) ?? failure.exitCode;
    const text = failureText(failure, { json: scan.json, verbose: scan.verbose, style: shell.errorStyle, status });
    await shell.err.write(text).catch(() => {}); // standard error cannot be written: nothing is left to tell it with
    return status;
  }
}

interface Shell {
  readonly world: World;
  readonly scan: Scan;
  readonly registrations: readonly Registration[];
  readonly out: Sink;
  readonly err: Sink;
  readonly style: Style;
  readonly errorStyle: Style;
}

async function dispatch(shell: Shell): Promise<number> {
  const { scan, registrations, style } = shell;
  if (scan.words.length === 0) return usage(shell, (help) => help.programHelp(registrations, style));
  const found = findCommand(scan.words, registrations);
  if (found.kind === 'unknown')
    throw unknownCommand(
      scan.words[0]!,
      registrations.map(({ name }) => name),
    );
  if (found.kind === 'family') return family(shell, found.family, found.members);
  return command(shell, found.registration, found.words);
}

async function command(shell: Shell, registration: Registration, words: number): Promise<number> {
  const { default: command } = await registration.load();
  if (!shell.scan.help) return runCommand(shell, registration.name, command, words);
  const { commandHelp } = await import('./help.ts');
  await shell.out.write(commandHelp(registration, command, shell.style));
  return EXIT.done;
}

/** Help that was asked for is a result; help instead of a command is a usage error, which a program is told as any other. */
async function usage({ scan, out, err }: Shell, text: (help: typeof import('./help.ts')) => string): Promise<number> {
  if (scan.json && !scan.help) {
    const command = ['holdfast', ...scan.words].join(' ');
    throw new Failure('usage', `"${command}" is no whole command.`, { hint: `See "${command} --help".` });
  }
  await (scan.help ? out : err).write(text(await import('./help.ts')));
  return scan.help ? EXIT.done : EXIT.usage;
}

/** Alone it is its list, where it has one: `runs --state failed` is `runs list --state failed`. */
async function family(shell: Shell, name: string, members: readonly Registration[]): Promise<number> {
  const [[, second], [at = 0, next]] = [shell.scan.words, shell.scan.positions];
  const list = members.find((member) => member.name === `${name} list`);
  if (list !== undefined && !shell.scan.help && next !== at + 1) return command(shell, list, 1);
  if (second !== undefined)
    throw unknownCommand(
      `${name} ${second}`,
      members.map((member) => member.name),
    );
  return usage(shell, (help) => help.familyHelp(name, members, shell.style));
}

function unknownCommand(name: string, known: readonly string[]): Failure {
  const meant = nearest(name, known);
  const hint = meant === undefined ? 'See "holdfast --help".' : `Did you mean "holdfast ${meant}"?`;
  return new Failure('usage', `There is no command "${name}".`, { hint });
}

async function runCommand(shell: Shell, name: string, command: Command, nameWords: number): Promise<number> {
  const { world, scan } = shell;
  const { parseCommandLine } = await import('./parse.ts');
  const nameAt = new Set(scan.positions.slice(0, nameWords));
  const words = world.argv.filter((_, at) => !nameAt.has(at));
  const { flags, input } = parseCommandLine(name, command, words, { now: world.clock.now() });
  const { context, progress } = buildContext(shell, flags, command.lists(input));
  const status = await execute(name, command, context, input).catch(async (error: unknown) => {
    await progress.close().catch(() => {}); // the command's own failure says more
    throw error;
  });
  await progress.close();
  return status;
}

/** Here, or through the server that is named. */
async function execute(name: string, command: Command, context: Context, input: CommandInput): Promise<number> {
  const url = context.flags.server ?? (context.supervision === undefined ? context.env.HOLDFAST_SERVER : undefined);
  if (url === undefined || url === '' || command.remote === 'here') {
    return command.run(context, input).catch((error: unknown) => {
      throw withWhatIsLeft(endedBy(error, context.signal), command.left);
    });
  }
  if (command.remote === undefined) {
    throw new Failure('usage', `"holdfast ${name}" works on the machine it is run on, not through a server.`, {
      hint: 'Run it there, without --server and HOLDFAST_SERVER.',
    });
  }
  const { connect } = await import('./remote.ts');
  return command.remote(await connect(context, url), input);
}

function buildContext(
  { world, registrations, out, err, style, errorStyle }: Shell,
  flags: GlobalFlags,
  lists: boolean,
): { context: Context; progress: ProgressView } {
  const output = new Output(out, err, { json: flags.json, lists, quiet: flags.quiet, style, errorStyle });
  const progress = createProgress({ output, clock: world.clock, quiet: flags.quiet, verbose: flags.verbose });
  let loading: Promise<Configuration> | undefined;
  const config = () => {
    loading ??= load(world, flags, output);
    return loading;
  };
  const { clock, signal, env, cwd, build, supervision, terminal, onReload } = world;
  return {
    context: {
      clock,
      signal,
      env,
      cwd,
      build,
      commands: registrations,
      flags,
      output,
      progress: progress.report,
      ...given('supervision', supervision),
      ...given('terminal', terminal),
      ...given('onReload', onReload),
      config,
      readConfig: () => load(world, flags, output),
    },
    progress,
  };
}

async function load(
  { env, cwd, signal }: World,
  { config: path }: GlobalFlags,
  output: Output,
): Promise<Configuration> {
  const { loadConfiguration } = await import('../config/configuration.ts');
  const told = new Set<string>();
  const onWarning = (message: string, hint: string) => {
    if (!told.has(message)) void output.warn(message, hint); // a value may be asked for several times
    told.add(message);
  };
  return loadConfiguration({ path, env, cwd, signal, onWarning });
}

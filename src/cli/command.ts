/**
 * What a command is. To add one:
 *
 * 1. Write `commands/<name>.ts` (a command of two words, `key add`, is `commands/key-add.ts`):
 *
 *        export default defineCommand({
 *          details: 'One paragraph for --help: what happens, what is left behind.',
 *          arguments: { point: argument.required('POINT', 'id, its first digits, or "latest"') },
 *          options: { dryRun: option.flag('say what would be done, do nothing') },
 *          examples: [['holdfast pin 1f0c', 'keep this point whatever retention says']],
 *          exits: [EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
 *          async run(context, { arguments: { point }, options: { dryRun } }) {
 *            const config = await context.config();
 *            const outcome = await pinPoint({ …, signal: context.signal, progress: context.progress });
 *            if (context.flags.json) await context.output.summary(outcome);
 *            else await context.output.line(`Pinned ${outcome.shortId}.`);
 *            return EXIT.done;
 *          },
 *        });
 *
 * 2. Add one line to its group in `registry.ts`.
 *
 * That is all: help, completion, usage errors, `--json` errors and exit statuses follow. A command parses, calls one operation and
 * prints; it decides nothing. It returns a status from `EXIT` (`EXIT.partial` for work done in part) and reports failures by letting
 * the operation's Failure pass. Import operations at the top of the command's file: the file is loaded only when the command runs.
 */
import type { EXIT } from '../base/failure.ts';
import type { Context } from './context.ts';
import type { ArgumentSpec, OptionSpec } from './options.ts';
import type { RemoteContext } from './remote.ts';

export { argument, option } from './options.ts';

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

export type Arguments = Readonly<Record<string, ArgumentSpec<unknown>>>;
export type Options = Readonly<Record<string, OptionSpec<unknown>>>;
type Values<S extends Readonly<Record<string, { parse: (...given: never[]) => unknown }>>> = {
  readonly [K in keyof S]: ReturnType<S[K]['parse']>;
};

export interface CommandDefinition<A extends Arguments, O extends Options> {
  /** A paragraph below the usage line of `--help`; the summary above it comes from the registry. */
  readonly details?: string;
  readonly arguments?: A;
  readonly options?: O;
  /** Command lines and what each does. */
  readonly examples?: readonly (readonly [line: string, meaning: string])[];
  /** Exit statuses besides 0, 1, 2 and 130 that this command can end with; listed in `--help`. */
  readonly exits?: readonly ExitStatus[];
  /** With `--json` it prints one document, so what else there is to say goes to standard error. */
  readonly lists?: boolean | ((options: Values<O>) => boolean);
  /** What an interruption leaves, as its hint, where the operation does not say more. Listings have changed nothing. */
  readonly left?: string;
  /** The command's work; resolves with the exit status. */
  run(context: Context, given: { readonly arguments: Values<A>; readonly options: Values<O> }): Promise<ExitStatus>;
  /** The same through a server: what it prints and answers is the same. `here`: it asks nothing of any server. Absent: not possible. */
  remote?:
    | 'here'
    | ((
        remote: RemoteContext,
        given: { readonly arguments: Values<A>; readonly options: Values<O> },
      ) => Promise<ExitStatus>);
}

/** A command with its own types forgotten: what the shell handles. */
export interface Command {
  readonly details: string | undefined;
  readonly arguments: Arguments;
  readonly options: Options;
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  readonly exits: readonly ExitStatus[];
  lists(given: CommandInput): boolean;
  readonly left: string | undefined;
  run(context: Context, given: CommandInput): Promise<ExitStatus>;
  readonly remote: 'here' | ((context: RemoteContext, given: CommandInput) => Promise<ExitStatus>) | undefined;
}

/** Values as parsed by the specs of the command that receives them. */
export interface CommandInput {
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
}

type None = Readonly<Record<never, never>>;

export function defineCommand<A extends Arguments = None, O extends Options = None>(
  definition: CommandDefinition<A, O>,
): Command {
  return {
    details: definition.details,
    arguments: definition.arguments ?? {},
    options: definition.options ?? {},
    examples: definition.examples ?? [],
    exits: definition.exits ?? [],
    lists: ({ options }) => {
      const { lists = false } = definition;
      return typeof lists === 'boolean' ? lists : lists(options as Values<O>);
    },
    left: definition.left ?? (definition.lists === true ? 'Nothing was changed.' : undefined),
    remote:
      typeof definition.remote === 'function'
        ? (context, given) =>
            (definition.remote as (remote: RemoteContext, given: unknown) => Promise<ExitStatus>)(context, given)
        : definition.remote,
    run: (context, given) => definition.run(context, given as { arguments: Values<A>; options: Values<O> }),
  };
}

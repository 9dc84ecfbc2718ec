/** From the words after a command's name to the values it declared. Commander reads the line; the specs turn text into values. */
import { CommanderError, Option, Command as Parser } from 'commander';
import { Failure, isFailure } from '../base/failure.ts';
import type { Command, CommandInput } from './command.ts';
import type { GlobalFlags } from './context.ts';
import { flagName, GLOBAL_OPTIONS } from './global-flags.ts';
import type { OptionSpec, ParseWorld } from './options.ts';

export interface Parsed {
  readonly flags: GlobalFlags & { readonly noColor: boolean };
  readonly input: CommandInput;
}

/** Throws Failure `usage` naming the option or argument that does not fit. */
export function parseCommandLine(name: string, command: Command, words: readonly string[], world: ParseWorld): Parsed {
  const given = new Map<string, string[]>();
  const parser = buildParser(name, command, given);
  try {
    parser.parse([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw usageFailure(name, error);
    throw error;
  }
  const { help: _help, ...globals } = GLOBAL_OPTIONS;
  return {
    flags: optionValues(globals, given, world) as unknown as Parsed['flags'],
    input: { arguments: argumentValues(command, parser.args), options: optionValues(command.options, given, world) },
  };
}

function buildParser(name: string, command: Command, given: Map<string, string[]>): Parser {
  const parser = new Parser(name)
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} })
    .helpOption(false)
    .helpCommand(false)
    .allowExcessArguments(false)
    .action(() => {});
  for (const spec of Object.values(command.arguments)) {
    const { takes, valueName } = spec;
    parser.argument(
      takes === 'required' ? `<${valueName}>` : takes === 'many' ? `[${valueName}...]` : `[${valueName}]`,
    );
  }
  for (const [key, spec] of Object.entries({ ...GLOBAL_OPTIONS, ...command.options })) {
    parser.addOption(collecting(key, spec, given));
  }
  return parser;
}

function collecting(key: string, spec: OptionSpec<unknown>, given: Map<string, string[]>): Option {
  const value = { none: '', required: ' <value>', many: ' <value>', optional: ' [value]' }[spec.takes];
  const built = new Option(`${spec.short === undefined ? '' : `-${spec.short}, `}${flagName(key)}${value}`);
  const texts = () => given.get(key) ?? given.set(key, []).get(key)!;
  if (spec.takes === 'none' || spec.takes === 'optional') built.preset(true);
  return built.argParser((text: unknown) => {
    const list = texts();
    if (spec.takes === 'required' || spec.takes === 'optional') list.length = 0;
    if (typeof text === 'string') list.push(text);
    return true;
  });
}

function optionValues(
  specs: Readonly<Record<string, OptionSpec<unknown>>>,
  given: ReadonlyMap<string, readonly string[]>,
  world: ParseWorld,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, spec] of Object.entries(specs)) {
    values[key] = named(flagName(key), () => spec.parse(given.get(key), world));
  }
  return values;
}

function argumentValues(command: Command, words: readonly string[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [at, [key, spec]] of Object.entries(command.arguments).entries()) {
    values[key] = named(spec.valueName, () =>
      spec.parse(spec.takes === 'many' ? words.slice(at) : words.slice(at, at + 1)),
    );
  }
  return values;
}

function named<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!isFailure(error, 'usage')) throw error;
    throw new Failure('usage', `${what}: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

function usageFailure(name: string, error: CommanderError): Failure {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /Did you mean (?:one of )?(.+)\?/.exec(rest.join(' '))?.[1];
  const message = `${first[0]?.toUpperCase() ?? ''}${first.slice(1)}.`
    .replaceAll(' <value>', '')
    .replaceAll(' [value]', '');
  const hint = suggestion === undefined ? `See "holdfast ${name} --help".` : `Did you mean ${suggestion}?`;
  return new Failure('usage', message.replace(/\.\.$/, '.'), { hint });
}

/**
 * The kinds of options and arguments a command can declare. Each knows how it is written (for help and completion) and how its text
 * becomes a value; commands receive values, never text to parse. Builders are grouped as `option.*` and `argument.*`.
 */
import { DURATION_FORM, parseDuration } from '../base/durations.ts';
import { Failure } from '../base/failure.ts';
import { parseTime } from '../base/relative-time.ts';
import { parseSize, SIZE_FORM } from '../base/sizes.ts';

/** What the parser of an option may need to know about the world. */
export interface ParseWorld {
  /** Milliseconds since the epoch; relative times count from here. */
  readonly now: number;
}

/** One option. Its name is the key under which a command declares it, in kebab case (`dryRun` → `--dry-run`). */
export interface OptionSpec<T> {
  readonly help: string;
  /** `none`: a flag; `required`: `--x V`; `optional`: `--x` or `--x=V`; `many`: may be given several times. */
  readonly takes: 'none' | 'required' | 'optional' | 'many';
  /** How the value is called in help, in capitals. */
  readonly valueName?: string;
  readonly short?: string;
  readonly choices?: readonly string[];
  /** Value from the texts given (empty for a flag given, or an optional value left out); undefined texts: the option was not given. */
  readonly parse: (texts: readonly string[] | undefined, world: ParseWorld) => T;
}

type Given<T> = T | undefined;

function single<T>(
  valueName: string,
  help: string,
  convert: (text: string, world: ParseWorld) => T,
): OptionSpec<Given<T>> {
  return {
    help,
    takes: 'required',
    valueName,
    parse: (texts, world) => (texts === undefined ? undefined : convert(texts[0]!, world)),
  };
}

/** `--dry-run`: true when given. */
function flag(help: string, short?: string): OptionSpec<boolean> {
  return { help, takes: 'none', ...(short === undefined ? {} : { short }), parse: (texts) => texts !== undefined };
}

/** `--label L`. */
const text = (valueName: string, help: string) => single(valueName, help, (given) => given);

/** `--source A --source B`: every text given, in order; empty when not given. */
function texts(valueName: string, help: string): OptionSpec<readonly string[]> {
  return { help, takes: 'many', valueName, parse: (given) => given ?? [] };
}

/** `--read-data` or `--read-data=10%`: true without a value, the text with one. */
function optionalText(valueName: string, help: string): OptionSpec<string | true | undefined> {
  return {
    help,
    takes: 'optional',
    valueName,
    parse: (given) => (given === undefined ? undefined : (given[0] ?? true)),
  };
}

/** `--since T`: milliseconds since the epoch. */
const time = (valueName: string, help: string) =>
  single(valueName, help, (given, world) => parseTime(given, world.now));

/** `--for 1h`: milliseconds. */
function duration(valueName: string, help: string): OptionSpec<Given<number>> {
  return single(valueName, help, (given) => orUsage(parseDuration(given), given, DURATION_FORM));
}

/** `--limit 10MiB`: bytes. */
function size(valueName: string, help: string): OptionSpec<Given<number>> {
  return single(valueName, help, (given) => orUsage(parseSize(given), given, SIZE_FORM));
}

/** `--keep 3`: a whole number of at least `least`. */
function integer(valueName: string, help: string, least = 0): OptionSpec<Given<number>> {
  return single(valueName, help, (given) => {
    const value = /^\d{1,15}$/.test(given) ? Number(given) : undefined;
    return orUsage(
      value !== undefined && value >= least ? value : undefined,
      given,
      `a whole number of at least ${least}`,
    );
  });
}

/** `--format text|html`. */
function choice<const C extends string>(valueName: string, choices: readonly C[], help: string): OptionSpec<Given<C>> {
  const convert = (given: string) =>
    orUsage(
      choices.find((known) => known === given),
      given,
      `one of ${choices.join(', ')}`,
    );
  return { ...single(valueName, help, convert), choices };
}

/** `--state failed --state partial`: each of a fixed set; empty when not given. */
function choices<const C extends string>(
  valueName: string,
  known: readonly C[],
  help: string,
): OptionSpec<readonly C[]> {
  const { parse } = choice(valueName, known, help);
  const each = (given: string, world: ParseWorld) => parse([given], world)!;
  return {
    ...texts(valueName, help),
    choices: known,
    parse: (given = [], world) => given.map((one) => each(one, world)),
  };
}

function orUsage<T>(value: T | undefined, given: string, form: string): T {
  if (value !== undefined) return value;
  throw new Failure('usage', `"${given}" does not fit.`, { hint: `Write ${form}.` });
}

export const option = { flag, text, texts, optionalText, time, duration, size, integer, choice, choices } as const;

/** One positional argument; arguments stand in the order in which a command declares them. */
export interface ArgumentSpec<T> {
  /** As shown in help, in capitals: `POINT`. */
  readonly valueName: string;
  readonly help: string;
  readonly takes: 'required' | 'optional' | 'many';
  readonly choices?: readonly string[];
  readonly parse: (texts: readonly string[]) => T;
}

function required(valueName: string, help: string): ArgumentSpec<string> {
  return { valueName, help, takes: 'required', parse: (given) => given[0]! };
}

function optional(valueName: string, help: string): ArgumentSpec<string | undefined> {
  return { valueName, help, takes: 'optional', parse: (given) => given[0] };
}

/** All that follows, possibly nothing; must be the last argument. */
function rest(valueName: string, help: string): ArgumentSpec<readonly string[]> {
  return { valueName, help, takes: 'many', parse: (given) => given };
}

function oneOf<const C extends string>(valueName: string, choices: readonly C[], help: string): ArgumentSpec<C> {
  const parse = (given: readonly string[]) =>
    orUsage(
      choices.find((known) => known === given[0]),
      given[0]!,
      `one of ${choices.join(', ')}`,
    );
  return { valueName, help, takes: 'required', choices, parse };
}

export const argument = { required, optional, rest, oneOf } as const;

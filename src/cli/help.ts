/** The text of `--help`: the whole program, a family of commands, one command. */
import { EXIT } from '../base/failure.ts';
import { wrap } from '../base/wrap.ts';
import type { Command } from './command.ts';
import { flagName, GLOBAL_OPTIONS } from './global-flags.ts';
import type { OptionSpec } from './options.ts';
import type { Style } from './output/style.ts';
import type { Registration } from './registration.ts';
import { EXIT_MEANINGS } from './report.ts';

const INTRO = `Backup and recovery for PostgreSQL-backed web applications: database, files and configuration
as one restore point, in several storages.`;

/** Characters of a line of names. */
const LINE = 76;
const ALWAYS = [EXIT.done, EXIT.failed, EXIT.usage, EXIT.interrupted];

export function programHelp(registrations: readonly Registration[], style: Style): string {
  const groups = Map.groupBy(registrations, ({ group }) => group);
  return sections(style, [
    ['', INTRO],
    ['Usage', '  holdfast COMMAND [--config FILE] [--app APP] [--json] [--quiet | -v] [--no-color]'],
    ...[...groups].map(([group, members]): [string, string] => [group, columns(withFamiliesFolded(members))]),
    ['Flags of every command', optionLines(GLOBAL_OPTIONS)],
    ['Configuration', '  --config, else $HOLDFAST_CONFIG, ./holdfast.yaml, /etc/holdfast/holdfast.yaml'],
    ['Exit status', exitLines([...EXIT_MEANINGS.keys()])],
    ['', 'holdfast COMMAND --help explains one command, holdfast runs --help those of a family.'],
  ]);
}

/** A family whose name alone is its list is one row: what the list tells, and below it what else there is. */
function withFamiliesFolded(members: readonly Registration[]): [string, string][] {
  const families = Map.groupBy(members, ({ name }) => name.split(' ')[0]!);
  return [...families].flatMap(([family, ofFamily]): [string, string][] => {
    const list = ofFamily.find(({ name }) => name === `${family} list`);
    if (list === undefined) return ofFamily.map(({ name, summary }) => [name, summary]);
    const others = ofFamily.filter((member) => member !== list).map(({ name }) => name.slice(family.length + 1));
    const lines = others.length === 0 ? [] : wrap(others.join(', '), LINE).map((line) => `  ${line}`);
    return [[family, [list.summary, ...lines].join('\n')]];
  });
}

export function familyHelp(family: string, members: readonly Registration[], style: Style): string {
  return sections(style, [
    ['Usage', `  holdfast ${family} ${members.map(({ name }) => name.slice(family.length + 1)).join('|')}`],
    ['Commands', columns(members.map(({ name, summary }) => [name, summary]))],
    ['', `holdfast ${family} COMMAND --help explains one command.`],
  ]);
}

export function commandHelp(registration: Registration, command: Command, style: Style): string {
  const { name, summary, failureStatus } = registration;
  const args = Object.values(command.arguments);
  return sections(style, [
    ['', `holdfast ${name}: ${summary}.`],
    ['Usage', `  ${usageLine(name, command)}`],
    ['', command.details ?? ''],
    ['Arguments', columns(args.map(({ valueName, help, choices }) => [valueName, withChoices(help, choices)]))],
    ['Options', optionLines(command.options)],
    ['Flags of every command', optionLines(GLOBAL_OPTIONS)],
    ['Examples', columns(command.examples)],
    [
      'Exit status',
      failureStatus === undefined ? exitLines([...ALWAYS, ...command.exits]) : answerLines(failureStatus),
    ],
  ]);
}

/** `holdfast restore POINT [PATH...] --to DIR [options]`, without the word "holdfast" doubled. */
function usageLine(name: string, command: Command): string {
  const args = Object.values(command.arguments).map(({ takes, valueName }) =>
    takes === 'required' ? valueName : takes === 'optional' ? `[${valueName}]` : `[${valueName}]...`,
  );
  const options = Object.entries(command.options).map(
    ([key, spec]) => `[${spelled(key, spec)}]${spec.takes === 'many' ? '...' : ''}`,
  );
  return ['holdfast', name, ...args, ...options].join(' ');
}

function spelled(key: string, { takes, valueName = 'VALUE' }: OptionSpec<unknown>): string {
  const value = { none: '', required: ` ${valueName}`, many: ` ${valueName}`, optional: `[=${valueName}]` }[takes];
  return `${flagName(key)}${value}`;
}

function optionLines(options: Readonly<Record<string, OptionSpec<unknown>>>): string {
  return columns(
    Object.entries(options).map(([key, spec]) => [
      `${spec.short === undefined ? '' : `-${spec.short}, `}${spelled(key, spec)}`,
      withChoices(spec.help, spec.choices),
    ]),
  );
}

function withChoices(help: string, choices: readonly string[] | undefined): string {
  return choices === undefined ? help : `${help} (${choices.join(', ')})`;
}

function exitLines(statuses: readonly number[]): string {
  const sorted = [...new Set(statuses)].sort((a, b) => a - b);
  return columns(sorted.map((status) => [String(status).padStart(3), EXIT_MEANINGS.get(status) ?? '']));
}

/** Of a command that a program asks: done, no, and everything else. */
function answerLines(failureStatus: number): string {
  return columns([
    [String(EXIT.done).padStart(3), EXIT_MEANINGS.get(EXIT.done)!],
    [String(EXIT.failed).padStart(3), 'there is none: proved, not supposed'],
    [String(failureStatus).padStart(3), 'whatever else is wrong'],
  ]);
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(34, Math.max(0, ...rows.map(([left]) => left.length)));
  return rows
    .map(([left, right]) => {
      const text = right.replaceAll('\n', `\n  ${' '.repeat(width)}  `);
      return `  ${left.padEnd(width)}  ${left.length > width ? `\n  ${' '.repeat(width)}  ` : ''}${text}`;
    })
    .join('\n');
}

function sections(style: Style, parts: readonly (readonly [title: string, text: string])[]): string {
  const shown = parts.filter(([, text]) => text !== '');
  return `${shown.map(([title, text]) => (title === '' ? text : `${style.bold(title)}\n${text}`)).join('\n\n')}\n`;
}

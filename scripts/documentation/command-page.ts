/** The page of commands, made from the registry and from what each command declares. */
import type { Command } from '../../src/cli/command.ts';
import { flagName, GLOBAL_OPTIONS } from '../../src/cli/global-flags.ts';
import type { OptionSpec } from '../../src/cli/options.ts';
import type { Registration } from '../../src/cli/registration.ts';
import { EXIT_MEANINGS } from '../../src/cli/report.ts';

const HEAD = `# Commands

<!-- Written by scripts/command-reference.ts from the commands themselves. Do not edit by hand. -->

\`holdfast COMMAND [--config FILE] [--app APP] [--json] [--quiet | -v] [--no-color]\`

Flags stand before or after the command. With one app in the configuration, \`--app\` is not needed. Times are RFC 3339 with a zone
(\`2026-03-01T08:30:00Z\`) or relative (\`"10m ago"\`). Sizes are binary and need their unit (\`20MiB\`).
`;

/** The statuses that every command may end with; each command lists the others. */
const ALWAYS = [0, 1, 2, 130];

/** The whole page, as Markdown. */
export async function commandPage(registrations: readonly Registration[]): Promise<string> {
  const sections: string[] = [HEAD, `## Flags of every command\n\n${optionTable(GLOBAL_OPTIONS)}\n\n${exitTable()}\n`];
  for (const [group, members] of Map.groupBy(registrations, (each) => each.group)) {
    sections.push(`## ${group}\n`);
    for (const member of members) sections.push(section(member, (await member.load()).default));
  }
  return sections.join('\n');
}

function section({ name, summary, failureStatus }: Registration, command: Command): string {
  const parts = [`### ${name}`, capital(`${summary}.`), fenced([usage(name, command)])];
  if (command.details !== undefined) parts.push(command.details);
  const args = Object.values(command.arguments);
  const rows = args.map(({ valueName, help, choices }) => row(`\`${valueName}\``, withChoices(help, choices)));
  if (rows.length > 0) parts.push(table('argument', rows));
  if (Object.keys(command.options).length > 0) parts.push(optionTable(command.options));
  if (command.examples.length > 0)
    parts.push(fenced(command.examples.map(([line, meaning]) => example(line, meaning))));
  if (failureStatus !== undefined)
    parts.push(`Ends with 0, with 1 when there is none, and with ${failureStatus} for everything else.`);
  const exits = command.exits.filter((status) => !ALWAYS.includes(status));
  if (exits.length > 0)
    parts.push(`May also end with ${exits.map((status) => `${status} (${EXIT_MEANINGS.get(status)})`).join(', ')}.`);
  return `${parts.join('\n\n')}\n`;
}

function usage(name: string, command: Command): string {
  const args = Object.values(command.arguments).map(({ takes, valueName }) =>
    takes === 'required' ? valueName : takes === 'optional' ? `[${valueName}]` : `[${valueName}]...`,
  );
  return ['holdfast', name, ...args, ...(Object.keys(command.options).length > 0 ? ['[OPTIONS]'] : [])].join(' ');
}

function optionTable(options: Readonly<Record<string, OptionSpec<unknown>>>): string {
  const rows = Object.entries(options).map(([key, spec]) =>
    row(`\`${spelled(key, spec)}\``, withChoices(spec.help, spec.choices)),
  );
  return table('option', rows);
}

function exitTable(): string {
  return `Every command may end with ${ALWAYS.map((status) => `${status} (${EXIT_MEANINGS.get(status)})`).join(', ')}.`;
}

function spelled(key: string, { takes, valueName = 'VALUE', short }: OptionSpec<unknown>): string {
  const value = { none: '', required: ` ${valueName}`, many: ` ${valueName}`, optional: `[=${valueName}]` }[takes];
  return `${short === undefined ? '' : `-${short}, `}${flagName(key)}${value}`;
}

function withChoices(help: string, choices: readonly string[] | undefined): string {
  return choices === undefined ? help : `${help} (${choices.join(', ')})`;
}

const example = (line: string, meaning: string) => `${line.padEnd(60)} # ${meaning}`;
const fenced = (lines: readonly string[]) => ['```sh', ...lines, '```'].join('\n');
const row = (left: string, right: string) => `| ${left} | ${right.replaceAll('|', '\\|')} |`;
const table = (title: string, rows: readonly string[]) => [`| ${title} | |`, '|---|---|', ...rows].join('\n');
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

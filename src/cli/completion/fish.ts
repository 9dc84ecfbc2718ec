/** Completion for fish. */
import { type CompletionCommand, type CompletionOption, summaryOf, wordTree } from './command.ts';

export function fishScript(commands: readonly CompletionCommand[], global: readonly CompletionOption[]): string {
  const tree = wordTree(commands);
  const firsts = [...tree.keys()].map(
    (first) => `${BASE} -f -n __fish_use_subcommand -a ${first} -d ${quoted(summaryOf(first, commands))}`,
  );
  return `# fish completion for holdfast; made by "holdfast completion fish"
${[...global.map((option) => optionLine('', option)), ...firsts, ...commands.flatMap((command) => commandLines(command))].join('\n')}
`;
}

const BASE = 'complete -c holdfast';

function commandLines({ name, summary, options, choices }: CompletionCommand): string[] {
  const [first = '', second] = name.split(' ');
  const seen = `__fish_seen_subcommand_from ${first}`;
  const chosen = second === undefined ? seen : `${seen}; and __fish_seen_subcommand_from ${second}`;
  return [
    ...(second === undefined
      ? []
      : [
          `${BASE} -f -n ${quoted(`${seen}; and not __fish_seen_subcommand_from ${second}`)} -a ${second} -d ${quoted(summary)}`,
        ]),
    ...(choices.length === 0 ? [] : [`${BASE} -f -n ${quoted(chosen)} -a ${quoted(choices.join(' '))}`]),
    ...options.map((option) => optionLine(chosen, option)),
  ];
}

function optionLine(condition: string, { flag, short, help, takesValue, isPath, choices }: CompletionOption): string {
  const parts = [
    BASE,
    ...(condition === '' ? [] : ['-n', quoted(condition)]),
    ...['-l', flag.slice(2)],
    ...(short === undefined ? [] : ['-s', short]),
    ...(takesValue ? (isPath ? ['-r', '-F'] : ['-x']) : []),
    ...(choices.length === 0 ? [] : ['-a', quoted(choices.join(' '))]),
    ...['-d', quoted(help)],
  ];
  return parts.join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

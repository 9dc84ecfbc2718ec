/** Completion for bash 3.2 and newer, without the bash-completion package. */
import { type CompletionCommand, type CompletionOption, wordTree } from './command.ts';

export function bashScript(commands: readonly CompletionCommand[], global: readonly CompletionOption[]): string {
  const tree = wordTree(commands);
  const seconds = [...tree].filter(([, words]) => words.length > 0);
  const every = [...global, ...commands.flatMap(({ options }) => options)];
  return `# bash completion for holdfast; made by "holdfast completion bash"
_holdfast() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local first='' second='' word at
  COMPREPLY=()
  case "$previous" in
${pathCases(every)}${choiceCases(every)}  esac
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    case "$word" in
      ${valueFlags(every).join('|')}) ((at++)) ;;
      -*) ;;
      *) if [[ -z $first ]]; then first=$word; elif [[ -z $second ]]; then second=$word; fi ;;
    esac
  done
  local words=''
  if [[ -z $first ]]; then
    words='${[...tree.keys()].join(' ')}'
  else
    case "$first $second" in
${commands.map(commandCase).join('\n')}
${seconds.map(([first, words]) => `      '${first} ') words='${words.join(' ')}' ;;`).join('\n')}
    esac
  fi
  if [[ $current == -* ]]; then words="$words ${flags(global)}"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _holdfast holdfast
`;
}

function commandCase({ name, options, choices }: CompletionCommand): string {
  const pattern = name.includes(' ') ? `'${name}'*` : `'${name} '*`;
  return `      ${pattern}) words='${[...choices, flags(options)].join(' ').trim()}' ;;`;
}

function flags(options: readonly CompletionOption[]): string {
  return options.map(({ flag }) => flag).join(' ');
}

function valueFlags(options: readonly CompletionOption[]): string[] {
  return [...new Set(options.filter(({ takesValue }) => takesValue).map(({ flag }) => flag))];
}

/** After the flag of a path, files are offered. */
function pathCases(options: readonly CompletionOption[]): string {
  const paths = valueFlags(options.filter(({ isPath }) => isPath));
  const others = valueFlags(options.filter(({ isPath, choices }) => !isPath && choices.length === 0));
  const lines = [
    paths.length === 0 ? '' : `    ${paths.join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;\n`,
    others.length === 0 ? '' : `    ${others.join('|')}) return ;;\n`,
  ];
  return lines.join('');
}

function choiceCases(options: readonly CompletionOption[]): string {
  const withChoices = new Map(
    options.filter(({ choices }) => choices.length > 0).map(({ flag, choices }) => [flag, choices]),
  );
  const lines = [...withChoices].map(
    ([flag, choices]) => `    ${flag}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return ;;\n`,
  );
  return lines.join('');
}

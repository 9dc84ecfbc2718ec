/** Completion for zsh. */
import { type CompletionCommand, type CompletionOption, summaryOf, wordTree } from './command.ts';

export function zshScript(commands: readonly CompletionCommand[], global: readonly CompletionOption[]): string {
  const tree = wordTree(commands);
  const firsts = [...tree.keys()].map((first) => described(first, summaryOf(first, commands)));
  return `#compdef holdfast
# zsh completion for holdfast; made by "holdfast completion zsh"
_holdfast() {
  local -a global words_given
  global=(
${global.map((option) => `    ${argumentSpec(option)}`).join('\n')}
  )
  words_given=(\${\${words[2,CURRENT-1]}:#-*})
  case "\${words_given[1]} \${words_given[2]}" in
${commands.map(commandCase).join('\n')}
${[...tree]
  .filter(([, seconds]) => seconds.length > 0)
  .map(([first, seconds]) => familyCase(first, seconds, commands))
  .join('\n')}
    *)
      local -a commands
      commands=(
${firsts.map((line) => `        ${line}`).join('\n')}
      )
      _arguments $global '1: :{_describe command commands}' ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _holdfast "$@"; else compdef _holdfast holdfast; fi
`;
}

function commandCase({ name, options, choices }: CompletionCommand): string {
  const pattern = name.includes(' ') ? `${quoted(name)}*` : `${quoted(`${name} `)}*`;
  const rest = choices.length === 0 ? "'*:argument:_files'" : quoted(`*:argument:(${name} ${choices.join(' ')})`);
  return `    ${pattern}) _arguments $global ${[...options.map(argumentSpec), rest].join(' ')} ;;`;
}

function familyCase(first: string, seconds: readonly string[], commands: readonly CompletionCommand[]): string {
  const lines = seconds.map((second) => described(second, summaryOf(`${first} ${second}`, commands)));
  return `    ${quoted(`${first} `)})
      local -a commands
      commands=(${lines.join(' ')})
      _arguments $global '2: :{_describe command commands}' ;;`;
}

function described(word: string, help: string): string {
  return quoted(`${word}:${help}`);
}

/** \`--flag[help]:value:action\` of _arguments. */
function argumentSpec({ flag, help, takesValue, isPath, choices }: CompletionOption): string {
  const action = isPath ? '_files' : choices.length > 0 ? `(${choices.join(' ')})` : ' ';
  const text = help.replace(/[[\]:\\]/g, '\\$&');
  return quoted(`${flag}[${text}]${takesValue ? `:value:${action}` : ''}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** `holdfast completion SHELL`: a completion script made from the registry, so that it knows every command and option there is. */
import { EXIT } from '../../base/failure.ts';
import { argument, defineCommand } from '../command.ts';
import { COMPLETION_SHELLS, completionScript, describeCommands } from '../completion.ts';

export default defineCommand({
  details: 'The script knows the commands and options of this version; make it again after an upgrade.',
  arguments: { shell: argument.oneOf('SHELL', COMPLETION_SHELLS, 'the shell') },
  examples: [
    ['source <(holdfast completion bash)', 'in ~/.bashrc'],
    ['holdfast completion zsh > ~/.zfunc/_holdfast', 'once; ~/.zfunc must be in fpath'],
    ['holdfast completion fish > ~/.config/fish/completions/holdfast.fish', 'once'],
  ],
  remote: 'here',
  async run({ output, commands }, { arguments: { shell } }) {
    await output.raw(completionScript(shell, await describeCommands(commands)));
    return EXIT.done;
  },
});

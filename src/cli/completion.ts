/** Completion scripts for shells, made from what the commands declare. */
import type { Command } from './command.ts';
import { bashScript } from './completion/bash.ts';
import type { CompletionCommand, CompletionOption } from './completion/command.ts';
import { fishScript } from './completion/fish.ts';
import { zshScript } from './completion/zsh.ts';
import { flagName, GLOBAL_OPTIONS } from './global-flags.ts';
import type { OptionSpec } from './options.ts';
import type { Registration } from './registration.ts';

export const COMPLETION_SHELLS = ['bash', 'zsh', 'fish'] as const;

export function completionScript(
  shell: (typeof COMPLETION_SHELLS)[number],
  commands: readonly CompletionCommand[],
): string {
  const global = optionsOf(GLOBAL_OPTIONS);
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands, global);
}

/** Loads every command and describes it as the scripts need it. */
export async function describeCommands(commands: readonly Registration[]): Promise<readonly CompletionCommand[]> {
  return Promise.all(
    commands.map(async ({ name, summary, load }) => {
      const { default: command } = await load();
      return { name, summary, options: optionsOf(command.options), choices: choicesOf(command) };
    }),
  );
}

function choicesOf(command: Command): readonly string[] {
  return Object.values(command.arguments).flatMap(({ choices }) => choices ?? []);
}

function optionsOf(options: Readonly<Record<string, OptionSpec<unknown>>>): CompletionOption[] {
  return Object.entries(options).map(([key, { help, takes, valueName, short, choices }]) => ({
    flag: flagName(key),
    short,
    help,
    takesValue: takes === 'required' || takes === 'many',
    isPath: valueName === 'FILE' || valueName === 'DIR',
    choices: choices ?? [],
  }));
}

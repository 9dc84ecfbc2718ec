/** What a completion script knows of commands and options. */

export interface CompletionOption {
  /** With its dashes. */
  readonly flag: string;
  readonly short: string | undefined;
  readonly help: string;
  readonly takesValue: boolean;
  /** The value is a file or a directory. */
  readonly isPath: boolean;
  readonly choices: readonly string[];
}

export interface CompletionCommand {
  /** One word or two. */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletionOption[];
  /** What its arguments may be, where that is a fixed set. */
  readonly choices: readonly string[];
}

/** First words, and for each the second words there may be. */
export function wordTree(commands: readonly CompletionCommand[]): ReadonlyMap<string, readonly string[]> {
  const tree = new Map<string, string[]>();
  for (const { name } of commands) {
    const [first = '', second] = name.split(' ');
    const seconds = tree.get(first) ?? tree.set(first, []).get(first)!;
    if (second !== undefined) seconds.push(second);
  }
  return tree;
}

/** The summary of a first word: that of the command, or the words that may follow. */
export function summaryOf(first: string, commands: readonly CompletionCommand[]): string {
  const own = commands.find(({ name }) => name === first);
  return own?.summary ?? (wordTree(commands).get(first) ?? []).join(', ');
}

/** The flags every command takes, before or after its name. */
import { type OptionSpec, option } from './options.ts';

export const GLOBAL_OPTIONS = {
  config: option.text('FILE', 'the configuration file'),
  app: option.text('APP', 'the application; not needed when the file has only one'),
  server: option.text('URL', 'work through this Holdfast server (HOLDFAST_SERVER does the same)'),
  tokenFile: option.text('FILE', 'the file that holds the token for it (or HOLDFAST_TOKEN_FILE)'),
  json: option.flag('print JSON: one document for listings, JSON Lines for work'),
  quiet: option.flag('print no progress and no remarks', 'q'),
  verbose: option.flag('print more: what is being read, causes of errors', 'v'),
  noColor: option.flag('no colours (NO_COLOR does the same)'),
  help: option.flag('explain the command', 'h'),
} as const satisfies Readonly<Record<string, OptionSpec<unknown>>>;

/** `dryRun` → `--dry-run`. */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export interface Scan {
  /** The words that are not flags, nor values of global flags, up to the first two. */
  readonly words: readonly string[];
  /** Where those words stand in `argv`. */
  readonly positions: readonly number[];
  readonly help: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** What other programs taught people to type: `holdfast help backup` and `holdfast --version`. */
export function normaliseCommandLine(argv: readonly string[]): readonly string[] {
  const { words, positions } = scanCommandLine(argv);
  if (words[0] === 'help') return [...argv.toSpliced(positions[0]!, 1), '--help'];
  const asked = words.length === 0 && argv.some((word) => word === '--version' || word === '-V');
  return asked ? ['version', ...argv.filter((word) => word !== '--version' && word !== '-V')] : argv;
}

/** A first look at the command line: which command it is, and how a failure must be told, before anything is understood fully. */
export function scanCommandLine(argv: readonly string[]): Scan {
  const takesValue = new Set(['--config', '--app', '--server', '--token-file']);
  const found: number[] = [];
  const flags = new Set<string>();
  for (let at = 0; at < argv.length && argv[at] !== '--'; at++) {
    const token = argv[at]!;
    if (takesValue.has(token)) at += 1;
    else if (token.startsWith('-') && token !== '-') flags.add(token);
    else if (found.length < 2) found.push(at);
  }
  return {
    words: found.map((at) => argv[at]!),
    positions: found,
    help: flags.has('--help') || flags.has('-h'),
    json: flags.has('--json'),
    verbose: flags.has('--verbose') || flags.has('-v'),
  };
}

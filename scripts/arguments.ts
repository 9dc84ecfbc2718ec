/** The arguments of the commands of this project. A mistake in them gets the usage, not a stack trace. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Like `parseArgs`. `--help` prints the usage and ends with 0; what is not understood is said, with the usage, and ends with 2. */
export function argumentsOf<const C extends ParseArgsConfig>(
  usage: string,
  config: C,
): ReturnType<typeof parseArgs<C>> {
  if (process.argv.slice(2).some((each) => each === '--help' || each === '-h')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`${(error as Error).message.split('. ')[0]}.\n\n${usage}`);
    process.exit(2);
  }
}

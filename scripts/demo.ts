/**
 * The demonstration: `npm run demo [-- --small] [--directory DIR] [--clean]`.
 *
 * Plays the whole story of a clinic that loses everything and gets it back, in `holdfast-demo/` (or DIR), and leaves it there to go on
 * with. `--small` makes a clinic of a few MiB; `--clean` ends the database server and removes the directory.
 */
import { resolve } from 'node:path';
import { FULL_CLINIC, SMALL_CLINIC } from '../demo/clinic.ts';
import { narrator } from '../demo/narrate.ts';
import { clearStage } from '../demo/stage.ts';
import { nextCommands, play } from '../demo/story.ts';
import { formatDuration } from '../src/base/durations.ts';
import { isFailure } from '../src/base/failure.ts';
import { argumentsOf } from './arguments.ts';

const USAGE = `npm run demo [-- OPTION...]: a clinic loses everything and gets it back.

  --small          a clinic of a few MiB
  --directory DIR  play it there (default: holdfast-demo); DIR must be new, or an earlier demonstration
  --clean          end the database server of a demonstration and remove its directory`;

const { values } = argumentsOf(USAGE, {
  options: {
    small: { type: 'boolean', default: false },
    clean: { type: 'boolean', default: false },
    directory: { type: 'string', default: 'holdfast-demo' },
  },
});
const root = resolve(values.directory);
const cleanCommand = `npm run demo -- --clean${values.directory === 'holdfast-demo' ? '' : ` --directory ${values.directory}`}`;

process.exitCode = await (values.clean ? clean() : demonstrate()).catch((error: unknown) => {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  if (isFailure(error) && error.hint !== undefined) console.error(error.hint);
  return 1;
});

async function clean(): Promise<number> {
  const removed = await clearStage(root);
  console.log(removed ? `Stopped the server and removed ${root}.` : `Nothing to remove: there is no ${root}.`);
  return 0;
}

async function demonstrate(): Promise<number> {
  const colours = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const started = performance.now();
  process.once('SIGINT', () => {
    console.error(`\nInterrupted. To remove what is there: ${cleanCommand}`);
    process.exit(130);
  });
  if (await clearStage(root)) console.log(`Removed an earlier demonstration from ${root}.`);
  try {
    await play(
      root,
      values.small ? SMALL_CLINIC : FULL_CLINIC,
      narrator(process.stdout, colours, () => performance.now()),
    );
  } catch (error) {
    console.error(`\nThe demonstration failed. What is there is left to look at; to remove it: ${cleanCommand}`);
    throw error;
  }
  console.log(
    `\nAll of it took ${formatDuration(performance.now() - started)}. The clinic's database is running. Try next:\n`,
  );
  for (const command of nextCommands(root)) console.log(`  ${command}`);
  console.log(`\nWhen you have seen enough: ${cleanCommand}`);
  return 0;
}

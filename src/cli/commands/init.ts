/** `holdfast init`: creates the repository on every storage, or completes it, and writes the recovery kit. */
import { asFailure, EXIT } from '../../base/failure.ts';
import type { Progress } from '../../base/progress.ts';
import type { Configuration } from '../../config/configuration.ts';
import { thisProcess } from '../../operations/holder.ts';
import { init } from '../../operations/init.ts';
import { collectKit, recoveryKit } from '../../operations/kit.ts';
import { kitPlace } from '../../operations/kit-files.ts';
import { rememberPlaces } from '../../operations/places.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession, openStores } from '../open-session.ts';
import { writeFileWhole } from '../output/write-file.ts';

const WORDS = {
  created: 'created',
  completed: 'has the config and keys of the repository now; "holdfast sync" brings it level with the others',
  existing: 'exists already, nothing to do',
} as const;

export default defineCommand({
  details:
    'Every storage gets the same config and keys. It can be run again at any time: what an interrupted run left is completed, a storage ' +
    'that is new in the configuration gets the keys of the others (then "holdfast sync" fills it), and a repository of somebody else is ' +
    'refused and left alone, as is a directory that holds files of something else. The recovery kit, without the password, is written beside ' +
    'the configuration as text and as a page to print; where the kit of another repository lies there, beside that one.',
  examples: [['holdfast init --json', 'the same, told to a program']],
  exits: [EXIT.partial, EXIT.damaged, EXIT.wrongPassword],
  left: 'Run "holdfast init" again: it completes what was begun.',
  async run(context) {
    const { clock, signal, progress, output, flags } = context;
    const config = await context.config();
    const password = await config.password();
    const stores = await openStores(context, { create: true });
    try {
      const { repositoryId, storages } = await init({
        ...{ stores, password, clock, signal, progress, objectLocked: await objectLocked(config) },
        holder: thisProcess(),
      });
      const outcomes = [...storages];
      for (const [name, it] of outcomes) {
        if (it.state === 'failed') await output.warn(it.failure.message, it.failure.hint);
        else await output.line(`${name}: ${WORDS[it.state]}.`);
        for (const { title, missing } of it.state === 'failed' ? [] : (it.missing ?? []))
          await output.warn(`${name} does not guarantee that ${title}. ${missing}`);
      }
      await output.line(
        `Repository ${repositoryId.slice(0, 8)}. Without its password nobody can read it, you included.`,
      );
      const kit = await writeKits(
        context,
        new Set(outcomes.flatMap(([name, { state }]) => (state === 'failed' ? [name] : []))),
      );
      if (flags.json) {
        const states = outcomes.map(([name, it]) => [
          name,
          it.state === 'failed' ? { error: it.failure.code, message: it.failure.message } : it.state,
        ]);
        await output.summary({ repository: repositoryId, storages: Object.fromEntries(states), kit });
      }
      return outcomes.some(([, { state }]) => state === 'failed') ? EXIT.partial : EXIT.done;
    } finally {
      await Promise.all(stores.map((store) => store.close()));
    }
  },
});

/** A storage whose secret cannot be had fails by itself, later. */
async function objectLocked(config: Configuration): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const name of config.storageNames) {
    const settings = await config.storage(name).catch(() => undefined);
    if (settings?.type === 's3' && settings.objectLock !== undefined) names.add(name);
  }
  return names;
}

/**
 * The kit as text and as a page, beside the configuration; where that cannot be written, the repository is made all the same. Of the storages
 * in `told` everything was said before. Returns the files.
 */
async function writeKits(context: Context, told: ReadonlySet<string>): Promise<string[]> {
  const { output, progress } = context;
  const config = await context.config();
  const quieter: Progress = (event) => {
    if (event.type !== 'warning' || event.storage === undefined || !told.has(event.storage)) progress(event);
  };
  await using session = await openSession({ ...context, progress: quieter });
  await rememberPlaces(session);
  const kit = await collectKit(session, { config, programVersion: context.build.version, withPassword: false });
  const { repositoryId } = kit;
  const files: string[] = [];
  try {
    for (const [format, extension] of KITS) {
      const place = { name: 'recovery-kit', extension, repositoryId };
      const { file, beside } = await kitPlace(config.directory, place);
      await writeFileWhole(file, recoveryKit(kit, format));
      files.push(file);
      await output.line(`Recovery kit: ${file}. Print it and keep it elsewhere.`);
      if (beside !== undefined) await output.note(`${beside} holds something else; it was left as it is.`);
    }
  } catch (error) {
    const hint = 'Write it elsewhere: holdfast kit --format html --output FILE';
    await output.warn(`There is no recovery kit yet. ${asFailure(error).message}`, hint);
  }
  return files;
}

const KITS = [
  ['text', 'txt'],
  ['html', 'html'],
] as const;

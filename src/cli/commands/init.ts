/** `holdfast init`: creates the repository on every storage, or completes it, and writes the recovery kit. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT } from '../../base/failure.ts';
import type { Configuration } from '../../config/configuration.ts';
import { thisProcess } from '../../operations/holder.ts';
import { init } from '../../operations/init.ts';
import { collectKit, recoveryKit } from '../../operations/kit.ts';
import { rememberPlaces } from '../../operations/places.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession, openStores } from '../open-session.ts';

const WORDS = {
  created: 'created',
  completed: 'completed: config or keys were missing',
  existing: 'exists already, nothing to do',
} as const;

export default defineCommand({
  details:
    'Every storage gets the same config and keys. It can be run again at any time: what an interrupted run left is completed, a storage ' +
    'that is new in the configuration gets the keys of the others (then "holdfast sync" fills it), and a repository of somebody else is ' +
    'refused and left alone. The recovery kit, without the password, is written beside the configuration as text and as a page to print.',
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
      await writeKits(context);
      if (flags.json) {
        const states = outcomes.map(([name, it]) => [
          name,
          it.state === 'failed' ? { error: it.failure.code, message: it.failure.message } : it.state,
        ]);
        await output.summary({ repository: repositoryId, storages: Object.fromEntries(states) });
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

/** The kit as text and as a page, beside the configuration; where that cannot be written, the repository is made all the same. */
async function writeKits(context: Context): Promise<void> {
  const { output } = context;
  const config = await context.config();
  await using session = await openSession(context);
  await rememberPlaces(session);
  const kit = await collectKit(session, { config, programVersion: context.build.version, withPassword: false });
  try {
    for (const [format, name] of KITS) {
      const file = join(config.directory, name);
      await writeFile(file, recoveryKit(kit, format), { mode: 0o600 });
      await output.line(`Recovery kit: ${file}. Print it and keep it elsewhere.`);
    }
  } catch (error) {
    const hint = 'Write it elsewhere: holdfast kit --format html --output FILE';
    await output.warn(`The recovery kit could not be written: ${(error as Error).message}.`, hint);
  }
}

const KITS = [
  ['text', 'recovery-kit.txt'],
  ['html', 'recovery-kit.html'],
] as const;

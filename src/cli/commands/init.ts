/** `holdfast init`: creates the repository on every storage, or completes it. */
import { EXIT } from '../../base/failure.ts';
import { thisProcess } from '../../operations/holder.ts';
import { init } from '../../operations/init.ts';
import { defineCommand } from '../command.ts';
import { openStores } from '../open-session.ts';

const WORDS = {
  created: 'created',
  completed: 'completed: config or keys were missing',
  existing: 'exists already, nothing to do',
} as const;

export default defineCommand({
  details:
    'Every storage gets the same config and keys. It can be run again at any time: what an interrupted run left is completed, a storage ' +
    'that is new in the configuration gets the keys of the others (then "holdfast sync" fills it), and a repository of somebody else is ' +
    'refused and left alone.',
  examples: [['holdfast init --json', 'the same, told to a program']],
  exits: [EXIT.partial, EXIT.damaged, EXIT.wrongPassword],
  async run(context) {
    const { clock, signal, progress, output, flags } = context;
    const password = await (await context.config()).password();
    const stores = await openStores(context, { create: true });
    try {
      const { repositoryId, storages } = await init({
        ...{ stores, password, clock, signal, progress },
        holder: thisProcess(),
      });
      const outcomes = [...storages];
      if (flags.json) {
        const states = outcomes.map(([name, it]) => [
          name,
          it.state === 'failed' ? { error: it.failure.code, message: it.failure.message } : it.state,
        ]);
        await output.summary({ repository: repositoryId, storages: Object.fromEntries(states) });
      }
      for (const [name, it] of outcomes) {
        if (it.state === 'failed') await output.warn(it.failure.message, it.failure.hint);
        else await output.line(`${name}: ${WORDS[it.state]}.`);
      }
      await output.line(
        `Repository ${repositoryId.slice(0, 8)}. Without its password nobody can read it, you included.`,
      );
      return outcomes.some(([, { state }]) => state === 'failed') ? EXIT.partial : EXIT.done;
    } finally {
      await Promise.all(stores.map((store) => store.close()));
    }
  },
});

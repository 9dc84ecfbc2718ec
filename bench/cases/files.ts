/** First backup of a data directory and files to one storage, and the next one after a change of one percent. */

import { runOk } from '../../test/support/run.ts';
import { changeOnePercent } from '../data/directory.ts';
import { contest, type Stage } from '../harness/contest.ts';
import type { Bench, BenchContext } from '../harness/context.ts';
import { borgTool } from '../programs/borg.ts';
import { holdfastTool } from '../programs/holdfast.ts';
import { kopiaTool } from '../programs/kopia.ts';
import { resticTools } from '../programs/restic.ts';
import { absent, present, type Tool, type Vault } from '../programs/tool.ts';

export const files: Bench = {
  name: 'files',
  title: 'A data directory and files, one storage',
  async run(context) {
    const found = [{ tool: await holdfastTool() }, ...(await resticTools()), await borgTool(), await kopiaTool()];
    const source = context.workspace.place('source'); // a copy, for it is changed
    await runOk('cp', ['-a', await context.directory(), source]);
    const rows = await contest(context, present<Tool>(found), stages(context, source));
    await context.workspace.remove(source);
    return {
      about:
        'A stopped PostgreSQL data directory, photo-like files that do not compress, and text. Every program starts with an empty ' +
        'repository and no cache (restic with `--no-cache`; the caches of borg and kopia are as new as their repository), compresses with ' +
        'zstd and encrypts. Then one percent is changed: a run of pages in every relation file, one photo and one text in a hundred.',
      rows,
      missing: absent<Tool>(found),
    };
  },
};

function stages(context: BenchContext, source: string): Stage<Tool>[] {
  const vaults = new Map<Tool, { vault: Vault; stored: number }>();
  return [
    {
      what: 'first backup',
      turn: async (tool) => {
        const vault = await tool.create(context, source);
        const sample = await vault.backup();
        const stored = await vault.stored();
        vaults.set(tool, { vault, stored });
        return { sample, stored };
      },
    },
    {
      what: 'backup after 1 % changed',
      before: (round) => changeOnePercent(source, round),
      turn: async (tool) => {
        const { vault, stored } = vaults.get(tool) as { vault: Vault; stored: number };
        const sample = await vault.backup();
        const grown = (await vault.stored()) - stored;
        await context.workspace.remove(vault.directory);
        return { sample, stored: grown };
      },
    },
  ];
}

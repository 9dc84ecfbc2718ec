/** Restoring everything into an empty directory; what came back is compared with the source, byte by byte, outside the measured time. */
import { makeDirectory } from '../data/directory.ts';
import { contest } from '../harness/contest.ts';
import type { Bench } from '../harness/context.ts';
import { assertSameTree } from '../harness/equal.ts';
import { borgTool } from '../programs/borg.ts';
import { holdfastTool } from '../programs/holdfast.ts';
import { kopiaTool } from '../programs/kopia.ts';
import { resticTools } from '../programs/restic.ts';
import { absent, present, type Tool, type Vault } from '../programs/tool.ts';
import { directoryParts } from './sizes.ts';

export const restore: Bench = {
  name: 'restore',
  title: 'Restoring everything',
  async run(context) {
    const found = [{ tool: await holdfastTool() }, ...(await resticTools()), await borgTool(), await kopiaTool()];
    const source = context.workspace.place('source');
    await makeDirectory(source, directoryParts(context.quick));
    const tools = present<Tool>(found);
    const vaults = new Map<Tool, Vault>();
    for (const tool of tools) {
      const vault = await tool.create(context, source);
      await vault.backup();
      vaults.set(tool, vault);
    }
    const turn = async (tool: Tool) => {
      const vault = vaults.get(tool) as Vault;
      const target = context.workspace.place('restored');
      const sample = await vault.restore(target);
      await assertSameTree(source, vault.restoredAt(target));
      await context.workspace.remove(target);
      return { sample };
    };
    const rows = await contest(context, tools, [{ what: 'restore of everything', turn }]);
    await context.workspace.remove(source, ...[...vaults.values()].map(({ directory }) => directory));
    return {
      about:
        'The first backup of the directory above, into an empty directory. Every restore is compared with the source: names, types, modes, ' +
        'times and every byte. Holdfast verifies each blob and ends with `fsync`; the others do not flush what they wrote.',
      rows,
      missing: absent<Tool>(found),
    };
  },
};

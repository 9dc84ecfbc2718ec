/** Restoring everything into an empty directory; what came back is compared with the source, byte by byte, outside the measured time. */
import { contest } from '../harness/contest.ts';
import type { Bench } from '../harness/context.ts';
import { assertSameTree } from '../harness/equal.ts';
import { holdfastTool } from '../programs/holdfast.ts';
import { resticTools } from '../programs/restic.ts';
import { absent, present, type Tool, type Vault } from '../programs/tool.ts';

export const restore: Bench = {
  name: 'restore',
  title: 'Restoring everything',
  async run(context) {
    const found = [{ tool: await holdfastTool() }, ...(await resticTools())];
    const source = await context.directory();
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
    await context.workspace.remove(...[...vaults.values()].map(({ directory }) => directory));
    return {
      about:
        'The first backup of the directory above, into an empty directory. Every restore is compared with the source: names, types, modes, ' +
        'times and every byte. Both verify each blob; Holdfast ends with `fsync`, restic does not flush what it wrote.',
      rows,
      missing: absent<Tool>(found),
    };
  },
};

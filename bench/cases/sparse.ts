/** One very large file without content: memory must not grow with the size of a file. */
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contest } from '../harness/contest.ts';
import type { Bench } from '../harness/context.ts';
import { holdfastTool } from '../programs/holdfast.ts';
import { newestRestic } from '../programs/restic.ts';
import { absent, present, type Tool } from '../programs/tool.ts';

const GIB = 1024 ** 3;

export const sparse: Bench = {
  name: 'sparse',
  title: 'A sparse file of 20 GiB',
  async run(context) {
    const source = await context.workspace.directory('sparse');
    const file = join(source, 'sparse.img');
    await writeFile(file, 'begin');
    await truncate(file, context.quick ? GIB / 2 : 20 * GIB);
    const found = [{ tool: await holdfastTool() }, await newestRestic()];
    const turn = async (tool: Tool) => {
      const vault = await tool.create(context, source);
      const sample = await vault.backup();
      const stored = await vault.stored();
      await context.workspace.remove(vault.directory);
      return { sample, stored };
    };
    const rows = await contest(context, present<Tool>(found), [{ what: 'first backup', turn }], 1);
    return {
      about:
        'A file of five bytes and a hole. Both programs read the hole as zeros. One run each; the memory is what matters.',
      rows,
      missing: absent<Tool>(found),
    };
  },
};

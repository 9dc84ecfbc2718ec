/** The same backup in three storages: once with Holdfast, or one backup and two copies with restic. */
import { join } from 'node:path';
import { contest } from '../harness/contest.ts';
import type { Bench, BenchContext } from '../harness/context.ts';
import { type Sample, together } from '../harness/measure.ts';
import { holdfastTool } from '../programs/holdfast.ts';
import { newestRestic, type ResticTool } from '../programs/restic.ts';
import { absent, present, type Tool } from '../programs/tool.ts';

export const three: Bench = {
  name: 'three',
  title: 'The same into three storages',
  async run(context) {
    const restics = [await newestRestic()];
    const holdfast = await holdfastTool({ copies: 3 });
    const source = await context.directory();
    const entrants = [
      { ...holdfast, make: () => backUpOnce(context, holdfast, source) },
      ...present(restics).map((tool) => ({
        name: `${tool.name}: backup, two copies`,
        isHoldfast: false,
        make: () => backUpAndCopy(context, tool, source),
      })),
    ];
    const rows = await contest(context, entrants, [
      { what: 'first backup, three storages', turn: async ({ make }) => ({ sample: await make() }) },
    ]);
    return {
      about:
        'The directory of the first table, into three storages on the same disk, all complete at the end. For the newest restic at hand: `backup`, then `copy` ' +
        'twice into repositories with the same chunker parameters; times added up. Creating the repositories is not counted.',
      rows,
      missing: absent(restics),
    };
  },
};

async function backUpOnce(context: BenchContext, tool: Tool, source: string): Promise<Sample> {
  const vault = await tool.create(context, source);
  const sample = await vault.backup();
  await context.workspace.remove(vault.directory);
  return sample;
}

async function backUpAndCopy(context: BenchContext, tool: ResticTool, source: string): Promise<Sample> {
  const vault = await tool.create(context, source);
  const copies = ['second', 'third'].map((name) => join(vault.directory, name));
  for (const copy of copies) await tool.createCopy(vault, copy);
  const samples = [await vault.backup()];
  for (const copy of copies) samples.push(await vault.copyTo(copy));
  await context.workspace.remove(vault.directory);
  return together(samples);
}

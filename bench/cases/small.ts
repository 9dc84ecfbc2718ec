/** Very many small files: first and unchanged backup, memory, and one file restored out of a million. */
import { join } from 'node:path';
import { runOk } from '../../test/support/run.ts';
import { makeManyFiles } from '../data/many-files.ts';
import { contest, type Stage } from '../harness/contest.ts';
import type { Bench, BenchContext } from '../harness/context.ts';
import type { Figure, Row } from '../harness/results.ts';
import { holdfastTool } from '../programs/holdfast.ts';
import { firstStorage, loadIndex } from '../programs/index-load.ts';
import { newestRestic, resticTools } from '../programs/restic.ts';
import { absent, present, type Tool, type Vault } from '../programs/tool.ts';

const MANY = 50_000;
const VERY_MANY = 1_000_000;
const MANY_QUICK = 5_000;
const VERY_MANY_QUICK = 50_000;

export const small: Bench = {
  name: 'small',
  title: 'A million small files',
  async run(context) {
    const holdfast = await holdfastTool();
    const restics = await resticTools();
    const [newest] = present([await newestRestic()]);
    const many = context.quick ? MANY_QUICK : MANY;
    const rows = await race(context, [holdfast, ...present<Tool>(restics)], many, context.runs);
    const veryMany = context.quick ? VERY_MANY_QUICK : VERY_MANY;
    const figures: Figure[] = [];
    rows.push(...(await race(context, newest ? [holdfast, newest] : [holdfast], veryMany, 1, figures)));
    return {
      about:
        'Files of 200 to 4,200 bytes, all different, a thousand in a directory. The million is done once by Holdfast and by the newest restic ' +
        'at hand, the smaller number three times by all. The unchanged backup is a second one right after the first.',
      rows,
      figures,
      missing: absent<Tool>(restics),
    };
  },
};

/** `figures`, when given, receives what one small restore takes after the index is read. */
async function race(
  context: BenchContext,
  tools: readonly Tool[],
  count: number,
  runs: number,
  figures?: Figure[],
): Promise<Row[]> {
  const source = context.workspace.place('many');
  const one = makeManyFiles(source, count);
  const vaults = new Map<Tool, Vault>();
  const amount = `${count.toLocaleString('en')} files`;
  const stages: Stage<Tool>[] = [
    {
      what: `first backup, ${amount}`,
      turn: async (tool) => {
        const vault = await tool.create(context, source);
        vaults.set(tool, vault);
        const sample = await vault.backup();
        return { sample, stored: await vault.stored() };
      },
    },
    {
      what: `unchanged backup, ${amount}`,
      turn: async (tool) => ({ sample: await (vaults.get(tool) as Vault).backup() }),
    },
    {
      what: `restore of one of ${amount}`,
      turn: async (tool) => {
        const vault = vaults.get(tool) as Vault;
        const target = context.workspace.place('restored');
        const sample = await vault.restore(target, one);
        await runOk('cmp', [join(source, one), join(vault.restoredAt(target), one)]);
        if (figures && tool.isHoldfast) figures.push(...(await afterIndex(context, vault, sample.wall)));
        await context.workspace.remove(target, vault.directory);
        return { sample };
      },
    },
  ];
  const rows = await contest(context, tools, stages, runs);
  await context.workspace.remove(source);
  return rows;
}

async function afterIndex(context: BenchContext, vault: Vault, whole: number): Promise<Figure[]> {
  const { load } = await loadIndex(context, firstStorage(vault.directory));
  const ready = `${load.readySeconds.toFixed(2)} s, of these ${load.indexSeconds.toFixed(2)} s for the index of ${load.blobs.toLocaleString('en')} blobs`;
  return [
    { what: 'start, opening and index alone, measured by themselves', value: ready },
    { what: 'restore of the one file after that', value: `${(whole - load.readySeconds).toFixed(2)} s` },
  ];
}

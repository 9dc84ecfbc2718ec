/** The index of a repository with ten million blobs: memory, reading, looking up. */
import { addIndexFiles } from '../data/index-files.ts';
import { contest } from '../harness/contest.ts';
import type { Bench } from '../harness/context.ts';
import type { Sample } from '../harness/measure.ts';
import type { IndexLoad } from '../load-index.ts';
import { holdfastTool, PASSWORD } from '../programs/holdfast.ts';
import { firstStorage, loadIndex } from '../programs/index-load.ts';
import { newestRestic, type ResticTool } from '../programs/restic.ts';
import { absent, present } from '../programs/tool.ts';

const BLOBS = 10_000_000;
const BLOBS_QUICK = 200_000;

export const index: Bench = {
  name: 'index',
  title: 'An index of ten million blobs',
  async run(context) {
    const blobs = context.quick ? BLOBS_QUICK : BLOBS;
    const holdfast = await holdfastTool();
    const found = await newestRestic();
    const vault = await holdfast.create(context, context.workspace.path);
    const repository = firstStorage(vault.directory);
    await addIndexFiles(repository, PASSWORD, blobs);
    let last: IndexLoad | undefined;
    const ours = async () => {
      const { sample, load } = await loadIndex(context, repository);
      last = load;
      return sample;
    };
    const entrants: { name: string; isHoldfast: boolean; load: () => Promise<Sample> }[] = [
      { name: holdfast.name, isHoldfast: true, load: ours },
      ...present<ResticTool>([found]).map((tool) => ({
        name: tool.name,
        isHoldfast: false,
        load: () => tool.attach(context, repository).loadIndex(),
      })),
    ];
    const stages = [
      {
        what: `read the index of ${blobs.toLocaleString('en')} blobs`,
        turn: async ({ load }: { load: () => Promise<Sample> }) => ({ sample: await load() }),
      },
    ];
    const rows = await contest(context, entrants, stages, 1);
    await context.workspace.remove(vault.directory);
    return {
      about:
        'Index files that name ten million blobs in half a million packs, 50,000 to a file. Holdfast: a program that opens the repository, ' +
        'reads the index and looks up two million ids, half of them absent. restic: `find --blob` without snapshots. The same repository.',
      rows,
      figures: last ? figuresOf(last) : [],
      missing: absent([found]),
    };
  },
};

function figuresOf({ blobs, bytes, openSeconds, indexSeconds, lookupsPerSecond }: IndexLoad) {
  return [
    { what: 'memory of the index', value: `${(bytes / blobs).toFixed(1)} bytes a blob` },
    { what: 'opening the repository (deriving the key)', value: `${openSeconds.toFixed(2)} s` },
    {
      what: 'reading the index',
      value: `${indexSeconds.toFixed(2)} s, ${(blobs / indexSeconds / 1e6).toFixed(2)} million blobs/s`,
    },
    { what: 'looking up', value: `${(lookupsPerSecond / 1e6).toFixed(2)} million/s` },
  ];
}

/** Three S3 storages that are far away: every request waits before the service hears of it. */
import { startFaultyProxy } from '../../test/support/faulty-proxy.ts';
import { needS3, startS3, type TestS3 } from '../../test/support/s3/start.ts';
import { makeDirectory } from '../data/directory.ts';
import { contest } from '../harness/contest.ts';
import type { Bench, BenchContext } from '../harness/context.ts';
import { type Sample, together } from '../harness/measure.ts';
import { holdfastTool } from '../programs/holdfast.ts';
import { newestRestic, type ResticTool } from '../programs/restic.ts';
import { absent, present } from '../programs/tool.ts';

const MIB = 1024 * 1024;
const DELAY_MS = 20;
const COPIES = 3;
const PARTS = { database: 32 * MIB, photos: 24 * MIB, text: 8 * MIB };
const PARTS_QUICK = { database: 8 * MIB, photos: 4 * MIB, text: 2 * MIB };
const ABOUT =
  `A directory like the first, 64 MiB, into three buckets of one S3 service (Ceph, in memory) behind a proxy that holds every request back ` +
  `for ${DELAY_MS} ms. For restic: a backup and two copies, times added up. Service and proxy share the machine with the programs.`;

export const latency: Bench = {
  name: 'latency',
  title: 'Three distant S3 storages',
  async run(context) {
    const { skip } = await needS3();
    if (skip) return { about: ABOUT, rows: [], missing: [`everything here: ${skip}`] };
    const found = await newestRestic();
    const source = context.workspace.place('source');
    await makeDirectory(source, context.quick ? PARTS_QUICK : PARTS);
    const s3 = await startS3();
    try {
      await using proxy = await startFaultyProxy({ upstream: s3.endpoint });
      proxy.inject({ fault: { kind: 'delay', ms: DELAY_MS } });
      const entrants = [
        await holdfastEntrant(context, s3, proxy.endpoint, source),
        ...present<ResticTool>([found]).map((tool) => resticEntrant(context, tool, s3, proxy.endpoint, source)),
      ];
      const rows = await contest(context, entrants, [
        { what: 'first backup, three S3 storages', turn: async ({ backUp }) => ({ sample: await backUp() }) },
      ]);
      return { about: ABOUT, rows, missing: absent([found]) };
    } finally {
      await s3.stop();
    }
  },
};

async function holdfastEntrant(context: BenchContext, s3: TestS3, endpoint: string, source: string) {
  const { name } = await holdfastTool();
  const backUp = async (): Promise<Sample> => {
    const access = { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey };
    const storages: Record<string, object> = {};
    for (let i = 1; i <= COPIES; i++)
      storages[`s${i}`] = { type: 's3', endpoint, bucket: await s3.createBucket(), ...access };
    const tool = await holdfastTool({ storages });
    return (await tool.create(context, source)).backup();
  };
  return { name, isHoldfast: true, backUp };
}

function resticEntrant(context: BenchContext, tool: ResticTool, s3: TestS3, endpoint: string, source: string) {
  const env = { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey };
  const location = async () => `s3:${endpoint}/${await s3.createBucket()}`;
  const backUp = async (): Promise<Sample> => {
    const vault = await tool.create(context, source, await location(), env);
    const samples: Sample[] = [];
    const copies: string[] = [];
    for (let i = 1; i < COPIES; i++) copies.push(await location());
    for (const copy of copies) await tool.createCopy(vault, copy);
    samples.push(await vault.backup());
    for (const copy of copies) samples.push(await vault.copyTo(copy));
    return together(samples);
  };
  return { name: `${tool.name}: backup, two copies`, isHoldfast: false, backUp };
}

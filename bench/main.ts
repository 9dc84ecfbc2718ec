/**
 * Side-by-side measurements against other programs.
 *
 *   npm run bench                       everything: about forty minutes on a quiet machine
 *   npm run bench -- files restore      some
 *   npm run bench -- --quick            small data, one run, nothing recorded: shows that the benchmarks work
 *   npm run bench -- files --profile D  processor profiles of Holdfast into the directory D, with a summary; nothing recorded
 *
 * Prints a table for each benchmark and records it in bench/results.json and docs/performance.md. HOLDFAST_BENCH_DIR says where data and
 * repositories are put (default: the system's temporary directory), HOLDFAST_BUILD_TOOLS=1 lets it build a current restic and kopia.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { api } from './cases/api.ts';
import { catalog } from './cases/catalog.ts';
import { database } from './cases/database.ts';
import { files } from './cases/files.ts';
import { incremental, incrementalLarge } from './cases/incremental.ts';
import { index } from './cases/index-load.ts';
import { latency } from './cases/latency.ts';
import { limits } from './cases/limits.ts';
import { moment } from './cases/moment.ts';
import { restore } from './cases/restore.ts';
import { scheduler } from './cases/scheduler.ts';
import { schedules } from './cases/schedules.ts';
import { service } from './cases/service.ts';
import { small } from './cases/small.ts';
import { sparse } from './cases/sparse.ts';
import { three } from './cases/three.ts';
import { wal } from './cases/wal.ts';
import { makeDirectory } from './data/directory.ts';
import type { Bench, BenchContext } from './harness/context.ts';
import { describeMachine } from './harness/machine.ts';
import { summarizeProfiles } from './harness/profile.ts';
import { terminalTable, updatePage } from './harness/report.ts';
import { type BenchResult, readResults, writeResults } from './harness/results.ts';
import { Workspace } from './harness/workspace.ts';

const MIB = 1024 * 1024;
const BENCHES: readonly Bench[] = [
  files,
  three,
  restore,
  database,
  incremental,
  incrementalLarge,
  wal,
  moment,
  small,
  index,
  sparse,
  latency,
  limits,
  catalog,
  api,
  service,
  schedules,
  scheduler,
];
const RUNS = 3;
/** Bytes of the directory that most benchmarks back up: 1 GiB. */
const PARTS = { database: 480 * MIB, photos: 416 * MIB, text: 128 * MIB };
const QUICK_PARTS = { database: 48 * MIB, photos: 40 * MIB, text: 8 * MIB };
const QUIET = 0.5;

const root = fileURLToPath(new URL('..', import.meta.url));
const resultsPath = join(root, 'bench', 'results.json');
const pagePath = join(root, 'docs', 'performance.md');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, profile: { type: 'string' } },
});
const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  console.error(`No such benchmark: ${unknown.join(', ')}. There are: ${BENCHES.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
const chosen = positionals.length > 0 ? BENCHES.filter(({ name }) => positionals.includes(name)) : BENCHES;
const profiles = values.profile === undefined ? undefined : resolve(values.profile);
if (profiles !== undefined) await mkdir(profiles, { recursive: true });
const recorded = !values.quick && profiles === undefined;

await using shared = await Workspace.create(process.env.HOLDFAST_BENCH_DIR);
let sharedDirectory: Promise<string> | undefined;

for (const bench of chosen) {
  const result = await runBench(bench);
  console.log(`\n${terminalTable(result)}\n`);
  if (recorded) await record(bench.name, result);
}
if (profiles !== undefined) console.log(await summarizeProfiles(profiles));

async function runBench(bench: Bench): Promise<BenchResult> {
  const machine = describeMachine();
  if (machine.load > QUIET && recorded)
    console.log(`The machine is not quiet: load ${machine.load}. Figures will be worse than they could be.`);
  const started = systemClock.monotonic();
  const time = new Date(systemClock.now()).toISOString();
  await using workspace = await Workspace.create(process.env.HOLDFAST_BENCH_DIR);
  const context: BenchContext = {
    workspace,
    quick: values.quick,
    runs: recorded ? RUNS : 1,
    profiles,
    directory: () => {
      sharedDirectory ??= makeSharedDirectory();
      return sharedDirectory;
    },
    say: (line) => console.log(`  ${bench.name}: ${line}`),
  };
  const { about, rows, figures = [], missing = [] } = await bench.run(context);
  const duration = Math.round((systemClock.monotonic() - started) / 1000);
  return { title: bench.title, about, rows, figures, missing, time, duration, machine };
}

async function makeSharedDirectory(): Promise<string> {
  const path = shared.place('source');
  await makeDirectory(path, values.quick ? QUICK_PARTS : PARTS);
  return path;
}

async function record(name: string, result: BenchResult): Promise<void> {
  const results = { ...(await readResults(resultsPath)), [name]: result };
  const ordered = Object.fromEntries(
    BENCHES.flatMap((bench) => (results[bench.name] ? [[bench.name, results[bench.name] as BenchResult]] : [])),
  );
  await writeResults(resultsPath, ordered, root);
  await updatePage(
    pagePath,
    ordered,
    BENCHES.map((bench) => bench.name),
  );
}

/** The machine on which the service runs: processor and memory. */
import { availableParallelism, loadavg, totalmem } from 'node:os';
import { formatBytes } from '../../base/sizes.ts';
import { type DoctorFinding, good, remark } from '../../operations/doctor-finding.ts';
import type { HealthInput } from '../health-checks.ts';

const ABOUT = 'machine of the service';
/** Waiting processes per core over fifteen minutes. */
const BUSY = 2;
const LITTLE = 0.05;

export async function machineFindings(_input: HealthInput): Promise<DoctorFinding[]> {
  return [processor(loadavg()[2] ?? 0, availableParallelism()), memory(process.availableMemory(), totalmem())];
}

function processor(load: number, cores: number): DoctorFinding {
  const what = `Over a quarter of an hour ${load.toFixed(1)} processes wanted one of its ${cores} cores.`;
  return load <= BUSY * cores
    ? good(ABOUT, what)
    : remark(ABOUT, what, 'Lower worker.concurrency, or run a worker elsewhere.');
}

function memory(free: number, total: number): DoctorFinding {
  const what = `${formatBytes(free)} of ${formatBytes(total)} memory can be had.`;
  return free >= LITTLE * total
    ? good(ABOUT, what)
    : remark(ABOUT, what, 'See what takes it; runs may be ended for lack of memory.');
}

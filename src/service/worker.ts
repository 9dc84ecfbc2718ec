/** `holdfast worker`: a process that carries runs out and does nothing else. */
import { openCatalog } from '../catalog/catalog.ts';
import { runWorker, type WorkerChoice } from './run-worker.ts';
import type { ServiceWorld } from './world.ts';

export async function runWorkerProcess(world: ServiceWorld, choice: WorkerChoice): Promise<void> {
  await using catalog = await openCatalog(await world.configuration.current.catalog());
  await runWorker(world, catalog, choice);
}

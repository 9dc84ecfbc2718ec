/** What others may use of the workers: producers of blobs their pool, and who opens a repository their threads ahead of time. */
export type { PieceResult } from './workers/messages.ts';
export type { SealPool } from './workers/seal-pool.ts';
export { prepareThread, type ThreadModule } from './workers/spawn.ts';

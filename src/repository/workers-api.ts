/** What producers of blobs outside this folder may use of the workers. */
export type { PieceResult } from './workers/messages.ts';
export type { SealPool } from './workers/seal-pool.ts';

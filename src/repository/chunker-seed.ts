/** Chunk boundaries must not tell what a file is: the gear table is drawn from a secret of the repository. */
import { hash } from 'node:crypto';
import type { MasterKey } from './crypto/envelope.ts';

export function chunkerSeed({ encrypt }: MasterKey): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from('holdfast chunker\0'), encrypt]), 'buffer');
}

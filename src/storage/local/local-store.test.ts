import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { objectStoreContract } from '../testing/contract.ts';
import { openLocalStore } from './local-store.ts';

objectStoreContract('local', async () => {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-local-'));
  const clean = () => rm(path, { recursive: true, force: true });
  return { store: openLocalStore({ name: 'local', path }), clean };
});

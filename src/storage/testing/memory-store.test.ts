import { objectStoreContract } from './contract.ts';
import { memoryStore } from './memory-store.ts';

objectStoreContract('memory', async () => ({ store: memoryStore() }));

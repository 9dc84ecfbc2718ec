/** Tests that run on several major versions of PostgreSQL, of those that are here. */
import { test } from 'node:test';
import { majors } from './server.ts';

/** The oldest, the newest, and the first that has incremental backups. The one between is tested where it differs. */
export const MAJORS: readonly number[] = (await majors()).filter((major) => major !== 16);

/** A test of this name on each of them. */
export function onEachMajor(name: string, work: (major: number) => Promise<void>): void {
  for (const major of MAJORS) test(`PostgreSQL ${major}: ${name}`, () => work(major));
}

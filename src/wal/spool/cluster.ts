/** Whose WAL a spool holds. Written once, before the first byte. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';
import { parseJsonObject } from '../../base/json-object.ts';
import { replaceFile } from './replace-file.ts';
import { spoolFailure } from './segment-file.ts';

const NAME = 'cluster.json';
const MIB = 1024 * 1024;

export interface Cluster {
  /** 64 bits, as decimal digits. */
  readonly systemIdentifier: string;
  /** Bytes. */
  readonly segmentSize: number;
}

export async function readCluster(directory: string): Promise<Cluster | undefined> {
  const path = join(directory, NAME);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errno(error) === 'ENOENT') return undefined;
    throw spoolFailure(path, error);
  });
  if (text === undefined) return undefined;
  const cluster = parse(text);
  if (cluster !== undefined) return cluster;
  throw new Failure('spool_failed', `${path} makes no sense.`, {
    hint: 'Move the spool directory aside; the stream begins again where the storages end.',
  });
}

export async function writeCluster(directory: string, cluster: Cluster): Promise<void> {
  await replaceFile(join(directory, NAME), `${JSON.stringify(cluster)}\n`, true);
}

function parse(text: string): Cluster | undefined {
  const { systemIdentifier, segmentSize } = parseJsonObject(text) ?? {};
  if (typeof systemIdentifier !== 'string' || !/^\d{1,20}$/.test(systemIdentifier)) return undefined;
  if (typeof segmentSize !== 'number' || segmentSize < MIB || (segmentSize & (segmentSize - 1)) !== 0) return undefined;
  return { systemIdentifier, segmentSize };
}

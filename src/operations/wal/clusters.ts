/**
 * The book of clusters: which cluster archived for which source. Asked when a server that should know its own files does not answer; a
 * cluster that never archived here before is then no reason to believe it.
 */
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from '../../repository/meta.ts';
import type { Repository } from '../../repository/repository.ts';
import { refused } from '../../wal/log-file.ts';

interface ClusterEntry extends MetaEntry {
  readonly systemIdentifier: string;
}

interface Source {
  readonly app: string;
  readonly source: { readonly name: string };
}

const CLUSTERS: MetaBook<ClusterEntry> = {
  kind: 'wal-clusters',
  parse: ({ time, systemIdentifier }) => {
    if (typeof systemIdentifier !== 'string' || !/^\d{1,20}$/.test(systemIdentifier)) return undefined;
    return { time: time as number, systemIdentifier };
  },
};

/** The first cluster of a source is taken at its word. Throws `wal_refused` for another one. */
export async function assertKnownCluster(repository: Repository, of: Source, systemIdentifier: string): Promise<void> {
  const known = await knownCluster(repository, of);
  if (known === undefined) return recordCluster(repository, of, systemIdentifier);
  if (known === systemIdentifier) return;
  throw refused(
    `The log is of the cluster ${systemIdentifier}; ${of.source.name} is ${known}, and the configured server does not answer.`,
    'After pg_upgrade, or when the cluster was made anew, archive while the server of the configuration can be reached.',
  );
}

/** Which cluster archived last for a source. */
export async function knownCluster(repository: Repository, of: Source): Promise<string | undefined> {
  return (await readMeta(repository, CLUSTERS)).get(keyOf(of))?.systemIdentifier;
}

/** All clusters on record for the sources of an app. */
export async function clustersOf(repository: Repository, app: string): Promise<readonly string[]> {
  const entries = [...(await readMeta(repository, CLUSTERS))];
  return entries.filter(([key]) => key.startsWith(`${app} `)).map(([, { systemIdentifier }]) => systemIdentifier);
}

/** Writes down which cluster a source is. */
export async function recordCluster(repository: Repository, of: Source, systemIdentifier: string): Promise<void> {
  await updateMeta(repository, CLUSTERS, (entries, stamp) => {
    const key = keyOf(of);
    if (entries.get(key)?.systemIdentifier !== systemIdentifier)
      entries.set(key, { time: stamp(key), systemIdentifier });
  });
}

function keyOf({ app, source }: Source): string {
  return `${app} ${source.name}`;
}

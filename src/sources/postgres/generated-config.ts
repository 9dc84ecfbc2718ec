/**
 * Configuration files for a data directory that has none of its own: Debian and others keep them elsewhere, and without them
 * `postgres -D` does not start. What the server had beyond the settings that recovery needs is for a `config` source to keep.
 */
import { quotedSetting } from '../../postgres/quoting.ts';
import type { ServerSetup } from '../../postgres/server-settings.ts';

export interface GeneratedFile {
  readonly path: string;
  readonly bytes: Buffer;
}

const HEADER = `# Written by Holdfast when this restore point was made: the data directory had no such file of its own.
# The server's own configuration was kept elsewhere (see SHOW config_file there); a "config" source backs it up.
`;

const HBA = `${HEADER}
# TYPE  DATABASE        USER            ADDRESS                 METHOD
local   all             all                                     peer
host    all             all             127.0.0.1/32            scram-sha-256
host    all             all             ::1/128                 scram-sha-256
local   replication     all                                     peer
host    replication     all             127.0.0.1/32            scram-sha-256
host    replication     all             ::1/128                 scram-sha-256
`;

/** The files of a minimal configuration, by name. */
export function generatedConfig(setup: ServerSetup): readonly GeneratedFile[] {
  return [
    { path: 'postgresql.conf', bytes: Buffer.from(mainConfig(setup)) },
    { path: 'pg_hba.conf', bytes: Buffer.from(HBA) },
    { path: 'pg_ident.conf', bytes: Buffer.from(HEADER) },
  ];
}

function mainConfig(setup: ServerSetup): string {
  const lines = Object.entries(setup.carried).map(([name, value]) => `${name} = ${quotedSetting(value)}`);
  return `${HEADER}
# The server listens on this machine only until you say otherwise.
listen_addresses = 'localhost'

# Recovery needs at least the limits under which the write-ahead log was written; the rest changes what queries answer.
${lines.join('\n')}
`;
}

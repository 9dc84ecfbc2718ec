/** What the kit says, free of how it looks. */
import { timeOnPage } from '../../base/page.ts';
import type { Block, KitDocument, Section } from './document.ts';
import type { KitApp, KitInput, KitSource, KitStorage } from './input.ts';
import { PASSWORD_BLANK, TITLE } from './marks.ts';
import { shortConfig } from './short-config.ts';

const text = (words: string): Block => ({ kind: 'text', text: words });
const commands = (...lines: string[]): Block => ({ kind: 'commands', lines });

/** Where commands of the kit restore to. */
const TARGET = '/restore';
const PASSWORD_FILE = '/root/repository-password';
const CONFIG_FILE = '/root/holdfast.yaml';

export function sections(input: KitInput): KitDocument {
  return {
    title: TITLE,
    kicker: `Holdfast ${input.programVersion} · how to get everything back`,
    subtitle: `Repository ${input.repositoryId.slice(0, 16)}, made ${timeOnPage(input.madeAt)}`,
    sections: [
      first(),
      password(input),
      storages(input),
      ...configuration(input),
      ...input.apps.map(withHoldfast),
      ...input.apps.map((app) => withRestic(input, app)),
      ...input.apps.filter(hasWal).map(walWithRestic),
      keep(),
    ],
  };
}

function first(): Section {
  return {
    title: 'Read this first',
    blocks: [
      text(
        'Nothing here changes or deletes a backup. Every command restores into a new, empty place; production is not touched until you decide.',
      ),
      text(
        'You need three things: one of the storages below, the password, and a machine with enough space. The server that made the backups is not needed.',
      ),
      text('If one storage is gone or damaged, take the next: each holds a complete copy. In order:'),
      {
        kind: 'list',
        ordered: true,
        sentences: [
          'Put the password into a file on the machine where you restore.',
          'See that this machine reaches one of the storages: the disk is mounted, the bucket answers.',
          'Restore with Holdfast. Where it cannot be installed, restore without it.',
          'Look at what came back before anybody works with it: the newest invoice, the last patient.',
          'Put it in place by the runbook of the app, which every restore point holds. Then make backups again.',
        ],
      },
    ],
  };
}

function password(input: KitInput): Section {
  const rows: (readonly [string, string])[] = [
    ['kept in', `${input.passwordKept}, on the machine of the backups`],
    ['password', input.password ?? `${PASSWORD_BLANK} (write it here, or say where the envelope is)`],
    ['repository', input.repositoryId],
    ['key files', input.keys.join(', ')],
  ];
  return {
    title: 'The password',
    blocks: [
      { kind: 'facts', rows },
      text(
        'Without the password nobody can read the backups, the makers of this program included. Put it into a file on the machine where you restore:',
      ),
      commands(`install -m 600 /dev/null ${PASSWORD_FILE}`, `printf '%s' 'THE-PASSWORD' > ${PASSWORD_FILE}`),
    ],
  };
}

function storages(input: KitInput): Section {
  const rows = input.storages.flatMap((storage): (readonly [string, string])[] => [
    [storage.name, storage.location],
    ...(storage.credentials === undefined ? [] : [[`${storage.name} credentials`, storage.credentials] as const]),
  ]);
  return { title: 'The storages', blocks: [{ kind: 'facts', rows }] };
}

/** A file that is enough on a machine that has nothing yet. */
function configuration(input: KitInput): Section[] {
  const [nearest, ...others] = input.storages;
  if (nearest === undefined) return [];
  const apps = input.apps.map(({ name }) => name);
  const lines = shortConfig(nearest, { apps, passwordFile: PASSWORD_FILE, target: TARGET });
  return [
    {
      title: 'A configuration for Holdfast',
      blocks: [
        text(
          `Install Holdfast ${input.programVersion} or newer: a clone of it, "npm ci" in there (Linux, Node.js 20 or newer, npm), and its bin/holdfast in the search path. If the whole configuration is at hand (it was ${input.configFile}), use it. If not, this is enough to restore, with the storage that is left:`,
        ),
        commands(
          ...credentials(nearest),
          `cat > ${CONFIG_FILE} <<'END'`,
          ...lines,
          'END',
          `export HOLDFAST_CONFIG=${CONFIG_FILE}`,
        ),
        ...(others.length === 0
          ? []
          : [
              text('From another storage, write instead of the line below "storages":'),
              commands(...others.map(({ name, settings }) => `  ${name}: ${settings}`)),
            ]),
      ],
    },
  ];
}

function withHoldfast(app: KitApp): Section {
  const newest =
    app.newestPoint === undefined
      ? 'There was no restore point yet'
      : `The newest restore point was of ${timeOnPage(app.newestPoint)}`;
  return {
    title: `Restore "${app.name}" with Holdfast`,
    blocks: [
      text(
        `${newest} when this page was made. The first command lists what there is, the second prints the runbook, the third restores:`,
      ),
      commands(
        `holdfast --app ${quote(app.name)} points`,
        `holdfast --app ${quote(app.name)} runbook show --stored`,
        `holdfast --app ${quote(app.name)} restore latest --to ${quote(`${TARGET}/${app.name}`)}`,
      ),
      ...(hasWal(app) ? newestCommit(app) : []),
      ...app.sources.flatMap((source) => afterwards(source, `${TARGET}/${app.name}/${source.name}`)),
    ],
  };
}

/** What a point alone would lose. */
function newestCommit({ name, sources }: KitApp): Block[] {
  const major = sources.find(({ type }) => type === 'postgres')?.major;
  const needs = major === undefined ? 'a PostgreSQL of the same major version' : `PostgreSQL ${major}`;
  return [
    text(
      `The log of the database is kept, too. Where ${needs} is installed, this brings back everything up to the newest commit that reached the storages, instead of the third command:`,
    ),
    commands(`holdfast --app ${quote(name)} restore --at latest --to ${quote(`${TARGET}/${name}`)}`),
  ];
}

function withRestic(input: KitInput, app: KitApp): Section {
  const [nearest, ...others] = input.storages;
  if (nearest === undefined) return { title: `Restore "${app.name}" without Holdfast`, blocks: [] };
  const alternatives = others.map((storage) => `export RESTIC_REPOSITORY=${quote(storage.restic)}`);
  return {
    title: `Restore "${app.name}" without Holdfast`,
    blocks: [
      text('The backups are in the open restic format. With restic 0.14 or newer (package "restic") and PostgreSQL:'),
      commands(
        ...credentials(nearest),
        `export RESTIC_REPOSITORY=${quote(nearest.restic)}`,
        `export RESTIC_PASSWORD_FILE=${PASSWORD_FILE}`,
        `restic snapshots --tag ${quote(`holdfast,app=${app.name}`)}`,
        `restic dump latest --tag ${quote(`holdfast,app=${app.name}`)} ${quote(`/${app.name}/runbook.txt`)}`,
        `restic restore latest --tag ${quote(`holdfast,app=${app.name}`)} --target ${TARGET}`,
        `chmod 755 ${TARGET} ${quote(`${TARGET}/${app.name}`)}`,
      ),
      text(
        'The tags of a snapshot name the sources that it holds. Where the newest one lacks a source, write the id of one that has it instead of "latest".',
      ),
      text(
        'What "restic dump" prints is the runbook of the app: the steps of its recovery, with the commands and the time each may take.',
      ),
      ...(alternatives.length === 0 ? [] : [text('From another storage, set instead:'), commands(...alternatives)]),
      ...app.sources.flatMap((source) => afterwards(source, `${TARGET}/${app.name}/${source.name}`)),
    ],
  };
}

function hasWal({ sources }: KitApp): boolean {
  return sources.some(({ type, wal }) => type === 'postgres' && wal === true);
}

/** A moment after the point, from the WAL that is folded into snapshots. */
function walWithRestic(app: KitApp): Section {
  const wal = `${TARGET}/${app.name}/wal`;
  const databases = app.sources.filter((source) => hasWal({ ...app, sources: [source] }));
  return {
    title: `Go on from the point of "${app.name}" to a later moment, without Holdfast`,
    blocks: [
      text(
        'Older WAL is in snapshots with the tag holdfast-wal, as whole segments. What is newer than the last of them needs Holdfast ("holdfast restore --at"). With the settings of the section before, and before the database is started:',
      ),
      commands(
        `restic snapshots --tag ${quote(`holdfast-wal,app=${app.name}`)}`,
        `# each of them that is newer than the point, oldest first; "latest" is the newest:`,
        `restic restore latest --tag ${quote(`holdfast-wal,app=${app.name}`)} --target ${TARGET}`,
        `chmod -R a+rX ${quote(wal)}`,
      ),
      ...databases.flatMap(({ name }) => {
        const directory = `${TARGET}/${app.name}/${name}`;
        return [
          commands(
            `echo "restore_command = 'cp ${wal}/*/%f %p'" >> ${quote(`${directory}/postgresql.auto.conf`)}`,
            `echo "archive_mode = 'off'" >> ${quote(`${directory}/postgresql.auto.conf`)}`,
            `# to end before the end: echo "recovery_target_time = '2026-03-01 08:30:00+00'" >> …, and recovery_target_action = 'promote'`,
            `touch ${quote(`${directory}/recovery.signal`)}`,
          ),
        ];
      }),
      text('Then start the server as above. Its log tells how far it came.'),
    ],
  };
}

function credentials({ type, credentials: kept }: KitStorage): string[] {
  if (type !== 's3') return [];
  return [
    `# credentials: ${kept ?? 'see the storages'}`,
    'export AWS_ACCESS_KEY_ID=…',
    'export AWS_SECRET_ACCESS_KEY=…',
  ];
}

function afterwards(source: KitSource, directory: string): Block[] {
  switch (source.type) {
    case 'postgres': {
      const { major = 'N', database } = source;
      const known = source.major === undefined ? '. N is the number in its file PG_VERSION' : '';
      return [
        text(
          `The database "${source.name}" (PostgreSQL ${major}) is a data directory that starts as it is, with the same major version${known}:`,
        ),
        commands(
          'cd /',
          `chown -R postgres:postgres ${quote(directory)}`,
          `chmod 700 ${quote(directory)}`,
          `su postgres -c "/usr/lib/postgresql/${major}/bin/postgres -D ${directory} -p 5499 -k /tmp"`,
        ),
        text('The server stays in this terminal, and Ctrl-C stops it. Look at the data from another one:'),
        commands(
          `su postgres -c "psql -h /tmp -p 5499 ${database !== undefined && quote(database) === database ? `-d ${database}` : '-l'}"`,
        ),
        text(
          'When it is right, copy it into the server of the app with pg_dump, or let a server run from this directory.',
        ),
      ];
    }
    case 'files':
      return [
        text(
          `The files "${source.name}" are in ${directory}${source.path === undefined ? '' : `; they were in ${source.path}`}.`,
        ),
      ];
    case 'config':
      return [
        text(
          `The configuration files "${source.name}" are in ${directory}; masked secrets in them must be filled in again.`,
        ),
      ];
  }
}

function keep(): Section {
  return {
    title: 'Keep this page',
    blocks: [
      text(
        'Print it, put one copy off site, and make a new one after the first backup, an upgrade of PostgreSQL, a new storage or another password: holdfast kit.',
      ),
      text('Try it before you need it: once a quarter, restore on another machine with nothing but this page.'),
    ],
  };
}

/** A word of a POSIX shell. */
function quote(word: string): string {
  return /^[A-Za-z0-9_/:=.,@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

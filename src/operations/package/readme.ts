/** The page in an export package: the exact steps to restore from it with nothing but tar, sha256sum and PostgreSQL. */
import { wrap } from '../../base/wrap.ts';
import type { Manifest, PostgresSourceRecord } from '../../recovery/manifest.ts';
import { SUMS } from './layout.ts';

export interface ReadmeInput {
  readonly manifest: Manifest;
  readonly point: string;
  /** The directory in the archive. */
  readonly directory: string;
  readonly programVersion: string;
}

export function packageReadme({ manifest, point, directory, programVersion }: ReadmeInput): string {
  const { app, time, sources } = manifest;
  const parts = [
    `Export package of ${app}, as of ${time}`,
    paragraph(`Restore point ${point}, exported by Holdfast ${programVersion}. What is in it: ${contents(sources)}.`),
    paragraph('With Holdfast, on any machine, without its configuration:'),
    indented(`holdfast import PACKAGE.tar --to /restore/${app}`),
    paragraph('Without Holdfast, as root, so that owners come back; PACKAGE.tar is this archive:'),
    indented(
      'mkdir -m 700 /restore',
      'tar --extract --preserve-permissions --numeric-owner --file PACKAGE.tar --directory /restore',
      `cd /restore/${directory}`,
      `sha256sum --check --quiet ${SUMS}    # silent: every file is as it was; then: echo checked`,
    ),
    paragraph(
      `The last line of ${SUMS} has the checksum of all of the archive before it, names, owners, modes and links included:`,
    ),
    indented('head --bytes=N PACKAGE.tar | sha256sum    # N is the number of bytes in that line'),
    ...Object.entries(sources).map(([name, source]) => aboutSource(name, source, directory)),
    paragraph('Extended attributes, access control lists, devices, sockets and named pipes are not in the package.'),
  ];
  return `${parts.join('\n\n')}\n`;
}

function contents(sources: Manifest['sources']): string {
  return Object.entries(sources)
    .map(([name, { type, totals }]) => `${name} (${type}, ${totals.files} files, ${totals.bytes} bytes)`)
    .join(', ');
}

function aboutSource(name: string, source: Manifest['sources'][string], directory: string): string {
  const place = `/restore/${directory}/${name}`;
  if (source.type === 'postgres') return aboutDatabase(name, source, place);
  if (source.type === 'config')
    return paragraph(`Configuration "${name}": in ${place}. Secrets in it are masked and must be filled in again.`);
  return paragraph(`Files "${name}": in ${place}${source.path === undefined ? '' : `; they were in ${source.path}`}.`);
}

function aboutDatabase(name: string, source: PostgresSourceRecord, place: string): string {
  const major = Math.floor(source.facts.versionNum / 10_000);
  const programs = `/usr/lib/postgresql/${major}/bin`;
  return [
    paragraph(
      `Database "${name}": a data directory with its log, of PostgreSQL ${major}; only that major version starts it. Started ` +
        'like this it archives nothing, and listens on port 5499 of this machine only:',
    ),
    indented(
      `cp --archive ${place} /var/lib/postgresql/${name}-restored`,
      `chown --recursive postgres:postgres /var/lib/postgresql/${name}-restored`,
      `chmod 700 /var/lib/postgresql/${name}-restored`,
      `su postgres -c "${programs}/postgres -D /var/lib/postgresql/${name}-restored -p 5499 -c listen_addresses=127.0.0.1 -c archive_mode=off"`,
    ),
    paragraph(
      'It says "database system is ready to accept connections". Where its postgresql.conf is kept outside the data directory, ' +
        `add -c config_file=FILE and -c hba_file=FILE, with files of your own. Then: psql -h 127.0.0.1 -p 5499 -U postgres`,
    ),
  ].join('\n\n');
}

function indented(...lines: readonly string[]): string {
  return lines.map((line) => `    ${line}`).join('\n');
}

function paragraph(text: string): string {
  return wrap(text).join('\n');
}

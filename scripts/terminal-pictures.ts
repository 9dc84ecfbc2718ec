/**
 * Makes the pictures of the terminal in `docs/pictures/` from real runs: a small clinic in a temporary directory, a real PostgreSQL, the
 * real command line on a pseudo-terminal (`script` of util-linux). The directory's name is the only thing that is changed in them.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FULL_CLINIC } from '../demo/clinic.ts';
import { fillDatabase } from '../demo/database.ts';
import { workForADay } from '../demo/day.ts';
import { rot, wipe } from '../demo/disaster.ts';
import { generateFiles } from '../demo/files.ts';
import { createServer, DATABASE, serverUrl, withClient } from '../demo/server.ts';
import { clearStage, type Stage, setStage } from '../demo/stage.ts';
import { toSvg } from './pictures/svg.ts';
import { type Screen, screenAfter } from './pictures/terminal.ts';

const HOLDFAST = fileURLToPath(new URL('../bin/holdfast', import.meta.url));
const PICTURES = fileURLToPath(new URL('../docs/pictures', import.meta.url));
const COLUMNS = 100;
/** For lines that name objects. */
const WIDE = 142;
const ROWS = 60;
const SHOWN_AS = '/srv/demo';
const PLAIN = { colour: 'plain', bold: false, dim: false } as const;
const CLINIC = { ...FULL_CLINIC, megabytes: 60, patients: 5000, encounters: 30_000 };

const place = await mkdtemp(join(tmpdir(), 'holdfast-pictures-'));
await chmod(place, 0o755);
const root = join(place, 'demo');
try {
  await makePictures(await setStage(root));
} finally {
  await clearStage(root);
  await rm(place, { recursive: true, force: true });
}

async function makePictures(stage: Stage): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  const server = await createServer(stage.database, randomBytes(18).toString('base64url'));
  await writeFile(stage.databaseUrl, serverUrl(server), { mode: 0o600 });
  const files = await generateFiles(stage.media, CLINIC, () => {});
  await withClient(server, DATABASE, (client) => fillDatabase(client, CLINIC, files, () => {}));

  await picture('init', 'holdfast init', ['init']);
  await run('backup --label first-evening');
  await withClient(server, DATABASE, (client) => workForADay(client, stage.media, CLINIC));
  await picture('backup', 'holdfast backup', ['backup --label second-evening', 'points']);
  await picture('doctor', 'holdfast doctor', ['doctor']);
  await picture('show', 'holdfast show', ['show latest']);
  await wipe(stage.storage('nas'));
  await rot(stage.storage('local'), 3);
  await picture('heal', 'holdfast check, holdfast sync', ['check', 'sync', 'check --read-data'], WIDE);
  await rot(stage.storage('local'), 3);
  await picture('restore', 'holdfast restore', ['restore latest --to restored'], WIDE);
}

/** One picture of one or more commands, one below the other. */
async function picture(name: string, title: string, commands: readonly string[], columns = COLUMNS): Promise<void> {
  const screen: Screen[number][] = [];
  for (const command of commands) {
    if (screen.length > 0) screen.push([]);
    screen.push([
      { ...PLAIN, dim: true, text: '$ ' },
      { ...PLAIN, bold: true, text: `holdfast ${command}` },
    ]);
    screen.push(...screenAfter((await run(command, columns)).replaceAll(root, SHOWN_AS), columns));
  }
  await writeFile(join(PICTURES, `${name}.svg`), toSvg({ title, columns, screen }));
  console.log(`docs/pictures/${name}.svg`);
}

/** What the command writes to a terminal, whatever status it ends with. */
async function run(command: string, columns = COLUMNS): Promise<string> {
  const line = `stty columns ${columns} rows ${ROWS}; exec ${HOLDFAST} ${command}`;
  const env = { ...process.env, TERM: 'xterm-256color', NO_COLOR: undefined, HOLDFAST_CONFIG: undefined };
  const child = spawn('script', ['-qec', line, '/dev/null'], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return Buffer.concat(chunks).toString('utf8');
}

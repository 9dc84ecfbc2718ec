/** `holdfast verify`: a quick look at one point, or some of everything read back. */

import { EXIT, Failure } from '../../base/failure.ts';
import { howMany } from '../../base/how-many.ts';
import { type Id, shortId } from '../../base/ids.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type VerifyOutcome, verifyPoint, verifySlices } from '../../operations/verify.ts';
import { argument, defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Of a point: whether every storage has all that it needs, of the right size, and whether its directories and its manifest can be read. ' +
    'With --slice: everything that is stored is divided into --of slices by the names of the objects; those of the slice are read back, ' +
    'hashed and opened. The service reads slice after slice, so that within verification.readEvery everything was read. What is damaged ' +
    'is remembered, and "holdfast sync" heals it.',
  arguments: { point: argument.optional('POINT', 'id, its first digits, or "latest" (default: latest)') },
  options: {
    storage: option.text('S', 'only this storage'),
    slice: option.texts('K', 'read this slice, from 0 on (may be given several times)'),
    of: option.integer('N', 'into how many slices everything is divided', 1),
  },
  examples: [
    ['holdfast verify', 'is all of the newest point there'],
    ['holdfast verify --slice 0 --of 720 --storage r2', 'read a 720th of one storage'],
  ],
  exits: [EXIT.partial, EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'Nothing was changed. Run it again for a whole answer.',
  async run(context, { arguments: { point }, options: { storage, slice, of } }) {
    const only = storage === undefined ? {} : { storage };
    if (slice.length === 0 && of === undefined) {
      const app = (await context.config()).appName(context.flags.app);
      await using session = await openSession(context);
      return await show(context, shown(await verifyPoint(session, { app, prefix: point ?? 'latest', ...only })));
    }
    const slices = slicesOf(slice, of, point);
    await using session = await openSession(context);
    return await show(context, shown(await verifySlices(session, { ...slices, ...only })));
  },
  async remote(context, { arguments: { point }, options: { storage, slice, of } }) {
    const whole = slice.length === 0 && of === undefined;
    const what = whole ? { point: point ?? 'latest' } : { slice: [...slicesOf(slice, of, point).slices], of };
    return await show(context, await context.server.run<Shown>('verify', { ...what, storage }));
  },
});

function slicesOf(written: readonly string[], of: number | undefined, point: string | undefined) {
  const hint = 'Write --slice 0 --of 720.';
  if (of === undefined || written.length === 0)
    throw new Failure('usage', '--slice and --of belong together.', { hint });
  if (point !== undefined) throw new Failure('usage', 'Slices are of everything, not of one point.', { hint });
  const slices = new Set(written.map(Number));
  if ([...slices].every((slice) => Number.isInteger(slice) && slice >= 0 && slice < of)) return { slices, of };
  throw new Failure('usage', `--slice must be from 0 to ${of - 1}.`, { hint });
}

/** What `--json` prints. */
interface Shown {
  readonly point?: Id;
  readonly findings: VerifyOutcome['findings'];
  readonly behind: readonly string[];
  readonly storages: Readonly<Record<string, { readonly packs: number; readonly bytes: number }>>;
  readonly failures: Readonly<Record<string, { readonly error: string; readonly message: string }>>;
}

function shown({ point, findings, failures, behind, storages, wal }: VerifyOutcome): Shown {
  const read = [...storages].map(([name, { packs, bytesRead }]) => {
    return [name, { packs, bytes: bytesRead + (wal.get(name)?.bytesRead ?? 0) }] as const;
  });
  const failed = [...failures].map(([name, { code, message }]) => [name, { error: code, message }] as const);
  return {
    ...(point === undefined ? {} : { point }),
    ...{ findings, behind, storages: Object.fromEntries(read), failures: Object.fromEntries(failed) },
  };
}

async function show({ output, flags }: Context, outcome: Shown): Promise<ExitStatus> {
  const { findings, failures, behind } = outcome;
  if (flags.json) await output.summary({ ...outcome });
  else await print(output, outcome);
  if (findings.length > 0) return EXIT.damaged;
  return Object.keys(failures).length > 0 || behind.length > 0 ? EXIT.partial : EXIT.done;
}

async function print(output: Context['output'], { point, findings, failures, behind, storages }: Shown) {
  for (const { storage, key, detail } of findings)
    await output.line(`${output.style.red('DAMAGED')} ${storage}: ${key} ${detail}`);
  for (const { message } of Object.values(failures)) await output.warn(message);
  for (const name of behind) await output.warn(`${name} does not have this point.`, 'Run "holdfast sync".');
  for (const [name, { packs, bytes }] of Object.entries(storages))
    await output.line(`${name}: ${howMany(packs, 'packs')} there, ${formatBytes(bytes)} read.`);
  if (findings.length > 0) await output.line('Run "holdfast sync" to heal from the other storages.');
  else await output.line(point === undefined ? 'No damage found.' : `Point ${shortId(point)} is whole.`);
}

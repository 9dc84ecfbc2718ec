/** Storages: where backups live. */
import * as z from 'zod';
import { parseQuota } from '../../base/sizes.ts';
import { checkedText, choice, count, mapping, path, secret, size, text, toggle } from './scalars.ts';

const TIB = 1024 ** 4;

const ENDPOINT = 'a web address such as https://s3.example.com, without user, query or fragment';
const BUCKET = 'the name of a bucket: 3 to 63 letters, digits, ".", "-" and "_"';
const PREFIX = 'parts of letters, digits, ".", "-" and "_", joined by "/", with no "/" in front';

const LEAST = 1024 ** 2;

/** What its owner may fill of it. */
const quota = checkedText(
  'How much of it is yours to fill, such as 500GB or 2TiB: the quota you pay for. Absent: what a local disk has; unknown for S3.',
  (written) => {
    const bytes = parseQuota(written);
    if (bytes === undefined) return 'must be a number with a unit: MiB, GiB, TiB, or GB, TB, such as 500GB';
    return bytes < LEAST ? 'must be 1 MiB at least' : undefined;
  },
  {
    pattern: '^[0-9]+(\\.[0-9]+)? ?(B|KiB|MiB|GiB|TiB|PiB|GB|TB|PB)$',
    form: 'a number with a unit: MiB, GiB, TiB, or GB, TB, such as 500GB',
  },
).optional();

/** The one member of a storage that is asked for alone. */
export const capacity = mapping({ capacity: quota });

const limits = {
  capacity: quota,
  connections: count('Requests at the same time.', 1, 256).default(8),
  uploadLimit: size('Bytes per second to this storage, such as 20MiB. Absent: unbounded.', 1024, TIB).optional(),
  downloadLimit: size('Bytes per second from this storage. Absent: unbounded.', 1024, TIB).optional(),
};

const local = mapping({
  type: z.literal('local'),
  path: path('The directory that holds the repository.'),
  ...limits,
});

const s3 = mapping({
  type: z.literal('s3'),
  endpoint: checkedText(
    'The address of the S3 service. Absent: AWS, in the region.',
    (written) => (isEndpoint(written) ? undefined : `must be ${ENDPOINT}`),
    { pattern: '^https?://' },
  ).optional(),
  bucket: checkedText('The bucket; it must exist.', (written) =>
    /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/.test(written) ? undefined : `must be ${BUCKET}`,
  ),
  prefix: checkedText(
    'Keys begin with this; several repositories can share a bucket under different prefixes.',
    (written) => (isPrefix(written) ? undefined : `must be ${PREFIX}`),
  ).optional(),
  region: text('The region; many services take "auto" or "us-east-1".').default('us-east-1'),
  pathStyle: toggle(
    'Whether the bucket stands in the path of the address (true) or in its host name (false). Absent: true with an endpoint.',
  ).optional(),
  accessKeyId: secret('The access key.'),
  secretAccessKey: secret('The secret of the access key.'),
  sessionToken: secret('The session token of temporary credentials.').optional(),
  objectLock: mapping({
    days: count('Objects cannot be deleted for this many days.', 1, 36_500),
    mode: choice('compliance: nobody can delete before the days are over; governance: who has a special right can.', [
      'governance',
      'compliance',
    ]).default('compliance'),
  })
    .describe('Object lock, where the bucket has it.')
    .optional(),
  ...limits,
});

export const storage = z.discriminatedUnion('type', [local, s3]).describe('One place where backups live.');

function isEndpoint(written: string): boolean {
  const url = URL.parse(written);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

function isPrefix(written: string): boolean {
  const parts = written.replace(/\/$/, '').split('/');
  return parts.every((part) => /^[A-Za-z0-9._-]+$/.test(part) && part !== '.' && part !== '..');
}

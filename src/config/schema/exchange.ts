/** Files that the server takes in and gives out: uploaded packages on their way to a restore, and what runs made for somebody to download. */
import { duration, mapping, path, size } from './scalars.ts';

const KIB = 1024;

export const exchange = mapping({
  directory: path(
    'Where they are. Workers on other machines need it at the same place, on a share. Absent: .holdfast/exchange.',
  ).optional(),
  maxUpload: size('The largest package that may be uploaded.', KIB, 2 ** 50).default('64GiB'),
  keep: duration('How long what a run made can be downloaded.').default('24h'),
})
  .describe('Files that are uploaded, and those that runs make to be downloaded.')
  .prefault({});

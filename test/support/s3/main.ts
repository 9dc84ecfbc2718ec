/**
 * `node test/support/s3/main.ts` starts the S3 service, prints its address as one line of JSON (the value for `HOLDFAST_TEST_S3`), and
 * runs until SIGTERM, SIGINT or the end of its standard input. When the programs are missing it prints `{"skip": REASON}` and ends.
 */
import { once } from 'node:events';
import { needS3, startS3 } from './start.ts';

const { skip } = await needS3();
if (skip) {
  console.log(JSON.stringify({ skip }));
} else {
  const { endpoint, accessKeyId, secretAccessKey, stop } = await startS3();
  console.log(JSON.stringify({ endpoint, accessKeyId, secretAccessKey }));
  process.stdin.resume();
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT'), once(process.stdin, 'end')]);
  await stop();
  process.stdin.destroy();
}

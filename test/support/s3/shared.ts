/**
 * The S3 service of this test run. The test command starts one and passes its address in `HOLDFAST_TEST_S3`; a test file that is run on
 * its own starts its own.
 *
 *     const need = await needS3();
 *     let s3: TestS3;
 *     before(async () => { s3 = await useS3(); });
 *     after(() => s3.stop());                       // ends it only when this process started it
 */
import { clientOf, type S3Address, startS3, type TestS3 } from './start.ts';

export { needS3, type TestS3 } from './start.ts';

/** The variable that carries the address of a running service, as JSON of `S3Address`. */
const S3_VARIABLE = 'HOLDFAST_TEST_S3';

export async function useS3(): Promise<TestS3> {
  const running = process.env[S3_VARIABLE];
  return running ? clientOf(JSON.parse(running) as S3Address) : startS3();
}

/** What is read from a point as a tar archive. */
export { tarStream } from './package/tar-writer.ts';

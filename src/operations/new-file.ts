/** A file that a command was asked to write: whole or not there, readable by its owner only, and never over another unless that is wanted. */
export { refuseExisting, writeNewFile } from '../recovery/rows.ts';

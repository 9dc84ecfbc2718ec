/** Kinds of columns that both databases keep alike. */

/** Milliseconds since the Unix epoch. */
export type Time = number;
export type Flag = 0 | 1;
/** JSON as text. */
export type Json = string;

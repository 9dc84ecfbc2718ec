/** Secrets that somebody wrote into the words of a step do not go on paper, into a report or into a storage. */

const MASK = '********';
const NAME = '[\\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|credential)[\\w-]*';

const IN_WORD: readonly (readonly [RegExp, string])[] = [
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/@]+@/gi, `$1:${MASK}@`],
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${MASK}`],
  [new RegExp(`((?:^|[\\s?&;])${NAME}=)[^&\\s]+`, 'gi'), `$1${MASK}`],
];

const FLAG = new RegExp(`^--?${NAME}$`, 'i');

/** The same words; the value of a flag that is called like a secret, of such a variable, and the password of a URL are hidden. */
export function maskWords(words: readonly string[]): string[] {
  return words.map((word, at) =>
    at > 0 && FLAG.test(words[at - 1]!) && !word.startsWith('-') ? MASK : maskText(word),
  );
}

export function maskText(text: string): string {
  return IN_WORD.reduce((clean, [pattern, by]) => clean.replace(pattern, by), text);
}
